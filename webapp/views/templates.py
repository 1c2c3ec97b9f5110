"""Jinja as the house uses it: one environment for each language, its constant texts translated
while a template is compiled, so that a page costs the same in every language.
"""

import re
import threading
from collections.abc import Iterable, Mapping, MutableMapping
from functools import cache
from typing import Any, cast

from flask import Flask
from flask.templating import Environment as FlaskEnvironment
from jinja2 import nodes
from jinja2.environment import Template
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from webapp.views.tongues import ENGLISH, Tongue

MARK = "_"
FRAME = "base.html"
"""What every page extends."""
SAID = "said"
_PLACE = "%("
_SPECIAL = re.compile("[&<>\"']").search
"""What HTML reads as markup (MarkupSafe escapes these five): most values hold none of them."""


class Templates(FlaskEnvironment):
    """Templates whose globals are one plain dictionary: a chain of them costs a copy every page."""

    tongue = Tongue(ENGLISH)

    def speak(self, tongue: Tongue) -> None:
        """From here on templates are compiled into this language."""
        self.tongue = tongue
        self.globals[MARK] = tongue
        self.filters |= {SAID: tongue, "number": tongue.number}

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of one template."""
        return {**self.globals, **(d or {})}

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,
    ) -> str:
        # The code of a template looks `escape` up when it runs, so the last one given counts.
        code = super()._generate(source, name, filename, defer_init)
        return f"{code}\nescape = environment.spelt\n"

    @staticmethod
    def spelt(value: object) -> str:
        """A value as it may stand in a page: escaped, unless it is one of our own components."""
        kind = type(value)
        if kind is str and not _SPECIAL(cast("str", value)):
            return cast("str", value)
        return cast("str", value) if kind is Markup else escape(value)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _Translated(self.tongue).visit(tree)
        tree.set_environment(self)
        return tree


class _Translated(NodeTransformer):
    """Puts the translation where `_("a constant")` stood, cut open where its values go in."""

    def __init__(self, tongue: Tongue) -> None:
        self._tongue = tongue

    def visit_Output(self, node: nodes.Output) -> nodes.Output:  # noqa: N802 (Jinja's own name)
        """Print the pieces one after the other rather than join them first."""
        self.generic_visit(node)
        flat: list[nodes.Expr] = []
        for one in node.nodes:
            flat.extend(one.nodes if isinstance(one, nodes.Concat) else (one,))
        node.nodes = flat
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802
        """A marked constant becomes a constant, with values a joining of several; else a filter."""
        self.generic_visit(node)
        if not (isinstance(node.node, nodes.Name) and node.node.name == MARK):
            return node
        (said,) = node.args
        if not isinstance(said, nodes.Const):
            # A filter is called straight; a function goes through Jinja's own ways first.
            return nodes.Filter(said, SAID, [], node.kwargs, None, None, lineno=node.lineno)
        text = self._tongue.constant(said.value)
        if not node.kwargs:
            return nodes.Const(text, lineno=node.lineno)
        values = {pair.key: pair.value for pair in node.kwargs}
        pieces = [
            nodes.Const(piece, lineno=node.lineno) if isinstance(piece, str) else piece
            for piece in _cut(text, values)
        ]
        return nodes.Concat(pieces, lineno=node.lineno)


def _cut(text: str, values: Mapping[str, nodes.Expr]) -> Iterable[str | nodes.Expr]:
    """The pieces of a sentence. Raises KeyError for a value that was not given."""
    before, *places = text.split(_PLACE)
    yield before
    for place in places:
        name, _, after = place.partition(")s")
        yield values[name]
        yield after


class Speakers:
    """The environments by language; each is made when a first page asks for it.

    One thread compiles at a time: sixteen that compile the same page at once take twenty megabytes,
    and keep them.
    """

    def __init__(self, app: Flask, filters: Mapping[str, Any]) -> None:
        self._app = app
        self._filters = dict(filters)
        self._made: dict[str, Templates] = {}
        self._known: dict[tuple[str, str], Template] = {}
        self._making = threading.Lock()

    def template(self, name: str, code: str) -> Template:
        """The template of this name in this language."""
        found = self._known.get((name, code))
        return self._compiled(name, code) if found is None else found

    def _compiled(self, name: str, code: str) -> Template:
        with self._making:
            speaker = self._made.get(code)
            if speaker is None:
                speaker = self._made[code] = self._make(code)
            speaker.get_template(FRAME)
            found = self._known[name, code] = speaker.get_template(name)
            return found

    def _make(self, code: str) -> Templates:
        templates = cast("Templates", self._app.create_jinja_environment())
        templates.speak(Tongue(code))
        templates.filters.update(self._filters)
        furnish(templates)
        return templates


def furnish(templates: Templates) -> None:
    """Let templates use every component by its name, loaded once."""
    for name in templates.list_templates(filter_func=lambda name: name.startswith("components/")):
        module = templates.get_template(name).module
        parts = {part: value for part, value in vars(module).items() if part[0] != "_"}
        templates.globals.update(parts)
    # These are asked for often and never differ: few arguments, none of them a person's.
    for name in ("icon", "places", "tongue_buttons", "tour_panel", "ways_on"):
        part: Any = templates.globals[name]
        templates.globals[name] = cache(part)
    # The components were loaded before the globals were complete; pages load them no more.
    if templates.cache is not None:
        templates.cache.clear()

"""Marked texts in templates: translated when compiled, escaped as everything else."""

import html

import jinja2
import pytest
from flask import Flask

from webapp.views.templates import Templates
from webapp.views.tongues import Tongue
from webapp.words import say

TEXTS = {
    "Not <now>": "Nicht <jetzt>",
    "Asked %(when)s by %(who)s.": "Von %(who)s gefragt, %(when)s.",
    "passed": "bestanden",
}


class Made(Tongue):
    """A language of three sentences."""

    def __init__(self) -> None:
        super().__init__("en")
        self._texts = TEXTS


@pytest.fixture
def german() -> Templates:
    """An environment that speaks them, and escapes as that of the application does."""
    templates = Templates(Flask("test"), autoescape=True)
    templates.speak(Made())
    return templates


CASES = (
    ('{{ _("Not <now>") }}', "Nicht &lt;jetzt&gt;"),
    ('{{ _("Not\n   <now>") }}', "Nicht &lt;jetzt&gt;"),
    ('{{ _("Nobody translated <this>") }}', "Nobody translated &lt;this&gt;"),
    (
        '{{ _("Asked %(when)s by %(who)s.", when="<1>", who=who) }}',
        "Von &lt;b&gt; gefragt, &lt;1&gt;.",
    ),
    (
        "{% macro tag(x) %}<i>{{ x }}</i>{% endmacro %}"
        '{{ _("Asked %(when)s by %(who)s.", when=tag("now"), who=who) }}',
        "Von &lt;b&gt; gefragt, <i>now</i>.",
    ),
    (
        "{% macro tag(x) %}<i>{{ x }}</i>{% endmacro %}"
        '{{ tag(_("Asked %(when)s by %(who)s.", when=1, who=who)) }}',
        "<i>Von &lt;b&gt; gefragt, 1.</i>",
    ),
    ('<p title="{{ _("passed") }}">', '<p title="bestanden">'),
    ("{{ _(saying) }}", "Von &lt;b&gt; gefragt, bestanden."),
    ("{{ _(plain) }}", "bestanden"),
    ("{{ _(strange) }}", "100 % &lt;strange&gt; %(who)s"),
    ("{{ _(nothing) }}", "None"),
)


@pytest.mark.parametrize(("source", "shown"), CASES)
def test_marked_texts(german: Templates, source: str, shown: str) -> None:
    """Constants, values, macros' output, sayings and plain texts come out right and escaped."""
    values = {
        "who": "<b>",
        "saying": say("Asked %(when)s by %(who)s.", who="<b>", when=say("passed")),
        "plain": "passed",
        "strange": "100 % <strange> %(who)s",
        "nothing": None,
    }
    assert german.from_string(source).render(values) == shown


def test_several_sentences(german: Templates) -> None:
    """A tuple of sentences is said in one go; numbers are grouped as the language does."""
    values = {"both": (say("passed"), say("Not <now>"))}
    assert german.from_string("{{ _(both) }}").render(values) == "bestanden Nicht &lt;jetzt&gt;"
    assert german.from_string("{{ 1234567|number }}").render() == "1,234,567"


def test_a_constant_costs_nothing(german: Templates) -> None:
    """What is compiled holds the translation itself and no call."""
    code = german.compile('<p>{{ _("passed") }}</p>', raw=True)
    assert "<p>bestanden</p>" in code


def test_a_value_that_was_not_given(german: Templates) -> None:
    """A sentence whose value is missing fails when the template is compiled, in every language."""
    with pytest.raises(KeyError):
        german.from_string('{{ _("Asked %(when)s by %(who)s.", when=1) }}')
    with pytest.raises(jinja2.UndefinedError):
        german.from_string('{{ __("passed") }}').render()


@pytest.mark.parametrize("odd", ["<b>", "a&b", 'say "x"', "it's", "&amp;"])
def test_OU_01_values_are_escaped(german: Templates, odd: str) -> None:
    """What HTML reads as markup is escaped in a value, and in a component's not once more."""
    template = german.from_string("{% macro m(v) %}<i>{{ v }}</i>{% endmacro %}{{ v }}{{ m(v) }}")
    escaped = html.escape(odd).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    assert escaped != odd
    assert template.render(v=odd) == f"{escaped}<i>{escaped}</i>"
    assert template.render(v=7) == "7<i>7</i>"
    assert template.render(v=say(odd)) == f"{escaped}<i>{escaped}</i>"

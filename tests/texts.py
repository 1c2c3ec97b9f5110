"""Every sentence that a page can show, collected from templates and source, by where it stands.

`python -m tests.texts de` prints what the German catalogue lacks, ready to be filled in.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

from webapp import errors
from webapp.views.templates import MARK
from webapp.views.tongues import catalogue, evenly

ROOT = Path(__file__).resolve().parent.parent
PLACE = re.compile(r"%\((\w+)\)s")

# A refused sign-in is told by its code, not by its sentence; settings are told on the terminal.
_UNSHOWN = (errors.SignInRefused, errors.SettingsProblems)
_FAMILY = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type)
    and issubclass(kind, errors.PorticoError)
    and not issubclass(kind, _UNSHOWN)
}
_FAMILY |= {"unreached", "out_of_order"}  # of webapp/managed_login/trouble.py
# What these raise is told on the terminal.
_TERMINAL = ("cli", "settings", "services", "doctor")


def sentences() -> dict[str, str]:
    """All of them, each with the first place where it stands."""
    found: dict[str, str] = {}
    for template in sorted((ROOT / "templates").rglob("*.html")):
        for text, line in of_template(template.read_text()):
            found.setdefault(text, f"{template.relative_to(ROOT)}:{line}")
    for module in sorted((ROOT / "webapp").rglob("*.py")):
        tree = ast.parse(module.read_text())
        shown = module.relative_to(ROOT).parts[1] not in _TERMINAL
        for text, line in of_source(tree, with_errors=shown):
            found.setdefault(text, f"{module.relative_to(ROOT)}:{line}")
    return found


def of_template(source: str) -> Iterator[tuple[str, int]]:
    """The marked constants of a template, with their lines. One that is not constant is data."""
    for call in Environment(autoescape=True).parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == MARK:
            (said,) = call.args
            if isinstance(said, nodes.Const):
                yield evenly(said.value), call.lineno


def of_source(tree: ast.Module, *, with_errors: bool) -> Iterator[tuple[str, int]]:
    """What a module says: marked sentences, and the constant ones of errors."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
            continue
        first = node.args[0]
        constant = first.value if isinstance(first, ast.Constant) else None
        if node.func.id == "say":
            assert isinstance(constant, str), f"line {node.lineno}: say() of no constant"
            yield constant, node.lineno
        elif node.func.id in _FAMILY and with_errors and isinstance(constant, str):
            yield constant, node.lineno


def lacking(code: str) -> dict[str, str]:
    """What a language's catalogue does not have, with its place."""
    have = catalogue(code)
    return {text: place for text, place in sentences().items() if text not in have}


if __name__ == "__main__":
    for missing, where in lacking(sys.argv[1]).items():
        print(f"# {where}\n{json.dumps(missing, ensure_ascii=False)} = \n")

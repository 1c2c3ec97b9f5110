"""Read `stack.yaml`, the facts that Terraform and the offline provisioner share.

`load_stack()` gives a frozen `Stack` or raises one `StackProblem` that lists everything that is
wrong with the file, each by its path.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from infra.facts import Stack
from infra.stack_rules import FUNCTIONS, RULES

__all__ = ["FUNCTIONS", "STACK_FILE", "Stack", "StackProblem", "load_stack", "parse_stack"]

STACK_FILE = Path(__file__).with_name("stack.yaml")

Problem = tuple[str, str]


class StackProblem(ValueError):
    """Everything that is wrong with a stack file; `problems` holds (path, sentence) pairs."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        self.source = source
        self.problems = problems
        lines = "\n".join(f"  {path}: {sentence}" for path, sentence in problems)
        super().__init__(f"{source} cannot be used:\n{lines}")


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key written twice, as Terraform does; PyYAML takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key!r} stands twice (line {line})"
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def load_stack(path: Path = STACK_FILE) -> Stack:
    """Return the facts of a stack file; raise `StackProblem` with everything wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StackProblem(str(path), (("file", f"cannot be read: {error}"),)) from error
    return parse_stack(text, source=path.name)


def parse_stack(text: str, *, source: str = "stack.yaml") -> Stack:
    """Return the facts of a stack file's text; raise `StackProblem` as `load_stack` does."""
    try:
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        sentence = " ".join(str(error).split())
        raise StackProblem(source, (("file", f"is not YAML: {sentence}"),)) from error
    if not isinstance(raw, dict):
        raise StackProblem(source, (("file", "must hold a mapping of sections"),))
    sections, problems = _read_sections(raw)
    problems += _broken_rules(sections)
    if problems:
        raise StackProblem(source, tuple(problems))
    return Stack(**sections)


def _read_sections(raw: Mapping[str, object]) -> tuple[dict[str, Any], list[Problem]]:
    """Read each section alone, so that a fault in one hides no fault in another."""
    hints = get_type_hints(Stack, include_extras=True)
    problems = [(str(key), "is not a known key here") for key in raw if key not in hints]
    sections: dict[str, Any] = {}
    for name, hint in hints.items():
        if name not in raw:
            problems.append((name, "is missing"))
            continue
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        try:
            sections[name] = adapter.validate_python(raw[name])
        except ValidationError as error:
            problems += _sentences(name, error)
    return sections, problems


def _sentences(section: str, error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False):
        parts = [str(part) for part in fault["loc"] if part != "[key]"]
        path = ".".join([section, *parts])
        expected = fault.get("ctx", {}).get("expected")
        if fault["type"] == "missing":
            yield path, "is missing"
        elif fault["type"] == "unexpected_keyword_argument":
            yield path, "is not a known key here"
        elif expected:
            yield path, f"must be {expected}, not {fault['input']!r}"
        else:
            message = fault["msg"].replace("Input should", "must", 1)
            yield path, f"{message}, not {fault['input']!r}"


def _broken_rules(sections: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for needed, rule in RULES:
        if all(name in sections for name in needed):
            problems += rule(*(sections[name] for name in needed))
    return problems

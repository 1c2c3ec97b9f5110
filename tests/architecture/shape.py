"""Checks on names, sizes and docstrings. Each returns its findings."""

import ast
from collections.abc import Mapping

from tests.architecture.source import Source, functions
from tests.architecture.table import (
    FACTORY_LIMIT,
    FACTORY_WISH,
    FORBIDDEN_NAMES,
    FUNCTION_LIMIT,
    FUNCTION_WISH,
    MODULE_LIMIT,
    MODULE_WISH,
    OVERSIZE,
    TEST_MODULE_LIMIT,
)


def names(sources: list[Source]) -> list[str]:
    """Modules and packages whose name says nothing."""
    return [
        f"{source.path}: a name that says nothing ({part})"
        for source in sources
        for part in source.name.split(".")
        if set(part.split("_")) & set(FORBIDDEN_NAMES)
    ]


def sizes(sources: list[Source], excused: Mapping[str, str] = OVERSIZE) -> list[str]:
    """Modules and functions past the limit."""
    return _longer(
        [source for source in sources if source.name not in excused],
        module=MODULE_LIMIT,
        function=FUNCTION_LIMIT,
        factory=FACTORY_LIMIT,
    )


def wishes(sources: list[Source]) -> list[str]:
    """Modules and functions past what the house wishes for; nothing fails on these."""
    return _longer(sources, module=MODULE_WISH, function=FUNCTION_WISH, factory=FACTORY_WISH)


def sizes_of_tests(sources: list[Source]) -> list[str]:
    """Test modules past their limit, conftest.py among them."""
    return _longer(sources, module=TEST_MODULE_LIMIT, function=FACTORY_LIMIT, factory=FACTORY_LIMIT)


def _longer(sources: list[Source], *, module: int, function: int, factory: int) -> list[str]:
    found = []
    for source in sources:
        lines = source.text.count("\n")
        if lines > module:
            found.append(f"{source.path}: {lines} lines, more than {module}")
        for node in functions(source):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            limit = factory if node.name == "make_blueprint" else function
            if lines > limit:
                found.append(f"{source.at(node)}: {node.name} has {lines} lines, over {limit}")
    return found


def docstrings(sources: list[Source]) -> list[str]:
    """Tests without one sentence that says what holds."""
    return [
        f"{source.at(node)}: {node.name} needs one sentence that says what holds"
        for source in sources
        for node in functions(source)
        if node.name.startswith("test_")
        and source.path.rsplit("/", 1)[-1].startswith("test_")
        and not _is_one_sentence(ast.get_docstring(node))
    ]


def _is_one_sentence(text: str | None) -> bool:
    return bool(text) and "\n\n" not in (text or "") and (text or "").endswith(".")


def init_files(sources: list[Source]) -> list[str]:
    """`__init__.py` files that do more than hand names on."""
    allowed = (ast.Import, ast.ImportFrom)
    return [
        f"{source.at(node)}: __init__.py is empty or hands names on"
        for source in sources
        if source.is_package
        for node in source.tree.body
        if not isinstance(node, allowed) and not _is_docstring(node) and not _is_all(node)
    ]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"

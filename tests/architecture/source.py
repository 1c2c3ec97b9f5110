"""Reads the project's Python files and says what each one imports."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One Python file: its dotted module name, its path from the top, its parsed text."""

    name: str
    path: str
    text: str
    tree: ast.Module
    is_package: bool

    def at(self, node: ast.stmt | ast.expr) -> str:
        """Where a finding is, as an editor reads it."""
        return f"{self.path}:{node.lineno}"


@dataclass(frozen=True)
class Import:
    """One imported name. `late` says that it happens inside a function."""

    target: str
    node: ast.Import | ast.ImportFrom
    late: bool


def read(root: Path, *tops: str) -> list[Source]:
    """Every Python file below the named folders, and the named files, of a project."""
    paths: list[Path] = []
    for top in tops:
        place = root / top
        paths += sorted(place.rglob("*.py")) if place.is_dir() else [place][: place.is_file()]
    relative = [path.relative_to(root) for path in paths]
    return [_parse(root, path) for path in relative if not _hidden(path)]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "build" for part in path.parts)


def _parse(root: Path, path: Path) -> Source:
    text = (root / path).read_text()
    is_package = path.name == "__init__.py"
    parts = path.parent.parts if is_package else path.with_suffix("").parts
    name = ".".join(parts)
    return Source(name, path.as_posix(), text, ast.parse(text, str(path)), is_package)


def imports(source: Source, known: Collection[str]) -> Iterator[Import]:
    """Everything a module imports, those for type checkers included: they draw arrows too.

    ``from package import module`` is an import of the module when ``known`` has it.
    """
    late_nodes = {
        inner
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    }
    for node in ast.walk(source.tree):
        late = node in late_nodes
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node, late)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(source, node)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(full if full in known else base, node, late)


def _absolute(source: Source, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = source.name.split(".")
    parts = parts[: len(parts) - node.level + source.is_package]
    return ".".join([*parts, *([node.module] if node.module else [])])


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a module, nested ones included."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def fits(name: str, above: str) -> bool:
    """Whether a dotted name is the other one or lies below it."""
    return name == above or name.startswith(above + ".")


def longest(name: str, rows: Collection[str]) -> str | None:
    """The row that a name falls under: the longest that fits."""
    return max((row for row in rows if fits(name, row)), key=len, default=None)

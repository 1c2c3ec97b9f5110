"""Checks on what may not be written at all (SC-02 of the security catalogue, and the house's own).

They look at the syntax tree, so that a forbidden word in a string or a comment is no finding.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.architecture.source import Source, functions
from tests.architecture.table import EXCUSED

_UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "xmlrpc"}
_UNSAFE_CALLS = {
    "eval", "exec", "__import__", "importlib.import_module", "os.system", "os.popen",
    "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load",
    "hashlib.md5", "ssl._create_unverified_context", "tempfile.mktemp",
}  # fmt: skip
_HTTP_VERBS = {"get", "post", "put", "patch", "delete", "head", "options", "request", "send"}
_HTTP_BASE = re.compile(r"(?:^|[._])(?:requests|session|http|pool|client|adapter)s?$", re.I)
_OPEN_END = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b(?!: \w+ \w+ \w+)")
_SKIPS = {"pytest.skip", "pytest.xfail", "pytest.mark.skip", "pytest.mark.xfail"}


def forbidden(sources: list[Source], excused: Mapping[tuple[str, str], str] = EXCUSED) -> list[str]:
    """Unsafe modules, calls and arguments, but for those with a reason in the table."""
    return [
        f"{source.at(node)}: {why}"
        for source, node, why in _all_forbidden(sources)
        if (source.name, why) not in excused
    ]


def stale_excuses(
    sources: list[Source], excused: Mapping[tuple[str, str], str] = EXCUSED
) -> list[str]:
    """Excuses for something that is no longer written."""
    written = {(source.name, why) for source, _, why in _all_forbidden(sources)}
    return [f"{module}: no longer {why}" for module, why in excused if (module, why) not in written]


def _all_forbidden(sources: list[Source]) -> Iterator[tuple[Source, ast.stmt | ast.expr, str]]:
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.stmt | ast.expr):
                yield from ((source, node, why) for why in _why_forbidden(node))


def _why_forbidden(node: ast.stmt | ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from _forbidden_import(node)
    elif isinstance(node, ast.Call):
        yield from _forbidden_call(node)
    elif isinstance(node, ast.Attribute) and node.attr in {"CERT_NONE", "Markup"}:
        yield f"{ast.unparse(node)}"
    elif isinstance(node, ast.Assign) and _sets_false(node, "check_hostname"):
        yield "check_hostname = False"


def _forbidden_import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for module in modules:
        if module.split(".")[0] in _UNSAFE_MODULES:
            yield f"imports {module}"
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            if alias.name in {"Markup", "md5"} or full in _UNSAFE_CALLS:
                yield f"imports {full}"


def _forbidden_call(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    if name in _UNSAFE_CALLS:
        yield f"calls {name}"
    if name == "hashlib.new" and node.args and "md5" in ast.unparse(node.args[0]).lower():
        yield "calls hashlib.new with md5"
    for keyword in node.keywords:
        given = keyword.arg, getattr(keyword.value, "value", None)
        if given in {("verify", False), ("shell", True), ("autoescape", False)}:
            yield f"{given[0]}={given[1]}"


def _sets_false(node: ast.Assign, attribute: str) -> bool:
    value = getattr(node.value, "value", None)
    return value is False and any(getattr(t, "attr", None) == attribute for t in node.targets)


def redirects(sources: list[Source]) -> list[str]:
    """Calls through requests or urllib3 that leave following redirects to the library's default."""
    return [
        f"{source.at(node)}: {ast.unparse(node.func)} does not say whether it follows redirects"
        for source in sources
        if _imports_any(source, {"requests", "urllib3"})
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and _is_http_call(node)
        if not {"allow_redirects", "redirect"} & {keyword.arg for keyword in node.keywords}
    ]


def _imports_any(source: Source, libraries: set[str]) -> bool:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import) and {a.name.split(".")[0] for a in node.names} & libraries:
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in libraries:
            return True
    return False


def _is_http_call(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr == "urlopen":
        return True
    return node.func.attr in _HTTP_VERBS and bool(_HTTP_BASE.search(ast.unparse(node.func.value)))


def flask_magic(sources: list[Source]) -> list[str]:
    """`current_app`: a room takes what it needs when it is built."""
    return [
        f"{source.at(node)}: uses current_app"
        for source in sources
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.ImportFrom) and "current_app" in {a.name for a in node.names})
        or (isinstance(node, ast.Attribute) and node.attr == "current_app")
    ]


def guards_nothing(sources: list[Source]) -> list[str]:
    """A decorator above the route's: Flask registers the function without it."""
    return [
        f"{source.at(function)}: a decorator stands above the route of {function.name}"
        for source in sources
        for function in functions(source)
        for above, _ in zip(function.decorator_list, function.decorator_list[1:], strict=False)
        if any(map(_is_route, function.decorator_list)) and not _is_route(above)
        if any(map(_is_route, function.decorator_list[function.decorator_list.index(above) + 1 :]))
    ]


def _is_route(node: ast.expr) -> bool:
    function = node.func if isinstance(node, ast.Call) else node
    return isinstance(function, ast.Attribute) and function.attr in {"route", "get", "post"}


def open_ends(sources: list[Source]) -> list[str]:
    """Work left undone, tests left out, without a reason on the line."""
    return [line for source in sources for line in _open_ends(source)]


def _open_ends(source: Source) -> Iterator[str]:
    lines = source.text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and _OPEN_END.search(token.string):
            yield f"{source.path}:{token.start[0]}: an open end without a reason"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node):
            if "#" not in lines[node.lineno - 1]:
                yield f"{source.at(node)}: NotImplementedError without a reason"
        elif (
            isinstance(node, ast.Attribute)
            and ast.unparse(node) in _SKIPS
            and not re.search("reason|#", lines[node.lineno - 1])
        ):
            yield f"{source.at(node)}: {ast.unparse(node)} without a reason"


_IN_TEMPLATES: dict[str, re.Pattern[str]] = {
    "the safe filter": re.compile(r"\|\s*safe\b"),
    "autoescape switched off": re.compile(r"{%-?\s*autoescape\s+false"),
    "an event handler in the page": re.compile(r"<[^>]+\son[a-z]+\s*="),
    "a script in the page": re.compile(r"<script(?![^>]*\bsrc=)[^>]*>"),
    "a style in the page": re.compile(r"<style\b|<[^>]+\sstyle\s*="),
}


def in_templates(root: Path, *folders: str) -> list[str]:
    """What a template may not do: switch off escaping, or what the content policy refuses."""
    return [
        f"{path.relative_to(root).as_posix()}: {what}"
        for folder in folders
        for path in sorted((root / folder).rglob("*.html"))
        for what, expression in _IN_TEMPLATES.items()
        if expression.search(path.read_text())
    ]

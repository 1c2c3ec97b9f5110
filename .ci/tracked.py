"""What git tracks and must not: clutter, state, secrets, paths and hosts of one machine."""

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

LARGEST = 2_000_000  # bytes; a screenshot fits, a database or a wheel does not

FORBIDDEN_PATHS = (
    ".venv",
    ".venv/*",
    ".venv-tools",
    ".venv-tools/*",
    "*__pycache__/*",
    "*.pyc",
    "*.egg-info/*",
    ".mypy_cache/*",
    ".ruff_cache/*",
    "*.pytest_cache/*",
    "*.hypothesis/*",
    "*.db",
    "*.db-wal",
    "*.sqlite*",
    "*.log",
    ".env",
    "*/.env",
    "var/*",
    "*/.state/*",
    "tests/artefacts/*",
    "*.terraform/*",
    "*.tfstate*",
    "*.orig",
    "*.rej",
    "*~",
    "*.whl",
)

# The expressions are written so that they do not find themselves.
FORBIDDEN_CONTENT = {
    "a path of one machine": re.compile(
        r"(?<![\w.$}~*)/-])/(?:ho[m]e/[a-z]|ro[o]t/|Use[r]s/[A-Za-z]|wo[r]k/)"
    ),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE K[E]Y-----\s+[A-Za-z0-9+/=]{40}"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)(?![A-Z0-9]*(?:EXAMPLE|TEST))[A-Z2-7]{16}\b"),
    "a package index of one machine": re.compile(
        r"^\s*--(?:extra-)?index-u[r]l|^\s*--find-link[s]|^\s*--trusted-ho[s]t", re.MULTILINE
    ),
    "a merge left unfinished": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}

# path pattern, kind of content, reason
EXCEPTIONS: tuple[tuple[str, str, str], ...] = ()


def findings(root: Path) -> list[str]:
    """One line for each tracked file that must not be, or holds what must not be held."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        return [f"git ls-files failed, so nothing was looked at: {error}"]
    paths = [path for path in listing.split("\0") if path and (root / path).is_file()]
    if not paths:
        return ["git tracks nothing here, so nothing was looked at"]
    return [line for path in paths for line in look_at(path, (root / path).read_bytes())]


def look_at(path: str, content: bytes) -> list[str]:
    """The findings of one file, given its path from the top and its content."""
    found = [f"{path}: matches {bad}" for bad in FORBIDDEN_PATHS if fnmatch(path, bad)]
    if len(content) > LARGEST:
        found.append(f"{path}: {len(content):,} bytes, more than {LARGEST:,}")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return found
    for kind, expression in FORBIDDEN_CONTENT.items():
        excepted = any(fnmatch(path, where) and kind == what for where, what, _ in EXCEPTIONS)
        if not excepted and (hit := expression.search(text)):
            line = text.count("\n", 0, hit.start()) + 1
            found.append(f"{path}:{line}: {kind}")
    return found

"""Whether requirements*.txt still say what pyproject.toml asks for; no network."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_ASKED_BY_US = "portico (pyproject.toml)"


def findings(root: Path) -> list[str]:
    """One line for each way in which the lock files are stale."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    runtime = [Requirement(line) for line in project["dependencies"]]
    development = [Requirement(line) for line in project["optional-dependencies"]["dev"]]
    short, full = (_read(root / name) for name in ("requirements.txt", "requirements-dev.txt"))
    found = _compare("requirements.txt", short, runtime)
    found += _compare("requirements-dev.txt", full, runtime + development)
    for name, (version, _, _) in short.items():
        if name in full and full[name][0] != version:
            found.append(f"{name} is {version} at run time and {full[name][0]} in development")
    return [f"{line}: run make lock" for line in found]


def _read(path: Path) -> dict[str, tuple[str, bool, bool]]:
    """Each pinned name with its version, whether it has a hash, and whether we asked for it."""
    pins: dict[str, tuple[str, bool, bool]] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", path.read_text()):
        if pin := _PIN.match(block):
            name = canonicalize_name(pin[1])
            pins[name] = pin[2], "--hash=sha256:" in block, _ASKED_BY_US in block
    return pins


def _compare(
    title: str, pins: dict[str, tuple[str, bool, bool]], asked: list[Requirement]
) -> list[str]:
    found = [f"{title}: {name} has no hash" for name, pin in pins.items() if not pin[1]]
    wishes: dict[str, Requirement] = {canonicalize_name(wish.name): wish for wish in asked}
    for name, wish in wishes.items():
        if name not in pins:
            found.append(f"{title} lacks {name}, which pyproject.toml asks for")
        elif not wish.specifier.contains(pins[name][0], prereleases=True):
            found.append(f"{title} has {name} {pins[name][0]}, pyproject.toml asks {wish}")
    for name, (_, _, asked_by_us) in pins.items():
        if asked_by_us and name not in wishes:
            found.append(f"{title} keeps {name}, which pyproject.toml no longer asks for")
    return found

"""SC-01, SC-04 and SC-05 as far as files can show them: pins, floors, provenance, rights."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# The first releases without a known fault that touches us (SECURITY.md).
FLOORS = {
    "authlib": (1, 6, 11),
    "flask": (3, 1, 3),
    "gunicorn": (26, 1),
    "urllib3": (2, 7, 0),
    "requests": (2, 32, 4),
}


def _pinned(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", text, re.MULTILINE))


def _workflow(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    # YAML 1.1 reads a bare `on` as a yes.
    loaded: dict[str, Any] = yaml.safe_load(text.replace("\non:", "\n'on':"))
    return loaded


def _steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_SC_01_every_package_is_pinned_with_hashes(name: str) -> None:
    """Each line that names a package names one version and at least one hash of it."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) > 20
    for line in lines:
        assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+ ", line), line
        assert "--hash=sha256:" in line, line


@pytest.mark.parametrize("package", FLOORS)
def test_SC_01_no_release_with_a_known_fault(package: str) -> None:
    """What runs is at least the first release in which the known faults are mended."""
    version = tuple(int(part) for part in re.findall(r"\d+", _pinned("requirements.txt")[package]))
    assert version >= FLOORS[package]


def test_SC_01_pins_are_audited() -> None:
    """Every pin is held against the known faults, each week and at every change of a pin."""
    workflow = _workflow(ROOT / ".github" / "workflows" / "audit.yml")
    assert "schedule" in workflow["on"]
    commands = " ".join(step.get("run", "") for step in _steps(workflow))
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert f"--require-hashes --requirement {name}" in commands


def test_SC_04_what_is_published_says_what_it_is_and_whence() -> None:
    """The published image carries an SBOM and how it was made, and is signed by its digest."""
    steps = _workflow(ROOT / ".github" / "workflows" / "image.yml")["jobs"]["publish"]["steps"]
    (push,) = (step for step in steps if "build-push-action" in step.get("uses", ""))
    assert (push["with"]["sbom"], push["with"]["provenance"]) == (True, "mode=max")
    (attest,) = (step for step in steps if "attest-build-provenance" in step.get("uses", ""))
    assert attest["with"]["subject-digest"] == "${{ steps.push.outputs.digest }}"
    assert "@$digest" in " ".join(step.get("run", "") for step in steps)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_SC_05_workflows_have_least_rights(path: Path) -> None:
    """No right by default, none to write to the repository, no action by a name that can move."""
    workflow = _workflow(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"].get("contents") == "read"
        assert "write-all" not in job["permissions"].values()
        written = {name for name, right in job["permissions"].items() if right == "write"}
        assert written <= {"id-token", "attestations"}
    for step in _steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
        assert "secrets." not in str(step)

"""What `make check` adds of its own can fail: stale lock files, and files git must not track."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIN = "flask==3.1.3 \\\n    --hash=sha256:00\n    # via portico (pyproject.toml)\n"
TOOL = "pytest==9.2.0 \\\n    --hash=sha256:00\n    # via portico (pyproject.toml)\n"
PROJECT = '[project]\ndependencies = ["flask>=3.1"]\n[project.optional-dependencies]\n'


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


locks = _load("locks")
tracked = _load("tracked")


def _project(root: Path, runtime: str, development: str, asked: str = PROJECT) -> Path:
    (root / "pyproject.toml").write_text(asked + 'dev = ["pytest>=9"]\n')
    (root / "requirements.txt").write_text(runtime)
    (root / "requirements-dev.txt").write_text(development)
    return root


def test_fresh_lock_files(tmp_path: Path) -> None:
    """Lock files that answer pyproject.toml give no finding."""
    assert locks.findings(_project(tmp_path, PIN, PIN + TOOL)) == []


@pytest.mark.parametrize(
    ("runtime", "development", "expected"),
    [
        (PIN, PIN, "requirements-dev.txt lacks pytest"),
        ("", PIN + TOOL, "requirements.txt lacks flask"),
        (PIN.replace("3.1.3", "2.9"), PIN + TOOL, "flask 2.9"),
        (PIN, PIN.replace("3.1.3", "3.1.4") + TOOL, "3.1.3 at run time and 3.1.4 in development"),
        (PIN.replace("--hash=sha256:00", ""), PIN + TOOL, "has no hash"),
        (PIN + TOOL, PIN + TOOL, "keeps pytest"),
    ],
)
def test_stale_lock_files(runtime: str, development: str, expected: str, tmp_path: Path) -> None:
    """Each way of being stale is found and names the cure."""
    found = locks.findings(_project(tmp_path, runtime, development))
    assert any(expected in line and "make lock" in line for line in found), found


@pytest.mark.parametrize(
    "path",
    [
        ".venv/bin/python",
        "webapp/__pycache__/app.cpython-311.pyc",
        "var/sessions.db",
        ".env",
        "infra/local/.state/users.json",
        "infra/terraform/terraform.tfstate",
        "tests/artefacts/home.png",
    ],
)
def test_clutter_is_found(path: str) -> None:
    """Generated files, state and secrets by their place are found."""
    assert tracked.look_at(path, b"x")


@pytest.mark.parametrize(
    "text",
    [
        "cd /ho" + "me/ann/portico",
        "see /ro" + "ot/notes",
        "path = '/Use" + "rs/Ann/x'",
        "AK" + "IA" + "Q" * 16,
        "-----BEGIN PRIVATE " + "KEY-----\n" + "A" * 64,
        "--index-" + "url https://packages.example/simple",
        "a\n<<<<" + "<<< ours\n",
        "x" * 2_000_001,
    ],
)
def test_content_is_found(text: str) -> None:
    """Paths of one machine, secrets, index addresses and the like are found in any file."""
    assert tracked.look_at("docs/page.md", text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "GET /home HTTP/1.1",
        "https://app.example/root/page",
        "AKIAIOSFODNN7EXAMPLE",
        "templates/pages/home/index.html",
        "./work/x",
    ],
)
def test_honest_content_is_not(text: str) -> None:
    """Addresses, relative paths and the documented example key are no finding."""
    assert tracked.look_at("docs/page.md", text.encode()) == []


def test_nothing_tracked_is_a_finding(tmp_path: Path) -> None:
    """A place without git is not taken for a clean one."""
    assert tracked.findings(tmp_path)

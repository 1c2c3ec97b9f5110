"""Tests whose program is missing are left out aloud, and never under CI=true."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
CASES = (
    "import pytest\n\n\n@pytest.mark.browser\ndef test_page():\n    pass\n\n\n"
    "def test_plain():\n    pass\n"
)


def _run(root: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Pytest over a small copy of the house, on a PATH with no program at all."""
    (root / "tests").mkdir()
    (root / "tests" / "__init__.py").touch()
    for name in ("conftest.py", "parts.py"):
        shutil.copy(TESTS / name, root / "tests")
    (root / "tests" / "test_cases.py").write_text(CASES)
    (root / "pytest.ini").write_text("[pytest]\nmarkers =\n  browser: x\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=root,
        env={"PATH": str(root), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_left_out_aloud(tmp_path: Path) -> None:
    """The summary counts what was left out and names the cure; the rest runs."""
    done = _run(tmp_path)
    assert done.returncode == 0
    assert "1 passed, 1 deselected" in done.stdout
    assert "LEFT OUT: 1 browser tests need chromium: install Chromium" in done.stdout


@pytest.mark.parametrize("value", ["true", "1"])
def test_nothing_left_out_in_ci(value: str, tmp_path: Path) -> None:
    """With CI=true a missing program fails the run with one sentence."""
    done = _run(tmp_path, CI=value)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nothing may be left out, yet: 1 browser tests need chromium" in done.stderr

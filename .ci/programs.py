"""Checks by programs that a machine may lack: terraform, checkov, hadolint, zizmor.

A check whose program is missing raises LeftOut; `check.py` says so, and fails with CI=true.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import tools

COMPLETE = os.environ.get("CI", "").lower() in {"true", "1"}


class LeftOut(Exception):
    """A check cannot run here; the text says what is missing and how to get it."""


def terraform(root: Path) -> list[str]:
    """`terraform fmt` and `terraform validate` over a copy; see tests/terraform/program.py."""
    if shutil.which("terraform") is None:
        raise LeftOut("needs terraform (developer.hashicorp.com/terraform/install) on PATH")
    return _said(root, [sys.executable, "-m", "tests.terraform"])


def checkov(root: Path) -> list[str]:
    """checkov over infra/terraform, with the exceptions that stand there."""
    folder = root / "infra" / "terraform"
    return _said(folder, [_tool("checkov"), "--config-file", ".checkov.yaml"])


def hadolint(root: Path) -> list[str]:
    """hadolint over every Dockerfile."""
    files = sorted((root / "infra").rglob("Dockerfile*"))
    return _said(root, [str(_tool("hadolint")), "--no-color", *map(str, files)]) if files else []


def zizmor(root: Path) -> list[str]:
    """zizmor over the workflows, without asking GitHub."""
    workflows = root / ".github" / "workflows"
    command = [str(_tool("zizmor")), "--offline", "--no-progress", "--quiet", str(workflows)]
    return _said(root, command) if workflows.is_dir() else []


def _tool(name: str) -> Path:
    if COMPLETE:
        tools.install()
    found = tools.program(name)
    if found is None:
        raise LeftOut(f"needs {name}: make tools")
    return found


def _said(folder: Path, command: Sequence[str | Path]) -> list[str]:
    """Nothing when the program is content, else what it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = done.stdout.strip().splitlines()
    return said or [f"{command[0]} failed without a word"] if done.returncode != 0 else []

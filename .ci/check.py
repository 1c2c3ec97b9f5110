"""`make check`: everything that can be known without running the program; changes nothing.

All checks run even when one fails, so that one run shows everything. The exit status is 1 when
any of them found something. A check whose program is missing is left out with a word, but never
with CI=true.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import locks
import programs
import tracked

ROOT = Path(__file__).resolve().parent.parent


def _tool(module: str, *arguments: str) -> Callable[[Path], list[str]]:
    """A check that is somebody else's program, run from this environment."""

    def run(root: Path) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = done.stdout.strip().splitlines()
        return said or [f"{module} failed without a word"] if done.returncode != 0 else []

    return run


CHECKS: tuple[tuple[str, Callable[[Path], list[str]]], ...] = (
    ("lint", _tool("ruff", "check", "--quiet", ".")),
    ("format", _tool("ruff", "format", "--check", ".")),
    ("types", _tool("mypy")),
    ("lock files", locks.findings),
    ("tracked files", tracked.findings),
    ("terraform", programs.terraform),
    ("checkov", programs.checkov),
    ("hadolint", programs.hadolint),
    ("zizmor", programs.zizmor),
)


def main() -> int:
    """Run every check and print what it found; 0 when that is nothing."""
    failed = []
    for title, check in CHECKS:
        try:
            found = check(ROOT)
        except programs.LeftOut as missing:
            if not programs.COMPLETE:
                print(f"{'left':6}  {title}: {missing}", flush=True)
                continue
            found = [f"CI=true and nothing may be left out: {missing}"]
        print(f"{'FAILED' if found else 'ok':6}  {title}", flush=True)
        for line in found:
            print(f"        {line}", flush=True)
        if found:
            failed.append(title)
    if failed:
        print(f"make check: {', '.join(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

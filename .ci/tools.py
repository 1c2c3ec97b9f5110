"""Checkers from PyPI in an environment of their own, `.venv-tools`: checkov, hadolint, zizmor.

Apart, because checkov alone brings a hundred packages (half a gigabyte) with upper bounds that
would hold back what the application uses. `make tools` installs them; with CI=true they must be
there, and `make check` installs them itself.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path(__file__).with_name("tools.txt")
VENV = ROOT / ".venv-tools"
_STAMP = VENV / ".installed"


def program(name: str) -> Path | None:
    """Path of an installed tool; None when the environment is missing or not the pinned one."""
    return VENV / "bin" / name if _is_ready() else None


def install() -> None:
    """Bring `.venv-tools` up to tools.txt. Raises CalledProcessError when pip cannot."""
    if _is_ready():
        return
    print("Installing the checkers into .venv-tools (once, a minute or two) ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    pinned = ["--only-binary", ":all:", "--require-hashes", "-r", str(REQUIREMENTS)]
    subprocess.run([*pip, "--no-input", "-qqq", *pinned], check=True)
    _STAMP.write_text(_wanted())


def _is_ready() -> bool:
    return _STAMP.is_file() and _STAMP.read_text() == _wanted()


def _wanted() -> str:
    return f"{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()} {VENV}"


if __name__ == "__main__":
    try:
        install()
    except subprocess.CalledProcessError:
        sys.exit("The checkers could not be installed (above: what pip said).")

"""What the tests need and pip cannot bring: a browser, a Redis server, Terraform.

``python -m tests.parts`` fetches what it can (Debian, as root) and says what stays missing. The
tests of a missing part are left out by ``tests/conftest.py``, out loud; with ``CI=true`` nothing
may be left out.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_APT = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}


@dataclass(frozen=True)
class Part:
    """One program outside Python, under the pytest marker of the tests that need it."""

    marker: str
    programs: tuple[str, ...]  # any one of them will do, first choice first
    debian: tuple[str, ...]  # packages of Debian that bring it; empty: only looked for
    cure: str


PARTS = (
    Part(
        "browser",
        ("chromium", "chromium-browser", "google-chrome"),
        ("chromium",),
        "install Chromium (Debian: apt-get install chromium)",
    ),
    Part(
        "redis",
        ("redis-server", "valkey-server"),
        ("redis-server",),
        "install a Redis server (Debian: apt-get install redis-server)",
    ),
    Part(
        "curl",
        ("curl",),
        ("curl",),
        "install curl (Debian: apt-get install curl)",
    ),
    Part(
        "image",
        ("buildah",),
        ("buildah", "debootstrap"),
        "install buildah and debootstrap (Debian: apt-get install buildah debootstrap) and be root",
    ),
    Part(
        "terraform",
        ("terraform",),
        (),
        "install Terraform (developer.hashicorp.com/terraform/install) and put it on PATH",
    ),
)


def program(marker: str) -> str | None:
    """Path of the program behind a marker, or None where this machine lacks it."""
    part = next(part for part in PARTS if part.marker == marker)
    return next(filter(None, map(shutil.which, part.programs)), None)


def missing() -> tuple[Part, ...]:
    """The parts that this machine lacks now."""
    return tuple(part for part in PARTS if program(part.marker) is None)


def nothing_may_be_left_out(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a run that must be complete: ``CI=true``."""
    return environ.get("CI", "").lower() in {"true", "1"}


def _can_install() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists()


def _apt_get(*arguments: str) -> bool:
    """Run apt-get, quietly unless it fails; whether it worked."""
    done = subprocess.run(
        ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", *arguments],
        env=_APT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout[-2000:], file=sys.stderr)
    return done.returncode == 0


def install(parts: tuple[Part, ...]) -> None:
    """Fetch the Debian packages of these parts; what fails is found missing afterwards."""
    packages = [package for part in parts for package in part.debian]
    if packages and _can_install():
        print(f"Installing {', '.join(packages)} with apt-get ...", flush=True)
        if not _apt_get("install", "--yes", "--no-install-recommends", *packages):
            _apt_get("update")
            _apt_get("install", "--yes", "--no-install-recommends", *packages)


def main() -> None:
    """Fetch what is missing, then say which tests will be left out, or refuse under CI."""
    install(missing())
    for part in missing():
        print(f"Missing: {part.programs[0]}. To run the {part.marker} tests, {part.cure}.")


if __name__ == "__main__":
    main()

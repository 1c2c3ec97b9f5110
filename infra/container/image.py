"""Build the image and try it, on a Debian machine as root that has no container engine.

    python -m infra.container.image              # buildah and debootstrap are needed
    python -m infra.container.image --json

No registry is asked: the base is a stand-in of Debian's own Python, made by debootstrap, so this
proves the recipe's steps, files, user and start, and not the official base image. That and what a
kernel must do (read-only root, dropped capabilities) is the pipeline's part: see image.yml.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.container.healthcheck import healthy

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("buildah", "debootstrap")
SUITE = "trixie"
BASE, IMAGE = "localhost/portico-base", "localhost/portico"
START_SECONDS = 30.0
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# What has no place in the image: tools to build or to fetch with, history and tests of ours.
UNWANTED_PROGRAMS = ("gcc", "cc", "make", "git", "curl", "wget", "pip", "pip3")
UNWANTED_OF_OURS = (".git", ".env", "tests", "requirements-dev.txt", "Makefile")
SETTINGS = {
    "APP_BASE_URL": "https://portal.example.com",
    "AWS_REGION": "us-east-1",
    "COGNITO_USER_POOL_ID": "us-east-1_AbC123",
    "COGNITO_CLIENT_ID": "1h57kf5cpq17m0eml12EXAMPLE",
    "COGNITO_IDENTITY_POOL_ID": "us-east-1:1234abcd-12ab-34cd-56ef-1234567890ab",
    "API_ENDPOINT": "https://api.example.com",
    "SESSION_STORE_URL": "sqlite:////tmp/sessions.db",
}


class ImageError(Exception):
    """The image cannot be built or does not work; the text says why."""


class BaseUnavailable(ImageError):
    """The stand-in for the base cannot be made, as where no mirror of Debian is in reach."""


@dataclass(frozen=True)
class Found:
    """What was seen of the image. `seconds` from the start to the first 200 of /healthz."""

    uid: int
    seconds: float
    unwanted: tuple[str, ...]
    writable: tuple[str, ...]
    environment: tuple[str, ...]
    megabytes: int


def missing() -> list[str]:
    """The tools that this machine lacks; `root` when it is not root's."""
    found = [tool for tool in TOOLS if shutil.which(tool) is None]
    return found + ([] if os.geteuid() == 0 else ["root"])


class Workshop:
    """A folder in which images are made; nothing of it is left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = ["--root", str(folder / "store"), "--runroot", str(folder / "run")]

    def base(self) -> None:
        """Make the stand-in for the official base image."""
        root = self._folder / "base"
        include = "python3,python3-venv,ca-certificates"
        try:
            _run(["debootstrap", "--variant=minbase", f"--include={include}", SUITE, str(root)])
        except ImageError as error:
            raise BaseUnavailable(str(error)) from error
        if AUTHORITIES.exists():  # the machine's own, for a network that has authorities of its own
            shutil.copy(AUTHORITIES, root / AUTHORITIES.relative_to("/"))
            (root / "etc/pip.conf").write_text(f"[global]\ncert = {AUTHORITIES}\n")
        container = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", container, str(root), "/")
        self.buildah("commit", "--quiet", "--format", "docker", container, BASE)
        self.buildah("rm", container)
        shutil.rmtree(root)

    def build(self, base: str) -> None:
        """Build the Dockerfile as it stands on this base."""
        self.buildah(
            *("bud", "--isolation=chroot", "--pull-never", "--format", "docker"),
            *("--build-arg", f"PYTHON_IMAGE={base}", "--tag", IMAGE),
            *("--file", "infra/container/Dockerfile", "."),
        )

    @contextmanager
    def container(self) -> Iterator[str]:
        """A container of the image, for as long as the block."""
        name = self.buildah("from", "--pull-never", IMAGE)
        try:
            yield name
        finally:
            self.buildah("rm", name)

    def ran(self, container: str, *command: str) -> str:
        """What a command says in the container, as the image's own user."""
        return self.buildah("run", "--isolation=chroot", container, "--", *command)

    def started(self, container: str, port: int) -> "subprocess.Popen[bytes]":
        """The image's command in the container, with settings that are sound and lead nowhere."""
        settings = SETTINGS | {"SECRET_KEY": os.urandom(32).hex(), "PORT": str(port)}
        given = [part for pair in settings.items() for part in ("--env", "=".join(pair))]
        command = ["run", "--isolation=chroot", *given, container, "--"]
        command += ["gunicorn", "-c", "infra/container/gunicorn.conf.py"]
        return subprocess.Popen(
            ["buildah", *self._store, *command],
            env=_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def buildah(self, *arguments: str) -> str:
        """What buildah says. Raises ImageError with its last words."""
        return _run(["buildah", *self._store, *arguments])


def looked_at(workshop: Workshop, port: int) -> Found:
    """Start the image and look into it. Raises ImageError when it does not answer."""
    with workshop.container() as container:
        listing = workshop.ran(container, "python", "-c", _LOOK)
        seen = json.loads(listing)
        began = time.monotonic()
        process = workshop.started(container, port)
        try:
            while not healthy(port):
                if process.poll() is not None or time.monotonic() - began > START_SECONDS:
                    raise ImageError("The container does not answer /healthz.")
                time.sleep(0.1)
            seconds = round(time.monotonic() - began, 1)
        finally:
            _end(process)
    return Found(
        uid=seen["uid"],
        seconds=seconds,
        unwanted=tuple(seen["unwanted"]),
        writable=tuple(seen["writable"]),
        environment=tuple(sorted(seen["environment"])),
        megabytes=seen["megabytes"],
    )


# Run inside: who one is, what lies there that should not, where one could write, how large it is.
_LOOK = f"""
import json, os
unwanted, writable, size = [], [], 0
for folder, folders, files in os.walk("/", followlinks=False):
    if folder in ("/proc", "/sys", "/dev", "/tmp", "/run", "/var/tmp"):
        folders.clear()
        continue
    names = {UNWANTED_PROGRAMS!r} if folder.endswith("bin") else ()
    names += {UNWANTED_OF_OURS!r} if folder.startswith("/srv/app") else ()
    unwanted += [os.path.join(folder, name) for name in folders + files if name in names]
    if os.access(folder, os.W_OK):
        writable.append(folder)
    size += sum(os.lstat(os.path.join(folder, name)).st_size for name in files)
print(json.dumps(dict(uid=os.getuid(), unwanted=unwanted, writable=writable,
                      environment=list(os.environ), megabytes=size >> 20)))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, look, tell; 0 when all is as it should be, 1 when not, 2 when it cannot be tried."""
    parser = argparse.ArgumentParser(prog="python -m infra.container.image")
    parser.add_argument("--json", action="store_true", help="print what was seen as JSON")
    parser.add_argument("--port", type=int, default=8765, help="a free port (8765)")
    options = parser.parse_args(arguments)
    if lacking := missing():
        print(f"The image cannot be tried here without {', '.join(lacking)}.", file=sys.stderr)
        return 2
    try:
        found = tried(options.port)
    except ImageError as error:
        print(f"The image is not right: {error}", file=sys.stderr)
        return 1
    print(json.dumps(asdict(found)) if options.json else _text(found))
    return 0 if found.uid and not found.unwanted and not found.writable else 1


def tried(port: int) -> Found:
    """Build the base and the image in a folder of their own, and look. Raises ImageError."""
    with tempfile.TemporaryDirectory(prefix="portico-image-") as folder:
        workshop = Workshop(Path(folder))
        workshop.base()
        workshop.build(BASE)
        return looked_at(workshop, port)


def _text(found: Found) -> str:
    rows = {
        "user id": found.uid,
        "first 200 after": f"{found.seconds} s",
        "unwanted files": ", ".join(found.unwanted) or "none",
        "writable folders": ", ".join(found.writable) or "none",
        "size with the stand-in base": f"{found.megabytes} MB",
    }
    return "\n".join(f"{name:<28} {value}" for name, value in rows.items())


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise ImageError("\n".join([f"{command[0]} failed:", *words]))
    return done.stdout.strip()


def _environment() -> dict[str, str]:
    # Storage without the kernel's help; nothing of this shell's settings gets into the image.
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "STORAGE_DRIVER": "vfs", "LC_ALL": "C.UTF-8"}


def _end(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, 15)
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()


if __name__ == "__main__":
    sys.exit(main())

"""Base and image made by buildah and debootstrap, in a folder of their own."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("buildah", "debootstrap")
SUITE = "trixie"
DIGEST = "{{.FromImageDigest}}"
BASE, IMAGE = "localhost/portico-base", "localhost/portico"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
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

    def build(self, base: str) -> str:
        """Build the Dockerfile as it stands on this base; the digest of what came out."""
        self.buildah(
            # As OCI, for buildah writes a name at random into Docker's form. No layer of an earlier
            # build, and no time of this one: see image.yml.
            *("bud", "--isolation=chroot", "--pull-never", "--format", "oci"),
            *("--no-cache", "--timestamp", "0", "--build-arg", "SOURCE_DATE_EPOCH=0"),
            *("--build-arg", f"PYTHON_IMAGE={base}", "--tag", IMAGE),
            *("--file", "infra/container/Dockerfile", "."),
        )
        return self.buildah("inspect", "--type", "image", "--format", DIGEST, IMAGE)

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


def ended(process: "subprocess.Popen[bytes]") -> None:
    """End what `started` gave, and all that it started."""
    os.killpg(process.pid, 15)
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()


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

"""The launcher's folder of state: kept between starts when asked for, thrown away otherwise."""

import contextlib
import fcntl
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.local.state import write_private

_SECRET_KEY = "secret-key"  # a file's name


class StateUnusableError(RuntimeError):
    """A kept state cannot serve this start; the text says why and what to do."""


@contextlib.contextmanager
def open_folder(kept: Path | None) -> Iterator[Path]:
    """Give the kept folder, locked against a second launcher, or a temporary one."""
    if kept is None:
        folder = Path(tempfile.mkdtemp(prefix="portico-offline-aws-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (kept / "lock").open("w")
    except OSError as error:
        raise StateUnusableError(f"The folder {kept} cannot be used: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateUnusableError(
                f"Another offline AWS already uses the state in {kept}: stop it, or name another "
                "folder with --keep-state."
            ) from error
        yield kept


def secret_key(folder: Path) -> str:
    """Return the application's SECRET_KEY, made at the first start of this folder."""
    path = folder / _SECRET_KEY
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text(encoding="utf-8")

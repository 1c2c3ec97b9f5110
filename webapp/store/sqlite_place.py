"""Where the embedded store's file lies: told apart, locked, and exchanged for a new one.

Every process of the machine may do this; it happens under a lock on a small file beside it.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from webapp.errors import StoreUnavailable

LOCK_SECONDS = 1.0
KEPT = 3
"""So many files that were moved aside stay, for a look at what happened."""
MODE = 0o600

_SUFFIXES = ("", "-wal", "-shm")  # of SQLite's own naming

Node = tuple[int, int] | None
"""A file by device and inode, whatever its name; None where there is none."""


class Place:
    """The path of the store's file. Raises StoreUnavailable where the folder cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def node(self) -> Node:
        """The file that is there now."""
        return _node(self.path)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The file, its log and its log's index. While anybody has it open none of them changes."""
        return tuple(_node(self._beside(suffix)) for suffix in _SUFFIXES)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other thread or process is in such a block at the same time."""
        with self._translated():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._beside(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    @property
    def was_used(self) -> bool:
        """Whether there was a file before; only when `alone`."""
        return self._beside(".lock").stat().st_size > 0

    def note_use(self) -> None:
        """Remember that there is a file; only when `alone`."""
        if not self.was_used:
            self._beside(".lock").write_bytes(b"used\n")

    def check_rights(self) -> None:
        """Raise StoreUnavailable if it is no file, or one that may not be written."""
        if self.path.is_dir():
            raise self._closed_to_us("IsADirectoryError")
        if not os.access(self.path, os.R_OK | os.W_OK):
            raise self._closed_to_us("PermissionError")

    def renew(self, furnish: Callable[[sqlite3.Connection], None]) -> None:
        """Move aside what is there, and put a new file that `furnish` filled; only when `alone`."""
        fresh = self._beside(".new")
        with self._translated():
            self._move_aside()
            for suffix in _SUFFIXES:
                Path(f"{fresh}{suffix}").unlink(missing_ok=True)
            os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, MODE))
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                furnish(connection)
            fresh.rename(self.path)

    def _move_aside(self) -> None:
        now = time.time_ns()
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 10**9))
        aside = self._beside(f".damaged-{stamp}-{now % 10**9:09}")
        # The file first: SQLite then sees that it moved, and clears up nothing under its old name.
        for suffix in _SUFFIXES:
            with suppress(FileNotFoundError):
                self._beside(suffix).rename(f"{aside}{suffix}")
        kept = sorted(self.path.parent.glob(f"{self.path.name}.damaged-*"))
        stamps = sorted({str(one).removesuffix("-wal").removesuffix("-shm") for one in kept})
        for old in stamps[:-KEPT]:
            for suffix in _SUFFIXES:
                Path(f"{old}{suffix}").unlink(missing_ok=True)

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    @staticmethod
    def _lock(descriptor: int) -> None:
        end = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise StoreUnavailable(
                        "The session store does not answer.", reason="file_locked"
                    ) from None
            time.sleep(0.005)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._closed_to_us(type(error).__name__) from error
        except sqlite3.Error as error:
            raise self._closed_to_us(error.sqlite_errorname) from error

    def _closed_to_us(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"The session file {self.path} cannot be opened for writing; check"
            " SESSION_STORE_URL and the owner of that folder.",
            reason=reason,
        )


def is_elsewhere(node: Node) -> bool:
    """Whether a file that this process has open still has a name, so that it may come back."""
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):
            found = os.stat(f"/dev/fd/{name}")
            if (found.st_dev, found.st_ino) == node:
                return found.st_nlink > 0
    return False


def _node(path: Path) -> Node:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino

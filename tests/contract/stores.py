"""The stores that must all pass the contract, each with what it needs to be opened.

Another back end joins by one more entry in `STORES`; where it talks to a server that the machine
may lack, its entry carries the marker of that part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from webapp.store.base import Store
from webapp.store.sqlite import SqliteStore


@dataclass(frozen=True)
class Backend:
    """How a back end is opened, again and again at the same place: a second host."""

    name: str
    open: Callable[[Path], Store]
    break_it: Callable[[Path], object]
    """Makes the place unusable beneath an open store."""


def _break_sqlite(folder: Path) -> None:
    (folder / "sessions.db").write_bytes(b"this is no database, and long enough to show it" * 100)
    for name in ("sessions.db-wal", "sessions.db-shm"):
        (folder / name).unlink(missing_ok=True)


SQLITE = Backend("sqlite", lambda folder: SqliteStore(folder / "sessions.db"), _break_sqlite)

STORES = [pytest.param(SQLITE, id=SQLITE.name)]

"""The stores that must all pass the contract, each with what it needs to be opened.

Another back end joins by one more entry in `STORES`, which names the fixture that makes it; where
it talks to a server that the machine may lack, its entry carries the marker of that part.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from webapp.store.base import Store
from webapp.store.sqlite import SqliteStore

NOW = 1_800_000_000.5
LATER = 1_800_001_000
KEY, OTHER = b"k" * 32, b"o" * 32
ANN, BEN = b"a" * 32, b"b" * 32


@dataclass(frozen=True)
class Backend:
    """How a back end is opened, again and again at the same place: a second host."""

    name: str
    open: Callable[[Path], Store]
    break_it: Callable[[Path], object]
    """Makes the place unusable beneath an open store."""
    purges: bool = True
    """Whether ended rows stay until they are purged, and do not go by themselves."""

    def purged(self, rows: int) -> int:
        """How many of so many ended rows `purge` finds to remove."""
        return rows if self.purges else 0


def _break_sqlite(folder: Path) -> None:
    """Take the tables away; a file that is damaged or gone would be exchanged for a new one."""
    with closing(sqlite3.connect(folder / "sessions.db")) as connection:
        for table in ("sessions", "claims"):
            connection.execute(f"ALTER TABLE {table} RENAME TO hidden_{table}")


SQLITE = Backend("sqlite", lambda folder: SqliteStore(folder / "sessions.db"), _break_sqlite)

STORES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("redis", id="redis", marks=pytest.mark.redis),
    pytest.param("redis_cluster", id="redis-cluster", marks=pytest.mark.redis),
    pytest.param("dynamodb_backend", id="dynamodb", marks=pytest.mark.stack),
]


def put(
    store: Store,
    key: bytes = KEY,
    sealed: bytes = b"one",
    *,
    expires_at: int = LATER,
    person: bytes | None = ANN,
) -> bool:
    """Create a record at NOW."""
    return store.create(key, sealed, expires_at=expires_at, person=person, now=NOW)


def keys_of(store: Store, person: bytes, *, now: float) -> list[bytes]:
    """The keys of a person's living records."""
    return [one.key for one in store.listed(person, now=now)]


def operations(store: Store) -> list[Callable[[], object]]:
    """Every operation that needs a store that works."""
    return [
        partial(store.load, KEY, now=NOW),
        partial(put, store),
        partial(store.replace, KEY, b"two", version=1, expires_at=LATER),
        partial(store.delete, KEY, until=LATER),
        partial(store.claim, b"name", b"me", now=NOW, seconds=6),
        partial(store.release, b"name", b"me"),
        partial(store.listed, ANN, now=NOW),
        store.ping,
    ]

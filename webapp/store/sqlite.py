"""The embedded store: one SQLite file in WAL mode, for one machine with any number of workers."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from webapp.breaker import Breaker, Refused
from webapp.errors import StoreUnavailable
from webapp.store.base import Listed, Stored
from webapp.store.sqlite_file import Report, SqliteFile, unreported

P = ParamSpec("P")
R = TypeVar("R")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    key BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    sealed BLOB,                 -- NULL is a tombstone
    person BLOB,
    expires_at INTEGER NOT NULL,
    label BLOB NOT NULL DEFAULT x''
);
CREATE INDEX IF NOT EXISTS sessions_by_person ON sessions (person) WHERE person IS NOT NULL;
CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (expires_at);
CREATE TABLE IF NOT EXISTS claims (
    name BLOB PRIMARY KEY,
    owner BLOB NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_by_end ON claims (expires_at);
"""

PAGES_A_ROW = 3
CHECKPOINT_BATCHES = 10
LOG_BYTES = 16 * 2**20
"""What a large purge leaves of SQLite's log."""
SPARE_PAGES = 256
"""So many free pages (1 MiB) stay for the next rows: giving back and taking again is work."""


class SqliteStore:
    """Sessions in one file. Safe over threads and forks: each thread of each process connects.

    `report` is told a code and a sentence when the file was damaged, lost or exchanged. `writers`
    stands before whoever writes: readers never wait for a lock that somebody holds.
    """

    def __init__(
        self, path: Path, *, report: Report = unreported, writers: Breaker | None = None
    ) -> None:
        self._batches = 0
        self._writers = writers or Breaker()
        self._file = SqliteFile(path, _furnish, report=report)

    def load(self, key: bytes, *, now: float) -> Stored | None:
        """See Store."""
        with self._file.asked() as connection:
            row = connection.execute(
                "SELECT sealed, version, expires_at FROM sessions"
                " WHERE key = ? AND expires_at > ? AND sealed IS NOT NULL",
                (key, now),
            ).fetchone()
        return Stored(*row) if row else None

    def create(
        self,
        key: bytes,
        sealed: bytes,
        *,
        expires_at: int,
        person: bytes | None,
        now: float,
        label: bytes = b"",
    ) -> bool:
        """See Store."""
        del now  # an ended row keeps its key until purged: ids are random, a clash is an attack
        return self._changed(
            "INSERT INTO sessions (key, version, sealed, person, expires_at, label)"
            " VALUES (?, 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (key, sealed, person, expires_at, label),
        )

    def replace(
        self, key: bytes, sealed: bytes, *, version: int, expires_at: int, label: bytes = b""
    ) -> bool:
        """See Store."""
        return self._changed(
            "UPDATE sessions SET sealed = ?, version = version + 1, expires_at = ?, label = ?"
            " WHERE key = ? AND version = ? AND sealed IS NOT NULL",
            (sealed, expires_at, label, key, version),
        )

    def delete(self, key: bytes, *, until: int) -> Stored | None:
        """See Store."""
        return self._write(self._deleted, key, until)

    def _deleted(self, key: bytes, until: int) -> Stored | None:
        with self._file.asked() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                row = connection.execute(
                    "SELECT sealed, version, expires_at FROM sessions"
                    " WHERE key = ? AND sealed IS NOT NULL",
                    (key,),
                ).fetchone()
                connection.execute(
                    "UPDATE sessions SET sealed = NULL, person = NULL, label = x'',"
                    " version = version + 1, expires_at = max(expires_at, ?) WHERE key = ?",
                    (until, key),
                )
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise
        return Stored(*row) if row else None

    def claim(self, name: bytes, owner: bytes, *, now: float, seconds: float) -> bool:
        """See Store."""
        return self._changed(
            "INSERT INTO claims (name, owner, expires_at) VALUES (?1, ?2, ?3)"
            " ON CONFLICT DO UPDATE SET owner = ?2, expires_at = ?3"
            " WHERE owner = ?2 OR expires_at <= ?4",
            (name, owner, now + seconds, now),
        )

    def release(self, name: bytes, owner: bytes) -> None:
        """See Store."""
        self._changed("DELETE FROM claims WHERE name = ? AND owner = ?", (name, owner))

    def listed(self, person: bytes, *, now: float) -> list[Listed]:
        """See Store."""
        with self._file.asked() as connection:
            rows = connection.execute(
                "SELECT key, label, expires_at FROM sessions"
                " WHERE person = ? AND expires_at > ? AND sealed IS NOT NULL",
                (person, now),
            ).fetchall()
        return [Listed(*row) for row in rows]

    def purge(self, *, now: float, limit: int) -> int:
        """See Store."""
        with self._file.asked() as connection:
            connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES:d}")
            gone = connection.execute(
                "DELETE FROM sessions WHERE rowid IN"
                " (SELECT rowid FROM sessions WHERE expires_at <= ? LIMIT ?)",
                (now, limit),
            ).rowcount
            gone += connection.execute(
                "DELETE FROM claims WHERE name IN"
                " (SELECT name FROM claims WHERE expires_at <= ? LIMIT ?)",
                (now, limit - gone),
            ).rowcount
            given = _give_back(connection, PAGES_A_ROW * limit)
            self._batches += gone > 0 or given
            if self._batches >= CHECKPOINT_BATCHES:
                # Else a request that writes would be the one to wait for the disk.
                self._batches = 0
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return gone

    def ping(self) -> None:
        """See Store."""
        with self._file.asked() as connection:
            connection.execute("SELECT 1 FROM sessions LIMIT 1").fetchone()
        if self._writers.open:  # it answers, and takes nothing
            self._changed("DELETE FROM claims WHERE name = ? AND owner = ?", (b"", b""))

    def _changed(self, statement: str, values: tuple[object, ...]) -> bool:
        return self._write(self._executed, statement, values)

    def _executed(self, statement: str, values: tuple[object, ...]) -> bool:
        with self._file.asked() as connection:
            return connection.execute(statement, values).rowcount == 1

    def _write(self, change: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return self._writers.run(change, *args, **kwargs)
        except Refused as refused:
            raise StoreUnavailable(
                "The session store takes no write just now.",
                reason=refused.reason,
                retry_after=refused.retry_after,
            ) from None


def locked(error: Exception, seconds: float) -> bool | None:
    """What a failed write says, for a Breaker: whether somebody does not let go of the file."""
    del seconds
    busy = isinstance(error, StoreUnavailable) and error.facts.get("reason") == "SQLITE_BUSY"
    return True if busy else None


def _furnish(connection: sqlite3.Connection) -> None:
    """Make what lacks."""
    # First, for it holds only in a file without tables: what is removed can be given back to the
    # disk. A file of an earlier release keeps its size and uses its free pages again.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    # WAL: readers never wait for the one writer, so a page costs no lock.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(_SCHEMA)
    columns = connection.execute("PRAGMA table_info(sessions)").fetchall()
    if all(name != "label" for _, name, *_ in columns):  # a file of an earlier release
        connection.execute("ALTER TABLE sessions ADD COLUMN label BLOB NOT NULL DEFAULT x''")


def _give_back(connection: sqlite3.Connection, most: int) -> bool:
    """Shrink the file by up to so many of its free pages; whether there were any to spare."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if free <= SPARE_PAGES:
        return False
    pages = min(free - SPARE_PAGES, most)
    # As a script: run as a statement it stops after its first page.
    connection.executescript(f"PRAGMA incremental_vacuum({pages:d})")
    return True

"""The embedded store: one SQLite file in WAL mode, for one machine with any number of workers."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webapp.errors import StoreUnavailable
from webapp.store.base import Listed, Stored

BUSY_SECONDS = 1.0

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


class SqliteStore:
    """Sessions in one file. Safe over threads and forks: each thread of each process connects."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        with _translated(), self._fresh() as connection:
            # WAL: readers never wait for the one writer, so a page costs no lock.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
            columns = connection.execute("PRAGMA table_info(sessions)").fetchall()
            if all(name != "label" for _, name, *_ in columns):  # a file of an earlier release
                connection.execute(
                    "ALTER TABLE sessions ADD COLUMN label BLOB NOT NULL DEFAULT x''"
                )

    def load(self, key: bytes, *, now: float) -> Stored | None:
        """See Store."""
        with _translated():
            row = self._connection.execute(
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
        with _translated():
            connection = self._connection
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
        with _translated():
            rows = self._connection.execute(
                "SELECT key, label, expires_at FROM sessions"
                " WHERE person = ? AND expires_at > ? AND sealed IS NOT NULL",
                (person, now),
            ).fetchall()
        return [Listed(*row) for row in rows]

    def purge(self, *, now: float, limit: int) -> int:
        """See Store."""
        with _translated():
            connection = self._connection
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
        return gone

    def ping(self) -> None:
        """See Store."""
        with _translated():
            self._connection.execute("SELECT 1 FROM sessions LIMIT 1").fetchone()

    def _changed(self, statement: str, values: tuple[object, ...]) -> bool:
        with _translated():
            return self._connection.execute(statement, values).rowcount == 1

    @property
    def _connection(self) -> sqlite3.Connection:
        # A connection must not cross a fork; the process id tells.
        held = getattr(self._local, "held", None)
        if held is not None and held[0] == os.getpid():
            return held[1]  # type: ignore[no-any-return]
        connection = self._connect()
        self._local.held = (os.getpid(), connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
        # NORMAL in WAL keeps the file whole over a crash; only power loss may lose the last write.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    @contextmanager
    def _fresh(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            os.close(descriptor)
        except OSError as error:
            raise StoreUnavailable(
                f"The session file {self._path} cannot be opened for writing; check"
                " SESSION_STORE_URL and the owner of that folder.",
                reason=type(error).__name__,
            ) from error
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(
            "The session store does not answer.", reason=type(error).__name__
        ) from error

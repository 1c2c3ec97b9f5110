"""Connections to the embedded store's file, which is watched, and exchanged where it is damaged.

Damage or deletion costs the sessions that were in the file: it is moved aside, an empty one takes
its place, and the operator is told. Nothing is salvaged, for what the file lost may be the
tombstones of sessions that people had ended. Whoever finds the damage exchanges the file, unless
another process has; all others see within a second that it is another one.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from webapp.deadlines import STORE_SECONDS
from webapp.errors import StoreUnavailable
from webapp.store.mounts import network_kind
from webapp.store.sqlite_place import Node, Place, is_elsewhere

WATCH_SECONDS = 1.0
"""How long a thread may go on in a file that is no longer the one at the path."""

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL)

Report = Callable[[str, str], object]


def unreported(code: str, sentence: str) -> None:
    """A `report` that nobody reads."""


class _Damaged(Exception):
    """What lies at the path is no database of ours, or no whole one."""


@dataclass(slots=True)
class _Held:
    pid: int
    connection: sqlite3.Connection
    nodes: tuple[Node, ...]
    looked_at: float


class SqliteFile:
    """One file; each thread of each process has a connection of its own.

    `furnish` makes tables where they lack. `report` is told a code and a sentence about a file
    that was damaged, lost or exchanged. `clock` is monotonic, `network` tells a file system that is
    not this machine's. Everything raises StoreUnavailable.
    """

    def __init__(
        self,
        path: Path,
        furnish: Callable[[sqlite3.Connection], None],
        *,
        report: Report = unreported,
        clock: Callable[[], float] = time.monotonic,
        network: Callable[[Path], str | None] = network_kind,
    ) -> None:
        self._place = Place(path)
        self._furnish = furnish
        self._report = report
        self._clock = clock
        self._local = threading.local()
        self._known: Node = None
        if kind := network(path):
            raise StoreUnavailable(
                f"The session file {path} is on a network file system ({kind}), where SQLite loses"
                " data; let SESSION_STORE_URL name a local disk, Redis or DynamoDB.",
                reason="network_file_system",
            )
        if self._place.node:
            self._place.check_rights()
        self._open()
        self._hang_up()  # the process may be about to fork

    @contextmanager
    def asked(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection; what goes wrong on it is translated, and damage mended."""
        held = self._current()
        try:
            yield held.connection
        except sqlite3.Error as error:
            if _is_damage(error, held.connection):
                self._hang_up()
                with self._place.alone():
                    if self._place.node == held.nodes[0]:
                        self._exchange("store_damaged", "was damaged")
            elif _kind(error) not in _PASSING:
                held.looked_at = float("-inf")  # look at the file before anything else
            raise _silent(error) from error

    def _current(self) -> _Held:
        held: _Held | None = getattr(self._local, "held", None)
        # A connection must not cross a fork; the process id tells.
        if held is None or held.pid != os.getpid():
            return self._open()
        now = self._clock()
        if now - held.looked_at >= WATCH_SECONDS:
            found = self._place.nodes
            if found != held.nodes:
                return self._follow(held, found[0])
            held.looked_at = now
        return held

    def _follow(self, held: _Held, found: Node) -> _Held:
        """Leave a connection whose file is not at the path any more, or not all of it."""
        was = held.nodes[0]
        if found is None:
            self._await(was)
        self._hang_up()
        if found in (None, was):
            with self._place.alone():
                if self._place.node in (None, was):
                    self._exchange("store_file_lost", "or what SQLite keeps beside it was deleted")
        return self._open()

    def _open(self) -> _Held:
        # Alone: nobody may exchange the file between its opening and that of its log.
        with self._place.alone():
            if self._place.node is None:
                self._await(self._known)
                if self._known or self._place.was_used:
                    self._exchange("store_file_lost", "was deleted")
                else:
                    self._place.renew(self._furnish)
            try:
                held = self._entered()
            except _Damaged:
                self._exchange("store_damaged", "was damaged")
                held = self._entered()
            if self._known not in (None, held.nodes[0]):
                self._report("store_file_changed", f"{self._place.path} is another file now.")
            self._known = held.nodes[0]
            self._place.note_use()
        self._local.held = held
        return held

    def _entered(self) -> _Held:
        address = f"{self._place.path.as_uri()}?mode=rw"  # never makes a file
        try:
            connection = sqlite3.connect(
                address, uri=True, timeout=STORE_SECONDS, isolation_level=None
            )
        except sqlite3.Error as error:
            raise _silent(error) from error
        try:
            self._prepare(connection)
        except BaseException as error:
            damaged = isinstance(error, sqlite3.Error) and _is_damage(error, connection)
            connection.close()
            if damaged:
                raise _Damaged from error
            if isinstance(error, sqlite3.Error):
                raise _silent(error) from error
            raise
        return _Held(os.getpid(), connection, self._place.nodes, self._clock())

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # NORMAL in WAL keeps the file whole over a crash; only power loss may lose the last write.
        connection.execute("PRAGMA synchronous = NORMAL")
        if self._place.node != self._known:
            if self._place.was_used and _is_empty(connection):
                raise _Damaged
            self._furnish(connection)
        connection.execute("SELECT 1 FROM sessions LIMIT 1").fetchone()  # opens the log too

    def _await(self, node: Node) -> None:
        """Raise while the file is only somewhere else: whoever moved it may bring it back."""
        if is_elsewhere(node):
            raise StoreUnavailable(
                "The session store does not answer.",
                reason="file_moved_away",
                cure="put the file back, or restart to begin with an empty one",
            )

    def _exchange(self, code: str, what: str) -> None:
        self._place.renew(self._furnish)
        self._known = self._place.node
        self._report(
            code,
            f"The session file {self._place.path} {what}; it was moved aside, and everybody has to"
            " sign in again.",
        )

    def _hang_up(self) -> None:
        held: _Held | None = getattr(self._local, "held", None)
        self._local.held = None
        if held is not None and held.pid == os.getpid():
            with suppress(sqlite3.Error):
                held.connection.close()


def _kind(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_damage(error: sqlite3.Error, connection: sqlite3.Connection) -> bool:
    """Whether waiting will not help: not a database, not a whole one, or an empty one."""
    if _kind(error) in _DAMAGE:
        return True
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHORT_READ:
        return True  # a log that was cut
    return _kind(error) == sqlite3.SQLITE_ERROR and _is_empty(connection)


def _is_empty(connection: sqlite3.Connection) -> bool:
    with suppress(sqlite3.Error):
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return bool(tables == 0)
    return False


def _silent(error: sqlite3.Error) -> StoreUnavailable:
    reason = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreUnavailable("The session store does not answer.", reason=reason)

"""Sign-outs that the store could not keep: refused meanwhile by every process of this host.

They stand in a small file of the host, one entry of a fixed size after the other, that all workers
look at; it is there again after a crash. It holds no secret in the clear: places are keyed hashes,
a ticket is sealed. Where no file can be had, a process remembers what it was told itself.
"""

import fcntl
import os
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from webapp.keyring import NONCE_BYTES

TOLD_BYTES = 16
TICKET_BYTES = NONCE_BYTES + 44 + 16
_ENTRY = struct.Struct(f">BBQQ32s32s{TOLD_BYTES}s{TICKET_BYTES}s")
_FORMAT = 1
_OVER = 255
MOST = 10_000
LOCK_SECONDS = 0.5
REST_SECONDS = 2.0
"""A file is taken away only so long after its last change: a new one is never taken for it."""
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Refusal:
    """A session that is over although the store still has it. Times are epoch seconds.

    `place` is its key in the store, `person` its person's there, `told` names the refresh token
    that the provider was told of, and `ticket` is sealed for this place. `depth` is a small number.
    """

    place: bytes
    begun: int
    until: int
    depth: int
    person: bytes = bytes(32)
    told: bytes = bytes(TOLD_BYTES)
    ticket: bytes = field(default=bytes(TICKET_BYTES), repr=False)


class Refusals:
    """The refused places of one host. `paths`: written is the first, read are all.

    `now` gives epoch seconds; `report` is told why there is no file to write to, once.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        now: Callable[[], float] = time.time,
        report: Callable[[str], object] = lambda why: None,
    ) -> None:
        self._paths = [str(path) for path in paths]
        self._now = now
        self._report = report
        self._own: dict[bytes, Refusal] = {}
        self._read: dict[str, tuple[tuple[int, ...], dict[bytes, Refusal]]] = {}
        self._lock = threading.Lock()
        self._told = False

    def refuses(self, places: Callable[[], Iterable[bytes]]) -> bool:
        """Whether one of these places is refused; they are not asked for when there is nothing."""
        known = self._known()
        if not known:
            return False
        found = (known.get(place) for place in places())
        return any(one is not None and one.until > self._now() for one in found)

    def add(self, refusals: Sequence[Refusal]) -> None:
        """Refuse these from now on, on the whole host if that can be."""
        if not self._append([_packed(one) for one in refusals]):
            with self._lock:
                room = MOST - len(self._own)
                self._own.update({one.place: one for one in refusals[: max(0, room)]})

    def over(self, place: bytes) -> None:
        """The store has ended it: nothing is left to refuse."""
        self._known()
        with self._lock:
            self._own.pop(place, None)
        if any(place in known for _, known in self._read.values()):
            self._append([_packed(Refusal(place, 0, 0, _OVER))])

    def waiting(self) -> list[Refusal]:
        """What the store must still be told."""
        now = self._now()
        waiting = [one for one in self._known().values() if one.until > now]
        if not waiting:
            self._tidy()
        return waiting

    def _known(self) -> dict[bytes, Refusal]:
        """Everything that is refused; costs one look at the file's facts while it is unchanged."""
        known = self._own
        for path in self._paths:
            try:
                facts = os.lstat(path)
            except OSError:
                self._read.pop(path, None)
                continue
            mark = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
            read = self._read.get(path)
            if read is None or read[0] != mark:
                read = self._read[path] = (mark, _content(path))
            known = {**known, **read[1]} if known else read[1]
        return known

    def _append(self, entries: list[bytes]) -> bool:
        if not self._paths:
            return False
        try:
            with _locked(self._paths[0]) as descriptor:
                size = os.fstat(descriptor).st_size
                whole = size - size % _ENTRY.size
                if whole != size:  # somebody died while writing
                    os.ftruncate(descriptor, whole)
                data = b"".join(entries)
                if whole + len(data) > MOST * _ENTRY.size or os.write(descriptor, data) < len(data):
                    os.ftruncate(descriptor, whole)
                    raise OSError("full")
                os.fsync(descriptor)
        except OSError as error:
            if not self._told:
                self._told = True
                self._report(type(error).__name__)
            return False
        return True

    def _tidy(self) -> None:
        for path in list(self._read):
            with suppress(OSError), _locked(path, create=False) as descriptor:
                age = time.time() - os.fstat(descriptor).st_mtime
                if age >= REST_SECONDS and not _living(_content(path), self._now()):
                    os.unlink(path)


@contextmanager
def _locked(path: str, *, create: bool = True) -> Iterator[int]:
    """The file, ours and locked. Raises OSError where it cannot be had, or is not of our making."""
    until = time.monotonic() + LOCK_SECONDS
    while True:
        descriptor = os.open(path, _FLAGS | (os.O_CREAT if create else 0), 0o600)
        try:
            _ours(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # While we waited it may have been taken away, and a new one stand in its place.
            if os.fstat(descriptor).st_ino == _inode(path):
                yield descriptor
                return
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.005)
        finally:
            os.close(descriptor)


def _inode(path: str) -> int:
    try:
        return os.lstat(path).st_ino
    except FileNotFoundError:
        return -1


def _ours(descriptor: int) -> None:
    facts = os.fstat(descriptor)
    regular = stat.S_ISREG(facts.st_mode) and facts.st_nlink <= 1
    if not regular or facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
        raise PermissionError("not a file of ours")


def _content(path: str) -> dict[bytes, Refusal]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return {}
    try:
        _ours(descriptor)
        data = os.read(descriptor, MOST * _ENTRY.size)
    except OSError:
        return {}
    finally:
        os.close(descriptor)
    known: dict[bytes, Refusal] = {}
    for values in _ENTRY.iter_unpack(data[: len(data) - len(data) % _ENTRY.size]):
        form, depth, begun, until, place, person, told, ticket = values
        if form == _FORMAT and depth != _OVER:
            known[place] = Refusal(place, begun, until, depth, person, told, ticket)
        else:
            known.pop(place, None)
    return known


def _living(known: dict[bytes, Refusal], now: float) -> bool:
    return any(one.until > now for one in known.values())


def _packed(one: Refusal) -> bytes:
    return _ENTRY.pack(
        _FORMAT, one.depth, one.begun, one.until, one.place, one.person, one.told, one.ticket
    )

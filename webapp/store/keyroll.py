"""Whether all hosts over one store agree about their keys, told before anybody is signed out by it.

A host with another SECRET_KEY reads none of the others' tickets: people would be signed out at each
turn of the balancer. So every process leaves a word in the store that the key it writes with is in
use, a keyed hash that gives nothing away, and looks for words of keys that it does not have. Of two
keys that are strangers to each other the younger gives way: its processes refuse to serve.

A word alone proves nothing, since a process that was killed or started anew leaves one behind. Only
one that this process has seen come or be renewed is believed. Until then it serves who comes, but
does not say that it is ready.
"""

import hashlib
import os
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from webapp.errors import KeysDiffer, StoreUnavailable
from webapp.keyring import Keyring
from webapp.store.base import Store

RENEW_SECONDS = 3.0
LIFE_SECONDS = 12
"""Four renewals: some may fail."""
TELL_SECONDS, LOOK_AGAIN_SECONDS = 2.4, 1.0
LEAVE_SECONDS = 1.0
STRANGER_SECONDS = 0.5
"""For a ticket that no key of ours made: its host may have started just now."""
UNDECIDED_SECONDS = 4.5
"""Longer than one renewal: by then a word that lay there was renewed, or is a dead process's."""
_WORD = struct.Struct(">16sBQ?")


@dataclass(frozen=True, slots=True)
class Strangers:
    """The keys in use that this process does not have, and whether one of them was here before.

    `marks` are those of keys with which somebody serves.
    """

    marks: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()
    older: bool = False


class KeyWatch:
    """Watches the keys of one application: `scope` tells it from another over the same store.

    `now` gives epoch seconds, `clock` is monotonic. `report` is told when what is found changes.
    """

    def __init__(
        self,
        store: Store,
        ring: Keyring,
        *,
        scope: str,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        report: Callable[[Strangers], object] = lambda strangers: None,
    ) -> None:
        self._store = store
        self._ring = ring
        self._list = hashlib.sha256(b"portico/keys/" + scope.encode()).digest()
        self._now = now
        self._clock = clock
        self._report = report
        self._lock = threading.Lock()
        self._word: tuple[int, bytes, int] = (0, b"", 0)  # process, key in the store, version
        self._since: int | None = None
        self._told_at = 0.0
        self._gone = False
        self._ends: dict[bytes, int] | None = None
        """When each word ended that lay there at our first look."""
        self._decided_at = float("inf")
        self._doubts = False
        self._found = Strangers()
        self._tried_in = self._looked_in = 0
        self._tried_at = float("-inf")

    def look(self) -> None:
        """Say that our key is in use, and see which others are. Raises StoreUnavailable."""
        with self._lock:
            self._tried_at, self._tried_in = self._clock(), os.getpid()
            if self._since is None:
                self._since = int(self._now() * 1000)
            # abs: a clock that was put back must not make the others forget us.
            aged = abs(self._now() - self._told_at) >= TELL_SECONDS
            if aged or self._word[0] != os.getpid():
                self._tell(self._found.older)
            found, since = self._see()
            # Our key is older than this process, or we begin or cease to give way.
            if since < self._since or found.older != self._found.older:
                self._since = since
                self._tell(found.older)
            before, self._found = self._found, found
            self._looked_in = os.getpid()
        if (before.names, before.older) != (found.names, found.older):
            self._report(found)

    def leave(self) -> None:
        """Take our word back, when the process ends: nobody need wonder whose it was."""
        self._gone = True
        process, place, _ = self._word
        if process == os.getpid() and self._lock.acquire(timeout=LEAVE_SECONDS):
            with suppress(StoreUnavailable):
                self._store.delete(place, until=int(self._now()))
            self._lock.release()

    def check(self) -> None:
        """Raise KeysDiffer in a process that must not serve. Only its first look asks the store."""
        if self._looked_in != os.getpid():
            self._look_if_due()
        if self._found.older:
            raise KeysDiffer(
                "This server was started with another key than the others and serves nobody;"
                " give it the SECRET_KEY and SECRET_KEY_FALLBACKS of the others."
            )

    def probe(self) -> None:
        """As `check`, after a new look, and also while it is not known whether others are there.

        A store that is away is not its affair.
        """
        self._look_if_due()
        self.check()
        if self._doubts and self._clock() < self._decided_at:
            raise KeysDiffer("Words of another key lie in the store; they may be a dead server's.")

    def is_strangers(self, mark: int) -> bool:
        """Whether a ticket of this mark may be one that only another host can open."""
        if mark not in self._found.marks:
            self._look_if_due(STRANGER_SECONDS)
        return mark in self._found.marks

    def _look_if_due(self, pause: float = LOOK_AGAIN_SECONDS) -> None:
        if self._clock() - self._tried_at >= pause or self._tried_in != os.getpid():
            with suppress(StoreUnavailable):
                self.look()

    def _tell(self, gives_way: bool) -> None:
        if self._gone:
            return
        key, now = self._ring.writing, self._now()
        word = _WORD.pack(key.name, key.mark, self._since or 0, not gives_way)
        ends = int(now) + LIFE_SECONDS
        self._told_at = now
        process, place, version = self._word
        if process == os.getpid() and self._store.replace(
            place, b"", version=version, expires_at=ends, label=word
        ):
            self._word = (process, place, version + 1)
            return
        place = os.urandom(32)
        self._store.create(place, b"", expires_at=ends, person=self._list, now=now, label=word)
        self._word = (os.getpid(), place, 1)

    def _see(self) -> tuple[Strangers, int]:
        """The strangers, and since when our own key is in use (epoch milliseconds)."""
        words = self._store.listed(self._list, now=self._now())
        if self._ends is None:
            self._ends = {one.key: one.expires_at for one in words}
            self._decided_at = self._clock() + UNDECIDED_SECONDS
        own, known = self._ring.writing.name, {key.name for key in self._ring.reading}
        told = [(one, word) for one in words if (word := _read(one.label))]
        ours = min((word.since for _, word in told if word.name == own), default=self._since or 0)
        ours = min(ours, self._since or 0)
        strange = [(one, word) for one, word in told if word.name not in known]
        seen = [word for one, word in strange if one.expires_at != self._ends.get(one.key)]
        older = [(word.since, word.name) < (ours, own) for word in seen]
        self._doubts = any((word.since, word.name) < (ours, own) for _, word in strange)
        marks = frozenset(word.mark for word in seen if word.serves)
        names = tuple(sorted({word.name.hex()[:8] for word in seen}))
        return Strangers(marks, names, any(older)), ours


class _Read(NamedTuple):
    name: bytes
    mark: int
    since: int
    serves: bool


def _read(label: bytes) -> _Read | None:
    try:
        return _Read(*_WORD.unpack(label))
    except struct.error:  # not ours, or of another release
        return None

"""Whether all hosts over one store agree about their keys, told before anybody is signed out by it.

A host with another SECRET_KEY reads none of the others' tickets: people would be signed out at each
turn of the balancer. So every process leaves a word in the store that the key it writes with is in
use, a keyed hash that gives nothing away, and looks for words of keys that it does not have. Of two
keys that are strangers to each other the younger gives way: its processes refuse to serve.

A word alone proves nothing, since a process that was killed or started anew leaves one behind. Only
one that this process has seen come or be renewed is believed.
"""

import hashlib
import os
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from webapp.errors import KeysDiffer, StoreUnavailable
from webapp.keyring import Keyring
from webapp.store.base import Store

RENEW_SECONDS = 5.0
LIFE_SECONDS = 20
"""Four renewals: some may fail."""
TELL_SECONDS, LOOK_AGAIN_SECONDS = 4.0, 1.0
STRANGER_SECONDS = 0.5
"""For a ticket that no key of ours made: its host may have started just now."""
_WORD = struct.Struct(">16sBQ")


@dataclass(frozen=True, slots=True)
class Strangers:
    """The keys in use that this process does not have, and whether one of them was here before."""

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
        self._tell_at = 0.0
        self._ends: dict[bytes, int] | None = None
        """When each word ended that lay there at our first look."""
        self._found = Strangers()
        self._tried_in = self._looked_in = 0
        self._tried_at = float("-inf")

    def look(self) -> None:
        """Say that our key is in use, and see which others are. Raises StoreUnavailable."""
        with self._lock:
            self._tried_at, self._tried_in = self._clock(), os.getpid()
            if self._since is None:
                self._since = int(self._now() * 1000)
            if self._now() >= self._tell_at or self._word[0] != os.getpid():
                self._tell()
            found, since = self._see()
            if since < self._since:  # our key is older than this process
                self._since = since
                self._tell()
            changed, self._found = found != self._found, found
            self._looked_in = os.getpid()
        if changed:
            self._report(found)

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
        """As `check`, after a new look. A store that is away is not its affair."""
        self._look_if_due()
        self.check()

    def is_strangers(self, mark: int) -> bool:
        """Whether a ticket of this mark may be one that only another host can open."""
        if mark not in self._found.marks:
            self._look_if_due(STRANGER_SECONDS)
        return mark in self._found.marks

    def _look_if_due(self, pause: float = LOOK_AGAIN_SECONDS) -> None:
        if self._clock() - self._tried_at >= pause or self._tried_in != os.getpid():
            with suppress(StoreUnavailable):
                self.look()

    def _tell(self) -> None:
        key, now = self._ring.writing, self._now()
        word = _WORD.pack(key.name, key.mark, self._since or 0)
        ends = int(now) + LIFE_SECONDS
        self._tell_at = now + TELL_SECONDS
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
        oldest: dict[tuple[bytes, int], int] = {}
        words = self._store.listed(self._list, now=self._now())
        if self._ends is None:
            self._ends = {one.key: one.expires_at for one in words}
        own = self._ring.writing
        for one in words:
            with suppress(struct.error):  # not ours, or of another release
                name, mark, since = _WORD.unpack(one.label)
                if name == own.name or one.expires_at != self._ends.get(one.key):
                    oldest[name, mark] = min(since, oldest.get((name, mark), since))
        ours = min(self._since or 0, oldest.get((own.name, own.mark), self._since or 0))
        known = {key.name for key in self._ring.reading}
        strange = {key: since for key, since in oldest.items() if key[0] not in known}
        found = Strangers(
            marks=frozenset(mark for _, mark in strange),
            names=tuple(sorted(name.hex()[:8] for name, _ in strange)),
            older=any((since, key[0]) < (ours, own.name) for key, since in strange.items()),
        )
        return found, ours

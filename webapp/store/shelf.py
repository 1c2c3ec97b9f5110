"""Errands in the session store, so that they outlive the process that could not do them.

An errand lies under a random key, sealed for whoever has the server's key, and is listed under one
of a few names as if these were persons. Its label, which is no secret, says when it is due, so
looking at the lists is enough to know that there is nothing to do.
"""

import hmac
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from webapp.errors import StoreUnavailable
from webapp.keyring import Key, Keyring
from webapp.store.base import Listed, Store

PREFIX = b"errand/"
LISTS = 16
"""Over so many lists the errands are spread: a store reads a long one within its deadline."""
TURN_SECONDS = 8.0
AT_IT_SECONDS = 60.0
"""Longer than one try of the slowest errand takes."""
_LABEL = struct.Struct(">QB")
_MOST_TRIES = 255


@dataclass(frozen=True, slots=True)
class Lying:
    """An errand where it lies, until when (epoch seconds), tried how often, and what it says."""

    key: bytes
    version: int
    until: int
    tries: int
    plain: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Due:
    """An errand as the lists show it."""

    key: bytes
    due: int
    tries: int


class Shelf:
    """Errands of all processes over one store. `now` gives epoch seconds.

    Every method raises StoreUnavailable.
    """

    def __init__(
        self, store: Store, ring: Keyring, *, now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._ring = ring
        self._now = now
        self._self: tuple[int, bytes] = (0, b"")

    def put(self, plain: bytes, *, due: float, until: float) -> Lying:
        """Lay a new one down, to lie there until `until` (epoch seconds)."""
        key = PREFIX + os.urandom(16)
        self._store.create(
            key,
            self._ring.writing.seal_errand(plain, key),
            expires_at=int(until),
            person=_list(self._ring.writing, key[-1] % LISTS),
            now=self._now(),
            label=_LABEL.pack(int(due), 0),
        )
        return Lying(key, 1, int(until), 0, plain)

    def again(self, lying: Lying, *, due: float) -> Lying | None:
        """Leave it, with what it says and how often it was tried by now; None if it is gone."""
        kept = self._store.replace(
            lying.key,
            self._ring.writing.seal_errand(lying.plain, lying.key),
            version=lying.version,
            expires_at=lying.until,
            label=_LABEL.pack(int(due), min(lying.tries, _MOST_TRIES)),
        )
        if not kept:
            return None
        return Lying(lying.key, lying.version + 1, lying.until, lying.tries, lying.plain)

    def remove(self, key: bytes) -> None:
        """Take one away."""
        self._store.delete(key, until=int(self._now()))

    def lying(self) -> list[Due]:
        """All there are, the least tried first."""
        found = (
            Due(one.key, *_label(one))
            for key in self._ring.reading
            for number in range(LISTS)
            for one in self._store.listed(_list(key, number), now=self._now())
        )
        return sorted(found, key=lambda one: (one.tries, one.due))

    @contextmanager
    def taken(self, due: Due) -> Iterator[Lying | None]:
        """The errand, for us alone until the end of the block; None when another has it."""
        name, owner = due.key, os.urandom(16)
        if not self._store.claim(name, owner, now=self._now(), seconds=AT_IT_SECONDS):
            yield None
            return
        try:
            yield self._read(due)
        finally:
            with suppress(StoreUnavailable):
                self._store.release(name, owner)

    def our_turn(self) -> bool:
        """Whether this process is the one that looks after the errands now, and for a while."""
        if self._self[0] != os.getpid():  # workers that were forked are not one process
            self._self = (os.getpid(), os.urandom(16))
        # By our key: another application over the same store must not keep us from ours.
        name = b"errands/" + _list(self._ring.writing, LISTS)
        return self._store.claim(name, self._self[1], now=self._now(), seconds=TURN_SECONDS)

    def _read(self, due: Due) -> Lying | None:
        stored = self._store.load(due.key, now=self._now())
        if stored is None:
            return None
        opened = (key.open_errand(stored.sealed, due.key) for key in self._ring.reading)
        plain = next((one for one in opened if one is not None), None)
        if plain is None:  # damaged, or sealed with a key that this process does not have yet
            return None
        return Lying(due.key, stored.version, stored.expires_at, due.tries, plain)


def _list(key: Key, number: int) -> bytes:
    return hmac.digest(key.index, b"errands/%d" % number, "sha256")


def _label(listed: Listed) -> tuple[int, int]:
    try:
        due, tries = _LABEL.unpack(listed.label)
    except struct.error:  # not ours, or of another release: looked at, and then it shows
        return 0, _MOST_TRIES
    return due, tries

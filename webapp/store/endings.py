"""What this process has ended stays ended here, whatever the store says later.

A tombstone keeps every write of ours from a place where a session ended. It does not keep out
somebody who writes to the store itself, or a copy of an hour ago that takes over: then the record
is there again. The process that ended it knows better, and no page pays a second look-up for it.
"""

import threading
from collections.abc import Callable

from webapp.store.base import Store, Stored

MOST = 10_000
"""The oldest is forgotten first: 2 MB, and an hour of nearly three sign-outs a second."""


class Endings:
    """Loads and deletes records. `report` is told of a place whose ended record is back, and why.

    Both raise StoreUnavailable.
    """

    def __init__(self, store: Store, report: Callable[[bytes, str], object]) -> None:
        self._store = store
        self._report = report
        self._ended: dict[bytes, None] = {}
        self._lock = threading.Lock()

    def load(self, place: bytes, *, now: float) -> Stored | None:
        """As Store.load; None for what was ended here."""
        stored = self._store.load(place, now=now)
        if stored is not None and place in self._ended:
            self._report(place, "ended before, and put back")
            return None
        return stored

    def delete(self, place: bytes, *, until: int) -> Stored | None:
        """As Store.delete."""
        stored = self._store.delete(place, until=until)
        if stored is not None:
            with self._lock:
                self._ended[place] = None
                if len(self._ended) > MOST:
                    del self._ended[next(iter(self._ended))]
        return stored

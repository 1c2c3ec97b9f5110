"""Ended rows go out of the store beside the requests, by one process of the fleet at a time."""

import os
import time
from collections.abc import Callable

from webapp.store.base import Store

EVERY_SECONDS = 60.0
CLAIM_SECONDS = 50.0
"""Nearly the whole period, also when nothing was found: once a period is enough for a fleet."""
ROWS = 50
PAUSE_SECONDS = 0.005
"""Between batches, each of which holds up other writers for some milliseconds."""
SLICE_SECONDS = 1.0
"""After so long other chores have their turn."""


class Purger:
    """Removes what has ended. `now` gives epoch seconds, `clock` is monotonic, `pause` waits."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._now = now
        self._clock = clock
        self._pause = pause
        self._name = os.urandom(12)
        self.hurry: Callable[[float], object] = lambda seconds: None

    def work(self) -> int:
        """Remove ended rows if it is our turn; how many went. Raises StoreUnavailable."""
        owner = self._name + os.getpid().to_bytes(4, "big")  # forked workers share the name
        now, gone = self._now(), 0
        if not self._store.claim(b"purge", owner, now=now, seconds=CLAIM_SECONDS):
            return gone
        until = self._clock() + SLICE_SECONDS
        while (went := self._store.purge(now=now, limit=ROWS)) > 0:
            gone += went
            if self._clock() >= until:
                self.hurry(PAUSE_SECONDS)
                break
            self._pause(PAUSE_SECONDS)
        return gone

"""One after the other through work that costs a process its time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LANE_SECONDS = 0.25
"""Two dozen sign-ins are through in less; whoever stands before a store that hangs goes on."""


class Lane:
    """Lets one thread in, and after `seconds` of waiting every other one too.

    Python runs one thread of a process at a time, and lets none of them first. When two dozen
    answers of a slow provider arrive together and all are worked on at once, a page that somebody
    asks for meanwhile waits behind each of them, several times. One after the other they are
    through as soon, and the page waits behind one.
    """

    def __init__(self, seconds: float = LANE_SECONDS) -> None:
        self._free = threading.Lock()
        self._seconds = seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, but not for long."""
        mine = self._free.acquire(timeout=self._seconds)
        try:
            yield
        finally:
            if mine:
                self._free.release()

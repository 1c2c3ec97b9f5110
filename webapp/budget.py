"""How much time the work of this thread has left, whoever asks.

A request gets its time when it begins; every call outside then takes the less of its own deadline
and of what is left. Threads of the background have no such end.
"""

import math
import threading
import time
from types import TracebackType

_thread = threading.local()


def begin(seconds: float) -> None:
    """This thread's work ends so many seconds from now."""
    _thread.ends = time.monotonic() + seconds


def over() -> None:
    """This thread's work is done; what comes next has no end until it is given one."""
    _thread.ends = math.inf


def left() -> float:
    """Seconds left, infinite where nobody set an end; never negative."""
    ends: float = getattr(_thread, "ends", math.inf)
    return max(0.0, ends - time.monotonic()) if ends != math.inf else math.inf


class Within:
    """Gives a block its own time, whatever is left of the work around it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._outer = math.inf

    def __enter__(self) -> None:
        self._outer = getattr(_thread, "ends", math.inf)
        _thread.ends = time.monotonic() + self._seconds

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _thread.ends = self._outer

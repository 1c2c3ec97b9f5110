"""How fast one process renews tokens, so that many that end together do not fall upon the pool.

Cognito counts: by default 120 renewals a second for a whole pool (category UserToken), and answers
429 beyond. A bulkhead bounds how many wait at a time; this bounds how many begin in a second.
"""

import threading
import time
from collections.abc import Callable

PER_SECOND = 25.0
"""Four processes, two hosts with two workers each, stay within Cognito's 120 with this."""
AT_ONCE = 5
"""So many begin without a wait after a quiet time."""


class Pace:
    """At most `per_second` turns a second, and `at_once` in a row after a quiet time. Thread-safe.

    The generic cell rate algorithm: one moment is kept, when the next turn is due by `clock`, which
    is monotonic.
    """

    def __init__(
        self,
        per_second: float = PER_SECOND,
        at_once: int = AT_ONCE,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._apart = 1.0 / per_second
        self._lead = (at_once - 1) * self._apart
        self._clock = clock
        self._due = float("-inf")
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        """Whether a turn could be had at once."""
        return self._due - self._lead <= self._clock()

    def wait(self, patience: float) -> float | None:
        """For how many seconds to wait for a turn, which is then taken.

        None when it would be longer than `patience`, and nothing is taken.
        """
        with self._lock:
            now = self._clock()
            due = max(self._due, now)
            seconds = max(0.0, due - self._lead - now)
            if seconds > patience:
                return None
            self._due = due + self._apart
            return seconds

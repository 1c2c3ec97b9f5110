"""Time as an argument: a clock that a test moves by hand."""

import time


class Clock:
    """A callable that gives the time in seconds since the epoch.

    With a start the clock stands still until `advance` is called. Without one it follows the
    machine's clock, plus what was advanced.
    """

    def __init__(self, start: float | None = None) -> None:
        self._start = start
        self._ahead = 0.0

    def __call__(self) -> float:
        base = time.time() if self._start is None else self._start
        return base + self._ahead

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds; a negative number steps back."""
        self._ahead += seconds

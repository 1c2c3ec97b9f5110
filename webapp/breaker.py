"""A breaker and a bulkhead for one part outside: it may be sick, and the others stay well.

The breaker opens when a part gave no sign of life several times in a row. While it is open a call
fails at once, but for one probe after each pause; the first answer, whatever it says, closes it.
The bulkhead lets only so many calls wait at a time, so that a part that hangs leaves threads over.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, ParamSpec, TypeVar

from webapp.errors import PorticoError

P = ParamSpec("P")
R = TypeVar("R")

FAILURES = 5
"""Silences in a row that open a breaker: one lost packet opens none, one outage soon does."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 4.0
"""Between probes, in seconds, doubled each time: who is back is found within the longest."""
BUSY_SECONDS = 2
"""For a part that has no seat free."""
PATIENCE_SECONDS, LOOK_SECONDS = 0.2, 0.01

Verdict = Callable[[Exception, float], bool | None]
"""What an exception, after so many seconds, says of the part: True for no sign of life, False for
an answer, None for neither."""


def says_nothing(error: Exception, seconds: float) -> None:
    """The verdict of a breaker that never opens."""


class Refused(PorticoError):
    """No call was made. `retry_after` is in whole seconds, at least one."""

    code = "refused"

    def __init__(self, reason: Literal["resting", "busy"], retry_after: float) -> None:
        super().__init__("This part is not asked just now.", reason=reason)
        self.reason = reason
        self.retry_after = max(1, math.ceil(retry_after))


class Seats:
    """How many may wait at a time. Thread-safe without a lock: a deque gives and takes in one.

    Where all are taken one more stands for up to `patience` seconds, since a part that is well
    frees a seat in no time. Once somebody stood in vain, nobody does until a seat is free again:
    those who stand hold threads as well.
    """

    def __init__(
        self,
        most: int,
        *,
        patience: float = PATIENCE_SECONDS,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.most = max(1, most)
        self._free = deque([None] * self.most)
        self._looks = round(patience / LOOK_SECONDS)
        self._pause = pause
        self._jammed = False

    def taken(self) -> bool:
        """Take a seat, if there is one or soon will be."""
        try:
            self._free.pop()
        except IndexError:
            return self._soon()
        return True

    def give_back(self) -> None:
        """Free a seat that was taken."""
        self._free.append(None)
        self._jammed = False

    def _soon(self) -> bool:
        for _ in range(self._looks):
            if self._jammed:
                return False
            self._pause(LOOK_SECONDS)
            try:
                self._free.pop()
            except IndexError:
                continue
            return True
        self._jammed = True
        return False


class _Endless(Seats):
    """Always room for one more."""

    def __init__(self) -> None:
        super().__init__(1)

    def taken(self) -> bool:
        return True

    def give_back(self) -> None:
        return


ENDLESS = _Endless()


class Breaker:
    """Stands before one part. Thread-safe; `clock` is monotonic, in seconds.

    `seats` are this part's own, `house` those that all parts share: a call takes one of each.
    Without either there is no bulkhead. `report` is told "opened" and "closed", once each time.
    """

    def __init__(
        self,
        verdict: Verdict = says_nothing,
        *,
        seats: Seats | None = None,
        house: Seats | None = None,
        failures: int = FAILURES,
        first_pause: float = FIRST_PAUSE,
        longest_pause: float = LONGEST_PAUSE,
        clock: Callable[[], float] = time.monotonic,
        report: Callable[[Literal["opened", "closed"]], object] = lambda state: None,
    ) -> None:
        self._verdict = verdict
        self._seats = seats or ENDLESS
        self._house = house or ENDLESS
        self._most = failures
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._clock = clock
        self._report = report
        self._lock = threading.Lock()
        self._silences = 0
        self._open = False
        self._pause = first_pause
        self._probe_at = self._rest_until = self._answered_at = -math.inf

    @property
    def open(self) -> bool:
        """Whether calls fail at once, but for probes."""
        return self._open

    def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What the call returns or raises. Raises Refused when it is not made."""
        if not self._seats.taken():
            raise Refused("busy", BUSY_SECONDS)
        try:
            if not self._house.taken():
                raise Refused("busy", BUSY_SECONDS)
            try:
                return self.past_seats(call, *args, **kwargs)
            finally:
                self._house.give_back()
        finally:
            self._seats.give_back()

    def past_seats(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """As `run`, for threads that are bounded elsewhere and are none of those that serve."""
        if self._open:
            self._may_probe()
        began = self._clock()
        try:
            answer = call(*args, **kwargs)
        except Exception as error:
            self._weigh(error, began)
            raise
        if self._silences or self._open:
            self._answered()
        return answer

    def rest(self, seconds: float) -> None:
        """Ask nothing for so long: the part itself wished it."""
        with self._lock:
            opened, self._open = not self._open, True
            self._rest_until = max(self._rest_until, self._clock() + seconds)
            self._probe_at = max(self._probe_at, self._rest_until)
        if opened:
            self._report("opened")

    def _weigh(self, error: Exception, began: float) -> None:
        silent = self._verdict(error, self._clock() - began)
        if silent:
            self._count(began)
        elif silent is not None and (self._silences or self._open):
            self._answered()

    def _may_probe(self) -> None:
        with self._lock:
            if not self._open:
                return
            now = self._clock()
            if now < self._probe_at:
                raise Refused("resting", self._probe_at - now)
            # Not one probe at a time: one that hangs must not hold up the next.
            self._probe_at = now + self._pause
            self._pause = min(self._pause * 2, self._longest_pause)

    def _count(self, began: float) -> None:
        with self._lock:
            if began < self._answered_at:  # it has answered somebody since
                return
            self._silences += 1
            if self._open or self._silences < self._most:
                return
            self._open = True
            self._pause = min(self._first_pause * 2, self._longest_pause)
            self._probe_at = self._clock() + self._first_pause
        self._report("opened")

    def _answered(self) -> None:
        with self._lock:
            self._silences = 0
            self._answered_at = self._clock()
            if self._answered_at < self._rest_until:
                return
            self._pause = self._first_pause
            closed, self._open = self._open, False
        if closed:
            self._report("closed")

"""What a process does beside its requests: chores, one after the other, each every so often.

The threads start at the first request, since threads do not survive gunicorn's fork, and end with
the application that owns the caretaker.
"""

import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from webapp.errors import Unavailable

JITTER = 0.2
"""A pause is longer or shorter by up to this share, so that a fleet does not march in step."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so many seconds. `work` costs little when there is nothing to do."""

    name: str
    every: float
    work: Callable[[], object]


class Caretaker:
    """Does chores in one thread. `clock` is monotonic, `dice` gives from 0 to 1.

    `pause` waits so many seconds, by default until somebody is in a hurry. `report` is told the
    chore and what went wrong: of the family Unavailable once until the chore succeeds again.
    """

    def __init__(
        self,
        chores: Sequence[Chore],
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
        dice: Callable[[], float] = random.random,
        report: Callable[[str, Exception], object] = lambda chore, error: None,
    ) -> None:
        self._chores = tuple(chores)
        self._clock = clock
        self._wake = threading.Event()
        self._pause = pause or self._wake.wait
        self._dice = dice
        self._report = report
        self._due = {chore.name: clock() + chore.every * dice() for chore in self._chores}
        self._told: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._started_in: int | None = None
        self._thread: threading.Thread | None = None
        self._over = False

    def start(self) -> None:
        """Begin, once in a process."""
        with self._lock:
            if self._started_in == os.getpid() or self._over:
                return
            self._started_in = os.getpid()
        wake = self._wake

        def nobody_left(_: object) -> None:
            wake.set()

        # Weakly, so that an application that nobody uses any more takes its thread along.
        held = (weakref.ref(self, nobody_left), self._pause, wake)
        self._thread = threading.Thread(target=_attend, args=held, daemon=True, name="caretaker")
        self._thread.start()

    def stop(self, patience: float = 0.0) -> None:
        """Begin no other chore, and wait so many seconds at most for the one under way."""
        self._over = True
        self._wake.set()
        if self._thread is not None and patience:
            self._thread.join(patience)

    def hurry(self, name: str, within: float = 0.0) -> None:
        """Do this chore within so many seconds, however long it would be until its turn."""
        due = self._clock() + within
        if due < self._due[name]:
            self._due[name] = due
            self._wake.set()

    def tick(self) -> float:
        """Do what is due; the seconds until something is."""
        for chore in self._chores:
            if self._over:
                break
            if self._clock() >= self._due[chore.name]:
                swing = 1 + JITTER * (2 * self._dice() - 1)
                # Before the work: somebody may be in a hurry again while it is done.
                self._due[chore.name] = self._clock() + chore.every * swing
                self._do(chore)
        return max(0.0, min(self._due.values(), default=60.0) - self._clock())

    @property
    def over(self) -> bool:
        """Whether it was stopped."""
        return self._over

    def _do(self, chore: Chore) -> None:
        try:
            chore.work()
        except Unavailable as fault:
            kind = (chore.name, fault.code)
            if kind not in self._told:
                self._told.add(kind)
                self._report(chore.name, fault)
        except Exception as error:  # nobody waits for it, and the other chores matter as well
            self._report(chore.name, error)
        else:
            self._told = {kind for kind in self._told if kind[0] != chore.name}


def _attend(
    caretaker: Callable[[], Caretaker | None],
    pause: Callable[[float], object],
    wake: threading.Event,
) -> None:
    while (one := caretaker()) is not None and not one.over:
        rest = one.tick()
        del one
        pause(rest)
        wake.clear()

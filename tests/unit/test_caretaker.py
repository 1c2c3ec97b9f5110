"""The caretaker: chores in turn, apart by jitter, and no fault of one stops another."""

import gc
import threading
import time
import weakref
from collections.abc import Callable
from itertools import pairwise

import pytest

from webapp.caretaker import JITTER, Caretaker, Chore
from webapp.errors import ProviderUnavailable, StoreUnavailable

WAIT = 5.0


class Time:
    """A clock that only a pause moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


class Work:
    """Counts how often it was done; fails with what is put there."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.fault: Exception | None = None
        self.clock: Callable[[], float] = time.monotonic

    def __call__(self) -> None:
        self.at.append(self.clock())
        if self.fault is not None:
            raise self.fault


def _run(caretaker: Caretaker, clock: Time, seconds: float) -> None:
    until = clock() + seconds
    while clock() < until:
        clock.pass_by(max(caretaker.tick(), 0.001))


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)


@pytest.mark.parametrize(("dice", "share"), [(0.0, 1 - JITTER), (0.5, 1.0), (1.0, 1 + JITTER)])
def test_every_so_often(dice: float, share: float) -> None:
    """A chore comes at its own pace, shifted by the dice, from somewhere in its first period on."""
    clock, work = Time(), Work()
    work.clock = clock
    caretaker = Caretaker([Chore("one", 10.0, work)], clock=clock, dice=lambda: dice)
    _run(caretaker, clock, 100)
    assert work.at[0] == 100 + 10 * dice
    pauses = [after - before for before, after in pairwise(work.at)]
    assert pauses == pytest.approx([10 * share] * len(pauses))
    assert len(work.at) >= 8


def test_a_fault_is_passed_over_and_told_once() -> None:
    """An outage stops neither the chore nor its neighbour, and is told once until it is over."""
    clock, broken, fine = Time(), Work(), Work()
    told: list[tuple[str, str]] = []
    caretaker = Caretaker(
        [Chore("broken", 5.0, broken), Chore("fine", 5.0, fine)],
        clock=clock,
        report=lambda chore, error: told.append((chore, type(error).__name__)),
    )
    broken.fault = StoreUnavailable("down")
    _run(caretaker, clock, 100)
    assert len(broken.at) >= 15
    assert len(fine.at) >= 15
    assert told == [("broken", "StoreUnavailable")]
    broken.fault = ProviderUnavailable("down")
    _run(caretaker, clock, 30)
    assert told[1:] == [("broken", "ProviderUnavailable")]
    broken.fault = None
    _run(caretaker, clock, 30)
    broken.fault = StoreUnavailable("down")
    _run(caretaker, clock, 30)
    assert told[2:] == [("broken", "StoreUnavailable")]


def test_what_nobody_foresaw_is_always_told() -> None:
    """A mistake in a chore is told each time, and the chore comes again all the same."""
    clock, work = Time(), Work()
    told: list[Exception] = []
    caretaker = Caretaker(
        [Chore("one", 5.0, work)], clock=clock, report=lambda _, error: told.append(error)
    )
    work.fault = RuntimeError("unforeseen")
    _run(caretaker, clock, 50)
    assert len(told) == len(work.at) >= 8


def test_in_a_hurry() -> None:
    """Who is in a hurry does not wait for the turn, and the thread is woken for it."""
    work = Work()
    caretaker = Caretaker([Chore("one", 3600.0, work)], dice=lambda: 1.0)
    caretaker.start()
    assert work.at == []
    for times in (1, 2):
        caretaker.hurry("one")
        _wait(lambda: len(work.at) == times)  # noqa: B023 - called at once
    caretaker.stop()


def test_one_thread_that_ends_with_its_owner() -> None:
    """Starting twice makes one thread; it goes when nobody holds the caretaker any more."""
    before = set(threading.enumerate())
    caretaker = Caretaker([Chore("one", 3600.0, Work())])
    assert set(threading.enumerate()) == before
    caretaker.start()
    caretaker.start()
    (thread,) = set(threading.enumerate()) - before
    assert thread.daemon
    gone = weakref.ref(caretaker)
    del caretaker
    gc.collect()
    _wait(lambda: gone() is None and not thread.is_alive())


def test_stopping_waits_for_the_chore_under_way() -> None:
    """Whoever stops it with patience finds nothing running any more."""
    begun, done = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        time.sleep(0.2)
        done.set()

    caretaker = Caretaker([Chore("slow", 0.001, slow)])
    caretaker.start()
    assert begun.wait(WAIT)
    caretaker.stop(patience=WAIT)
    assert done.is_set()


def test_stopped() -> None:
    """A stopped caretaker begins no other chore, and cannot be started any more."""
    work = Work()
    caretaker = Caretaker([Chore("one", 0.001, work)])
    caretaker.stop()
    caretaker.start()
    caretaker.tick()
    assert work.at == []

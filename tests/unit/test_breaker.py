"""The breaker and the bulkhead, by a clock of their own."""

import math
import threading
from collections.abc import Callable

import pytest

from webapp.breaker import (
    FAILURES,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    LOOK_SECONDS,
    Breaker,
    Refused,
    Seats,
)


class Silent(Exception):
    """No sign of life."""


class Answered(Exception):
    """An answer, and not a good one."""


class Nothing(Exception):
    """Says nothing of the part."""


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Part:
    """A part that does as it is told, and counts who asks."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    def __call__(self) -> str:
        self.asked += 1
        if self.error:
            raise self.error
        return "answer"


def _verdict(error: Exception, _: float) -> bool | None:
    return None if isinstance(error, Nothing) else isinstance(error, Silent)


class Stand:
    """A breaker before a part, with what it said."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.part = Part()
        self.said: list[str] = []
        self.breaker = Breaker(_verdict, clock=self.clock, report=self.said.append)

    def ask(self, error: Exception | None = None) -> str:
        """One call that ends in this error, in a word."""
        self.part.error = error
        try:
            return self.breaker.run(self.part)
        except Refused as refused:
            return refused.reason
        except Exception as raised:
            return type(raised).__name__

    def open(self) -> None:
        """Silence until it opens."""
        while not self.breaker.open:
            self.ask(Silent())


@pytest.fixture
def stand() -> Stand:
    """A breaker that never saw anything."""
    return Stand()


def test_AP_18_silences_in_a_row_open_it(stand: Stand) -> None:
    """So many silences in a row open it, once told; from then on nobody asks the part."""
    assert [stand.ask(Silent()) for _ in range(FAILURES + 10)] == (
        ["Silent"] * FAILURES + ["resting"] * 10
    )
    assert stand.part.asked == FAILURES
    assert stand.said == ["opened"]


@pytest.mark.parametrize("sign", [None, Answered()])
def test_an_answer_between_silences_keeps_it_shut(stand: Stand, sign: Exception | None) -> None:
    """An answer of any kind starts the count anew."""
    for _ in range(20):
        for _ in range(FAILURES - 1):
            stand.ask(Silent())
        stand.ask(sign)
    assert stand.said == []
    assert not stand.breaker.open


def test_what_says_nothing_counts_for_nothing(stand: Stand) -> None:
    """An error of our own neither opens the breaker nor closes it."""
    for _ in range(20):
        stand.ask(Nothing())
    assert stand.said == []
    stand.open()
    stand.clock.now += FIRST_PAUSE
    assert stand.ask(Nothing()) == "Nothing"
    assert stand.breaker.open


def test_AP_18_probes_and_closes(stand: Stand) -> None:
    """One probe goes through after each pause, pauses grow to the longest, an answer closes."""
    stand.open()
    asked, at = [], stand.clock.now
    for _ in range(160):
        stand.clock.now += 0.125
        before = stand.part.asked
        stand.ask(Silent())
        if stand.part.asked > before:
            asked.append(stand.clock.now - at)
    assert asked == [1, 3, 7, 11, 15, 19]
    stand.clock.now += LONGEST_PAUSE
    assert stand.ask() == "answer"
    assert stand.said == ["opened", "closed"]
    assert [stand.ask() for _ in range(10)] == ["answer"] * 10
    stand.open()
    stand.clock.now += FIRST_PAUSE
    assert stand.ask() == "answer"  # the pause is short again


def test_retry_after_is_the_time_to_the_next_probe(stand: Stand) -> None:
    """What is refused says in whole seconds when it is worth trying again."""
    stand.open()
    stand.clock.now += FIRST_PAUSE
    stand.ask(Silent())
    with pytest.raises(Refused) as refused:
        stand.breaker.run(stand.part)
    assert (refused.value.reason, refused.value.retry_after) == ("resting", 2)


def test_old_silences_do_not_open_it_again(stand: Stand) -> None:
    """Calls that began before the part answered and end after it count for nothing."""

    def slow(more: int) -> None:
        if more:
            with pytest.raises(Silent):
                stand.breaker.run(slow, more - 1)
        else:
            stand.ask(Silent())
            stand.clock.now += 1
            stand.ask()  # somebody else is answered while all these wait
        raise Silent

    with pytest.raises(Silent):
        stand.breaker.run(slow, 2 * FAILURES)
    assert not stand.breaker.open


def test_a_probe_that_hangs_does_not_hold_up_the_next(stand: Stand) -> None:
    """While one probe waits, another goes at its time, and its answer closes the breaker."""
    stand.open()
    stand.clock.now += FIRST_PAUSE

    def hangs() -> str:
        assert stand.ask() == "resting"
        stand.clock.now += 2 * FIRST_PAUSE
        assert stand.ask() == "answer"
        raise Silent

    with pytest.raises(Silent):
        stand.breaker.run(hangs)
    assert not stand.breaker.open


def test_ID_16_rests_as_long_as_was_wished(stand: Stand) -> None:
    """A part that asks for patience is left alone for so long, though an old call still ends."""

    def busy() -> str:
        stand.breaker.rest(30)
        return "come back in 30 seconds"

    stand.breaker.run(busy)
    for second in range(29, 0, -1):
        stand.clock.now += 1
        with pytest.raises(Refused) as refused:
            stand.breaker.run(stand.part)
        assert refused.value.retry_after == second
    stand.clock.now += 1
    assert stand.ask() == "answer"
    assert stand.said == ["opened", "closed"]


def _all_inside(calls: int, run: Callable[[Callable[[], None]], object]) -> threading.Event:
    """Threads that are inside their calls; they leave when the event is set."""
    inside, leave = threading.Barrier(calls + 1), threading.Event()

    def wait() -> None:
        inside.wait(5)
        leave.wait(5)

    for _ in range(calls):
        threading.Thread(target=run, args=(wait,)).start()
    inside.wait(5)
    return leave


def test_AP_16_seats() -> None:
    """As many calls as there are seats; one more is refused at once, and all come back."""
    breaker = Breaker(_verdict, seats=Seats(3, patience=0))
    part = Part()
    leave = _all_inside(3, breaker.run)
    with pytest.raises(Refused) as refused:
        breaker.run(part)
    assert (refused.value.reason, part.asked) == ("busy", 0)
    leave.set()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(5)
    _all_inside(3, breaker.run).set()


class Standing:
    """What those do who stand: nothing, until a seat is given back at the right moment."""

    def __init__(self, looks: float = math.inf) -> None:
        self.looks = 0
        self.back_at = looks
        self.seats: Seats | None = None

    def __call__(self, _: float) -> None:
        self.looks += 1
        if self.seats and self.looks == self.back_at:
            self.seats.give_back()


def test_AP_16_a_seat_that_is_soon_free() -> None:
    """Where a part is well, one more than there are seats stands for a moment and is served."""
    standing = Standing(looks=3)
    standing.seats = seats = Seats(1, patience=1, pause=standing)
    assert seats.taken()
    assert seats.taken()
    assert standing.looks == 3


def test_AP_16_nobody_stands_where_somebody_stood_in_vain() -> None:
    """A part that frees no seat keeps one caller standing once; the others are refused at once."""
    standing = Standing()
    seats = Seats(1, patience=1, pause=standing)
    assert seats.taken()
    assert not seats.taken()
    once = standing.looks
    assert once == 1 / LOOK_SECONDS
    assert not any(seats.taken() for _ in range(100))
    assert standing.looks == once
    seats.give_back()
    assert seats.taken()
    assert not seats.taken()
    assert standing.looks == 2 * once


def test_AP_16_seats_of_the_house() -> None:
    """Parts that share a house leave some of it over, however many of them are sick."""
    house = Seats(4, patience=0)
    one, other = (Breaker(_verdict, seats=Seats(3, patience=0), house=house) for _ in range(2))
    leave = _all_inside(3, one.run)
    assert other.run(Part()) == "answer"
    also = _all_inside(1, other.run)
    part = Part()
    for breaker in (one, other):
        with pytest.raises(Refused):
            breaker.run(part)
    assert part.asked == 0
    leave.set()
    also.set()


def test_failures_give_their_seats_back(stand: Stand) -> None:
    """Neither silences nor refusals keep a seat."""
    house, seats = Seats(1), Seats(1)
    breaker = Breaker(_verdict, seats=seats, house=house, clock=stand.clock)
    part = Part()
    part.error = Silent()
    for _ in range(FAILURES):
        with pytest.raises(Silent):
            breaker.run(part)
    for _ in range(5):
        with pytest.raises(Refused, match="not asked"):
            breaker.run(part)
    stand.clock.now += FIRST_PAUSE
    part.error = None
    assert breaker.run(part) == "answer"


def test_many_threads_one_report() -> None:
    """However many threads see the part fall silent at once, it is told once."""
    said: list[str] = []
    breaker = Breaker(_verdict, clock=Clock(), report=said.append)
    part = Part()
    part.error = Silent()
    together = threading.Barrier(16)

    def ask() -> None:
        together.wait(5)
        for _ in range(50):
            with pytest.raises((Silent, Refused)):
                breaker.run(part)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert said == ["opened"]
    assert part.asked <= FAILURES + 16

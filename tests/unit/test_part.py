"""The way out to one part: what opens its breaker, whose patience counts, whose time it is."""

import time
from email.utils import formatdate

import pytest

from tests.doubles.double import Double
from tests.doubles.endpoint import Endpoint
from tests.doubles.message import Answer
from webapp import budget
from webapp.breaker import FAILURES, Breaker, Seats
from webapp.outbound import (
    Outbound,
    OutboundFailed,
    OutboundRefused,
    OutboundTimedOut,
    Part,
    Reply,
    no_sign_of_life,
    patience,
)
from webapp.services.parts import half, provider_seats, turn_seats

SLACK = 0.4


class Stand:
    """A part of that server, and what its breaker said."""

    def __init__(self, double: Double, *, heeds: bool = True, most: int = 8) -> None:
        self.said: list[str] = []
        self.breaker = Breaker(
            no_sign_of_life, seats=Seats(most, patience=0), report=self.said.append
        )
        self.part = Part(Outbound(), self.breaker, heeds=heeds)
        self.url = f"{double.server.origin}/x"

    def ask(self, deadline: float = 2.0) -> Reply:
        """One exchange."""
        return self.part.send("POST", self.url, headers={}, body=b"", deadline=deadline)


@pytest.fixture
def stand(double: Double, page: Endpoint) -> Stand:
    """A part that heeds what it is asked for."""
    del page
    return Stand(double)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_AP_18_a_status_is_a_sign_of_life(stand: Stand, page: Endpoint, status: int) -> None:
    """However often it fails with a status, a part that answers is asked again."""
    page.answer(status, {"error": "no"})
    assert [stand.ask().status for _ in range(3 * FAILURES)] == [status] * (3 * FAILURES)
    assert stand.said == []


def test_AP_18_no_answer_opens_it(double: Double, stand: Stand, page: Endpoint) -> None:
    """Refused, reset and cut connections open the breaker; the next call is not sent."""
    page.once.reset()
    page.once.truncate(3)
    for _ in range(2):
        with pytest.raises(OutboundFailed):
            stand.ask()
    double.server.stop()
    for _ in range(FAILURES - 2):
        with pytest.raises(OutboundFailed, match="no whole answer"):
            stand.ask()
    double.server.start()
    with pytest.raises(OutboundRefused) as refused:
        stand.ask()
    assert (refused.value.busy, refused.value.retry_after) == (False, 1)
    assert page.count == 2
    assert stand.said == ["opened"]


def test_nonsense_opens_nothing(stand: Stand, page: Endpoint) -> None:
    """An answer that makes no sense comes from somebody who is there."""
    page.answer(200, b"this is no gzip", {"Content-Encoding": "gzip"})
    for _ in range(2 * FAILURES):
        with pytest.raises(OutboundFailed):
            stand.ask()
    assert stand.said == []


def test_our_own_haste_opens_nothing(stand: Stand, page: Endpoint) -> None:
    """A call that had no time to be answered says nothing of the part, such as a sign-out's."""
    page.hang()
    for _ in range(2 * FAILURES):
        with pytest.raises(OutboundTimedOut):
            stand.ask(deadline=0.02)
    assert stand.said == []
    page.heal()
    assert stand.ask().status == 200


def test_AP_16_one_more_than_there_are_seats(double: Double, page: Endpoint) -> None:
    """Who finds all seats taken is refused as busy, and nothing is sent."""
    narrow = Stand(double, most=1)

    def also(_: object) -> Answer:
        with pytest.raises(OutboundRefused) as refused:
            narrow.ask()
        assert refused.value.busy
        return Answer(204, (), b"")

    page.mutate(also)
    assert narrow.ask().status == 204
    assert page.count == 1
    assert narrow.said == []


@pytest.mark.parametrize("status", [400, 429, 503])
def test_ID_16_the_parts_own_patience(
    double: Double, stand: Stand, page: Endpoint, status: int
) -> None:
    """A part that says how long to wait is left alone so long, where it means everybody."""
    page.once.answer(status, {"error": "slow down"}, {"Retry-After": "7"})
    assert stand.ask().status == status
    with pytest.raises(OutboundRefused) as refused:
        stand.ask()
    assert refused.value.retry_after == 7
    assert page.count == 1
    page.once.answer(status, {"error": "slow down"}, {"Retry-After": "7"})
    other = Stand(double, heeds=False)
    assert [other.ask().status, other.ask().status] == [status, 200]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("99999999999", 30),
        ("1e9", None),
        ("-5", None),
        ("\u0667", None),
        ("soon", None),
        ("", None),
        (formatdate(time.time() + 3600, usegmt=True), 30),
        (formatdate(time.time() - 3600, usegmt=True), 1),
        ("Thu, 99 Foo 99999 99:99:99 GMT", None),
    ],
)
def test_ID_16_what_asks_for_patience(text: str, seconds: int | None) -> None:
    """Seconds and dates are understood, within bounds; nonsense is nothing."""
    headers = (("Retry-After", text),)
    assert patience(Reply(429, "", headers, b"", cut=False, seconds=0.0)) == seconds


def test_RT_14_no_call_outlives_the_request(stand: Stand, page: Endpoint) -> None:
    """A call gets what is left of its request, though its own deadline is longer; then none."""
    page.hang()
    budget.begin(0.3)
    try:
        began = time.monotonic()
        with pytest.raises(OutboundTimedOut):
            stand.ask(deadline=5)
        assert time.monotonic() - began < 0.3 + SLACK
        with pytest.raises(OutboundTimedOut, match="no time left"):
            stand.ask(deadline=5)
    finally:
        budget.over()
    assert page.count == 1
    assert stand.said == []


def test_AP_16_threads_are_left_over() -> None:
    """Of the threads that serve, each part leaves some, and 24 sign-ins of 32 may wait."""
    assert (provider_seats(32), half(32)) == (26, 16)
    for threads in range(2, 257):
        assert 1 <= provider_seats(threads) < threads
        assert 1 <= half(threads) < threads
    assert provider_seats(1) <= half(1) == 1  # a sync worker has no thread to leave
    assert turn_seats(None).most == 4
    assert turn_seats(32).most == 16

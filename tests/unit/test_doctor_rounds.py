"""The doctor's rounds: one examination at a time, within its time, kept for a moment."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.doubles.clock import Clock
from tests.unit.test_doctor import WANTED, Answering, Refusing
from webapp import budget
from webapp.doctor.examination import Patient
from webapp.doctor.rounds import KEPT_SECONDS, Hurried, Rounds
from webapp.errors import StoreUnavailable, Unavailable
from webapp.outbound import OutboundTimedOut, Reply, Sender


def _nothing() -> None:
    """Be well."""


def _patient(**own: Callable[[], object]) -> Patient:
    away = Refusing(EndpointConnectionError(endpoint_url="https://x"))
    return Patient(
        wanted=WANTED,
        issuer="https://issuer",
        discovery_url="https://x",
        user_pool_id="us-east-1_A",
        identity_pool_id="us-east-1:x",
        api_endpoint="https://api",
        own=own,
        discovery=_nothing,
        keys=_nothing,
        sender=cast("Sender", Answering(None)),
        idp=away,
        identity=away,
    )


def test_who_asks_again_at_once_reads_what_was_found() -> None:
    """For ten seconds nothing is asked anew, however often somebody presses."""
    looked: list[int] = []
    clock = Clock()
    rounds = Rounds(lambda: _patient(store=lambda: looked.append(1)), now=clock)
    first = rounds.report()
    assert int(first.at) == int(clock())
    assert rounds.report() is first
    clock.advance(KEPT_SECONDS + 1)
    assert rounds.report() is not first
    assert len(looked) == 2


def test_one_examination_at_a_time() -> None:
    """Who comes while one is under way is told to come back, and nothing is asked twice."""
    refused: list[Unavailable] = []

    def meanwhile() -> None:
        with pytest.raises(Unavailable) as caught:
            rounds.report()
        refused.append(caught.value)

    rounds = Rounds(lambda: _patient(store=meanwhile))
    assert rounds.report().findings[0].verdict == "fine"
    assert [one.code for one in refused] == ["examining"]


def test_an_examination_ends_at_its_time() -> None:
    """What was not looked at when the time was over is said, and not guessed."""
    outer = budget.left()
    rounds = Rounds(lambda: _patient(store=lambda: budget.begin(0.0)))
    about = [one.about for one in rounds.report().findings]
    assert about == ["store", "the rest"]
    assert rounds.report().findings[-1].verdict == "unknown"
    assert budget.left() == outer


def test_the_patient_is_brought_once() -> None:
    """Clients of AWS are built at the first examination and kept."""
    brought: list[int] = []
    clock = Clock()

    def bring() -> Patient:
        brought.append(1)
        return _patient()

    rounds = Rounds(bring, now=clock)
    assert brought == []
    rounds.report()
    clock.advance(KEPT_SECONDS + 1)
    rounds.report()
    assert brought == [1]


def test_an_examination_that_broke_leaves_the_door_open() -> None:
    """After a fault of ours the next examination can begin."""
    patients = iter([None, _patient(store=_nothing)])
    rounds = Rounds(lambda: cast("Patient", next(patients)))
    with pytest.raises(AttributeError):
        rounds.report()
    assert rounds.report().findings


def test_what_is_wrong_with_our_own_parts_is_told() -> None:
    """A store that does not answer is to be changed, with its reason."""

    def away() -> None:
        raise StoreUnavailable("The session store does not answer.", reason="refused")

    found = Rounds(lambda: _patient(store=away)).report().findings[0]
    assert (found.verdict, found.seen) == ("change", "The session store does not answer. (refused)")


class Noting:
    """A Sender that notes the deadlines that it is given."""

    def __init__(self) -> None:
        self.deadlines: list[float] = []

    def send(self, *_: Any, deadline: float, **__: Any) -> Reply:
        self.deadlines.append(deadline)
        return Reply(200, "", (), b"", False, 0.0)


def test_no_call_outlives_the_examination() -> None:
    """A call gets its own deadline or what is left, and none at all when nothing is."""
    noting = Noting()
    hurried = Hurried(cast("Sender", noting))
    hurried.send("GET", "https://x", headers={}, deadline=5.0)
    with budget.Within(2.0):
        hurried.send("GET", "https://x", headers={}, deadline=5.0)
    with budget.Within(0.0), pytest.raises(OutboundTimedOut):
        hurried.send("GET", "https://x", headers={}, deadline=5.0)
    assert noting.deadlines[0] == 5.0
    assert 1.0 < noting.deadlines[1] <= 2.0
    assert len(noting.deadlines) == 2

"""The deadlines agree with each other, and say so when a server's do not."""

import math
import threading

import pytest

from webapp import budget, deadlines
from webapp.deadlines import REQUEST_SECONDS, SLOWEST_SECONDS, disagreements


def test_RT_14_deadlines_inside_fit_a_request() -> None:
    """A refresh and the waiting for another's fit a request; the catalogue's figures hold."""
    assert deadlines.PROVIDER_SECONDS == 5
    assert deadlines.API_SECONDS == 10
    assert deadlines.STORE_SECONDS <= 1
    assert deadlines.FAREWELL_SECONDS <= 2
    assert deadlines.REFRESH_SECONDS < deadlines.TURN_WAIT_SECONDS < REQUEST_SECONDS
    # The next holder of a turn can still refresh after one has died.
    assert deadlines.CLAIM_SECONDS + deadlines.REFRESH_SECONDS < REQUEST_SECONDS
    assert deadlines.STORE_START_SECONDS < deadlines.STORE_SECONDS
    assert deadlines.STORE_DIAL_SECONDS < deadlines.STORE_SECONDS
    assert deadlines.STORE_ATTEMPT_SECONDS < deadlines.STORE_SECONDS


def test_RT_14_what_agrees() -> None:
    """gunicorn's own defaults agree, and a timeout that is turned off."""
    assert disagreements(30, 30) == []
    assert disagreements(0, SLOWEST_SECONDS + 1) == []


@pytest.mark.parametrize("short", [1, 10, REQUEST_SECONDS, SLOWEST_SECONDS])
def test_RT_14_what_does_not_agree(short: float) -> None:
    """Each setting that is not longer than the slowest request is one sentence with its cure."""
    (one,) = disagreements(short, 30)
    assert f"timeout is {short:g} seconds" in one
    assert f"(--timeout) to {int(SLOWEST_SECONDS) + 1} or more" in one
    (other,) = disagreements(30, short)
    assert "(--graceful-timeout)" in other
    assert len(disagreements(short, 0)) == 2


def test_RT_14_a_request_has_so_much_time() -> None:
    """What is left shrinks to nothing and not below, and ends with the work."""
    assert budget.left() == math.inf
    budget.begin(100)
    assert 99 < budget.left() <= 100
    budget.begin(0)
    assert budget.left() == 0
    budget.over()
    assert budget.left() == math.inf


def test_RT_14_time_is_the_threads_own() -> None:
    """A thread of the background has no end because a request has one."""
    budget.begin(0)
    seen: list[float] = []
    other = threading.Thread(target=lambda: seen.append(budget.left()))
    other.start()
    other.join()
    budget.over()
    assert seen == [math.inf]


def test_RT_14_a_block_with_its_own_time() -> None:
    """A block has its own seconds, also when nothing is left around it, and leaves that alone."""
    budget.begin(0)

    def fails() -> None:
        with budget.Within(50):
            assert 49 < budget.left() <= 50
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fails()
    assert budget.left() == 0
    budget.over()
    with budget.Within(1):
        assert budget.left() <= 1
    assert budget.left() == math.inf

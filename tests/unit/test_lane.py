"""Who is let through when many come at once."""

import threading

import pytest

from webapp.signin.lane import Lane

LONG = 30.0


def _in_another_thread(lane: Lane, began: threading.Event, inside: list[str]) -> threading.Thread:
    def come() -> None:
        began.set()
        with lane.turn():
            inside.append("second")

    thread = threading.Thread(target=come)
    thread.start()
    return thread


def test_the_second_comes_after_the_first() -> None:
    """While one is at work the next one waits, and then has his turn."""
    lane, began, order = Lane(LONG), threading.Event(), list[str]()
    with lane.turn():
        second = _in_another_thread(lane, began, order)
        assert began.wait(LONG)
        order.append("first")
    second.join(LONG)
    assert order == ["first", "second"]


def test_nobody_waits_for_long() -> None:
    """Who stood there for the time that was given goes on beside the first."""
    lane, began, order = Lane(0.0), threading.Event(), list[str]()
    with lane.turn():
        second = _in_another_thread(lane, began, order)
        second.join(LONG)
        assert order == ["second"]


def test_who_did_not_wait_takes_no_turn_from_the_first() -> None:
    """The turn is given back by whom it was given to, and by nobody else."""
    lane = Lane(0.0)
    with lane.turn():
        with lane.turn():
            pass
        with lane.turn():  # would raise, were the lock let go twice
            pass
    with lane.turn():
        pass


def test_an_error_gives_the_turn_back() -> None:
    """After a refused token the next one is not kept waiting."""
    lane, began, order = Lane(LONG), threading.Event(), list[str]()
    with pytest.raises(ValueError, match="refused"), lane.turn():
        raise ValueError("refused")
    _in_another_thread(lane, began, order).join(LONG)
    assert order == ["second"]

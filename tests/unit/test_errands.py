"""Errands: what Cognito must still be told is told, later if need be, and nobody waits for it."""

import threading
from collections.abc import Callable

from webapp.errors import ProviderUnavailable
from webapp.signin.errands import FIRST_PAUSE, LIFE_SECONDS, LONGEST_PAUSE, MAX_WAITING, Errands

WAIT = 5.0


class Revocation:
    """Fails so many times, then succeeds; tells when something was done."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.tried: list[str] = []
        self.done: list[str] = []
        self.changed = threading.Condition()

    def __call__(self, refresh_token: str) -> None:
        with self.changed:
            self.tried.append(refresh_token)
            self.changed.notify_all()
            if len(self.tried) <= self.failures:
                raise ProviderUnavailable("The pool is down.")
            self.done.append(refresh_token)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Block until this holds; AssertionError after a few seconds."""
        with self.changed:
            if not self.changed.wait_for(condition, WAIT):
                raise AssertionError(f"tried {len(self.tried)}, done {len(self.done)}")


class Hour:
    """A clock and a pause that stand still for the test."""

    def __init__(self) -> None:
        self.time = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.time

    def pause(self, seconds: float) -> None:
        """Move on by so much."""
        self.pauses.append(seconds)
        self.time += seconds


def test_done_at_once() -> None:
    """A provider that answers is told at once, and nothing runs in the background."""
    revocation = Revocation(0)
    errands = Errands(revocation)
    before = threading.active_count()
    assert errands.revoke("token") is True
    assert revocation.done == ["token"]
    assert (errands.waiting, threading.active_count()) == (0, before)


def test_done_later() -> None:
    """A provider that is down is told later, with growing pauses, until it answers."""
    revocation, hour = Revocation(9), Hour()
    errands = Errands(revocation, clock=hour, pause=hour.pause)
    assert errands.revoke("token") is False
    revocation.wait_for(lambda: revocation.done == ["token"])
    assert revocation.tried == ["token"] * 10
    assert hour.pauses[0] == FIRST_PAUSE
    assert hour.pauses == sorted(hour.pauses)
    assert max(hour.pauses) == LONGEST_PAUSE


def test_given_up_after_an_hour() -> None:
    """A revocation that no longer matters is given up; the next one is tried all the same."""
    revocation, hour = Revocation(10**9), Hour()
    errands = Errands(revocation, clock=hour, pause=hour.pause)
    errands.revoke("first")
    revocation.wait_for(lambda: hour.time >= LIFE_SECONDS)
    tries = revocation.tried.count("first")
    revocation.failures = 0
    errands.later("second")
    revocation.wait_for(lambda: revocation.done == ["second"])
    assert revocation.tried.count("first") <= tries + 1
    assert LIFE_SECONDS / LONGEST_PAUSE - 5 < tries < LIFE_SECONDS / LONGEST_PAUSE + 10


def test_several_wait_together() -> None:
    """Each of several errands is done once, whatever the others do."""
    revocation, hour = Revocation(20), Hour()
    errands = Errands(revocation, clock=hour, pause=hour.pause)
    tokens = [f"token-{number}" for number in range(8)]
    for token in tokens:
        errands.revoke(token)
    revocation.wait_for(lambda: len(revocation.done) == len(tokens))
    assert sorted(revocation.done) == tokens
    assert errands.waiting == 0


class Stuck:
    """An outage during which the runner stands in its first pause; left, all is well again."""

    def __init__(self) -> None:
        self.revocation = Revocation(10**9)
        self._over = threading.Event()
        self.errands = Errands(self.revocation, pause=self._pause)

    def _pause(self, _: float) -> None:
        self._over.wait(WAIT)

    def __enter__(self) -> Errands:
        return self.errands

    def __exit__(self, *_: object) -> None:
        self.revocation.failures = 0
        self._over.set()


def test_bounded() -> None:
    """A long outage fills no memory: beyond the limit the oldest errands stay and no call fails."""
    with Stuck() as errands:
        for number in range(MAX_WAITING + 50):
            errands.later(f"token-{number}")
        assert errands.waiting <= MAX_WAITING


def test_nothing_secret_in_a_repr() -> None:
    """An errand does not show its token when printed."""
    with Stuck() as errands:
        errands.later("very-secret")
        errands.later("very-secret")
        assert "very-secret" not in repr(vars(errands))
        assert "very-secret" not in repr(list(errands._waiting.queue))  # noqa: SLF001

"""CC-02, CC-03, CC-04: one worker holds the turn to refresh, and is slow or is killed.

The three rows are acted out together, once for each store, because each has to wait for the claim
to end by itself; rotation of refresh tokens is on throughout.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import pytest

from tests.contract.redis_server import until
from tests.doubles import Browser, Response
from tests.security.fleet import Fleet
from webapp.store.turns import CLAIM_SECONDS

SLOW_SECONDS = 8.0
SLACK_SECONDS = 8.0
"""For a machine under load, beyond the end of the claim."""
FOLLOWERS = 4


@dataclass
class Part:
    """One session of the scene: its browser, its first refresh token and what came of it."""

    fleet: Fleet
    browser: Browser
    token: str
    answers: list[Response] = field(default_factory=list)
    seconds: float = 0.0

    def get(self, host: int) -> Response:
        """Ask for a private page at this host."""
        return self.fleet.at(self.browser, host).get("/session")

    @property
    def asked(self) -> int:
        """How often Cognito was shown the first refresh token."""
        return sum(form["refresh_token"] == self.token for form in self.fleet.refreshes)

    @property
    def family(self) -> list[str]:
        """The first refresh token and every one that came of it, in order."""
        known = self.fleet.cognito.issuer.pool.refresh_tokens
        occasion = known[self.token].occasion
        return [token for token, one in known.items() if one.occasion is occasion]

    def revoked_at_sign_out(self) -> str:
        """Sign out, and see which refresh token the session held."""
        left = self.browser.sign_out("cognito")
        assert left.status == 303, left
        return self.fleet.cognito.issuer.revoke.last.form()["token"]


@dataclass
class Scene:
    """The sessions, by what befalls the worker that refreshes them."""

    slow: Part
    before: Part
    graced: Part
    lost: Part


def _part(fleet: Fleet) -> Part:
    browser = fleet.signed_in("viewer", life=0)
    return Part(fleet, browser, list(fleet.cognito.issuer.pool.refresh_tokens)[-1])


def _abandoned(part: Part, crowd: ThreadPoolExecutor) -> "Future[Response | None]":
    """A request at host 0, of which nothing is hoped."""

    def ask() -> Response | None:
        try:
            return part.get(0)
        except OSError:
            return None

    return crowd.submit(ask)


@pytest.fixture(scope="module")
def scene(standing_fleet: Fleet) -> Iterator[Scene]:
    """Act it out: three holders on host 0 die, one on host 1 is slow."""
    fleet = standing_fleet
    fleet.reset()
    pool, token = fleet.cognito.issuer.pool, fleet.cognito.issuer.token
    pool.rotation = True
    played = Scene(*(_part(fleet) for _ in range(4)))
    with ThreadPoolExecutor(16) as crowd:
        dying = []
        deaths: list[tuple[Part, Literal["request", "answer"], float]] = [
            (played.before, "request", 0.0),
            (played.graced, "answer", 60.0),
            (played.lost, "answer", 0.0),
        ]
        for part, hold, grace in deaths:
            pool.rotation_grace = grace
            gate = token.once.gate(hold=hold)
            dying.append((gate, _abandoned(part, crowd)))
            gate.wait(1)
        killed = fleet.hosts[0].kill_workers()
        died_at = time.monotonic()
        for gate, future in dying:
            gate.break_off()
            assert future.result(10) is None, "the request of a dead worker was answered"
        slow = token.once.gate(hold="answer")
        first = crowd.submit(played.slow.get, 1)
        slow.wait(1)
        slow_at = time.monotonic()
        fleet.hosts[0].await_workers(2, without=killed)
        followers = [crowd.submit(played.slow.get, 0) for _ in range(FOLLOWERS)]

        def inherit(part: Part) -> None:
            part.answers.append(part.get(1))
            part.seconds = time.monotonic() - died_at

        heirs = [crowd.submit(inherit, one) for one in (played.before, played.graced, played.lost)]
        for heir in heirs:
            heir.result(30)
        until(lambda: time.monotonic() - slow_at >= SLOW_SECONDS)
        slow.open()
        played.slow.answers = [one.result(30) for one in (first, *followers)]
    yield played
    fleet.cognito.heal()
    fleet.cognito.assert_quiet()


def test_CC_02_refresh_slower_than_the_claim(scene: Scene) -> None:
    """A refresh that takes 8 s is one grant, for whoever waits on the other host as well."""
    assert [answer.status for answer in scene.slow.answers] == [200] * (1 + FOLLOWERS)
    assert scene.slow.asked == 1
    assert len(scene.slow.family) == 2
    assert scene.slow.revoked_at_sign_out() == scene.slow.family[-1]


def test_CC_03_holder_killed_before_the_grant(scene: Scene) -> None:
    """The next request waits for the dead worker's claim to end, no longer, and refreshes."""
    assert [answer.status for answer in scene.before.answers] == [200]
    assert scene.before.seconds < CLAIM_SECONDS + SLACK_SECONDS
    assert scene.before.asked == 2
    assert len(scene.before.family) == 2, "the first asking was never acted upon"
    assert scene.before.revoked_at_sign_out() == scene.before.family[-1]


def test_CC_04_holder_killed_after_the_grant_with_grace(scene: Scene) -> None:
    """Within Cognito's grace the old refresh token is taken once more, and the session lives."""
    assert [answer.status for answer in scene.graced.answers] == [200]
    assert scene.graced.seconds < CLAIM_SECONDS + SLACK_SECONDS
    assert scene.graced.asked == 2
    assert len(scene.graced.family) == 3, "one grant was lost with the worker"
    assert scene.graced.revoked_at_sign_out() == scene.graced.family[-1]


def test_CC_04_holder_killed_after_the_grant_without_grace(scene: Scene) -> None:
    """Without grace the person signs in again, once: one page that says so, and no loop."""
    lost = scene.lost
    ended = lost.answers[0]
    assert ended.status == 401, ended.text[:1500]
    assert "/login" in ended.text
    assert "portico" not in lost.browser.cookies
    assert lost.asked == 2
    for host in (0, 1):
        again = lost.get(host)
        assert (again.status, urlsplit(again.location).path) == (303, "/login")
    assert lost.asked == 2, "a refresh token that is dead was tried again"
    fleet = lost.fleet
    callback = fleet.cognito.issuer.approve(lost.browser.start(), fleet.cognito.user("viewer"))
    landed = lost.browser.finish(callback)
    assert landed.status == 303
    assert lost.get(1).status == 200

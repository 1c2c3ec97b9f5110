"""A token that was won while the session store was away reaches its session, and only that."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.contract.redis_server import until
from tests.rooms import Rooms, joined
from webapp.errors import SessionEnded, StoreUnavailable
from webapp.signin.won import ARRIVAL_SECONDS, LOOK_SECONDS
from webapp.store.base import Store
from webapp.store.sqlite import SqliteStore
from webapp.store.vault import Session


class Cut:
    """A store behind a line that can be cut."""

    def __init__(self, path: Path) -> None:
        self._store = SqliteStore(path)
        self.out = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._store, name)

        def asked(*args: Any, **kwargs: Any) -> Any:
            if self.out:
                raise StoreUnavailable("The line is cut.")
            return real(*args, **kwargs)

        return asked


class Host:
    """One host with a line of its own to the store that all share."""

    def __init__(self, path: Path, other: "Host | None" = None) -> None:
        self.line = Cut(path)
        self.pauses = 0
        self.when_it_waits: Callable[[], object] = lambda: None
        more: dict[str, Any] = {}
        if other is not None:
            more = {
                "clock": other.rooms.clock,
                "login": other.rooms.login,
                "users": other.rooms.users,
            }
        self.rooms: Rooms = joined(path, store=cast("Store", self.line), pause=self._pause, **more)

    def token(self, session: Session) -> str:
        """The refresh token that stands in the store."""
        current = self.rooms.vault.reload(session)
        assert current
        assert current.record.tokens
        return current.record.tokens.refresh_token or ""

    def _pause(self, seconds: float) -> None:
        self.pauses += 1
        self.when_it_waits()
        time.sleep(min(seconds, 0.002))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host, and a pool whose refresh tokens rotate without a grace."""
    made = Host(tmp_path / "sessions.db")
    made.rooms.pool.rotation = True
    # So short that a word that was not taken back would still count at the next renewal.
    made.rooms.pool.mint.id_lifetime = made.rooms.pool.mint.access_lifetime = 60
    return made


@pytest.fixture
def other(host: Host, tmp_path: Path) -> Host:
    """A second host."""
    return Host(tmp_path / "sessions.db", host)


def _cut_with_a_token_in_hand(host: Host) -> Session:
    """The line breaks between a grant and its write, for longer than a request waits."""
    session = host.rooms.session()
    host.rooms.expire_tokens()

    def cut() -> None:
        host.rooms.login.after = lambda: None
        host.line.out = True

    host.rooms.login.after = cut
    with pytest.raises(StoreUnavailable):
        host.rooms.freshness.keep(session)
    assert len(host.rooms.login.refreshed) == 1
    return session


def test_ST_01_written_when_the_store_is_back(host: Host, other: Host) -> None:
    """The rotated token is written without anybody's asking; the next renewal waits for nobody."""
    session = _cut_with_a_token_in_hand(host)
    old = session.record.tokens.refresh_token if session.record.tokens else ""
    host.line.out = False
    until(lambda: host.token(session) != old)
    fresh = host.rooms.freshness.keep(session)
    assert fresh.record.refreshed_at is not None
    assert len(host.rooms.login.refreshed) == 1, "a spent token was presented again"
    assert host.rooms.living == 1
    until(lambda: host.rooms.freshness.owed == 0)
    host.rooms.expire_tokens()
    other.rooms.freshness.keep(fresh)
    assert (len(host.rooms.login.refreshed), other.pauses) == (2, 0)


def test_ST_01_the_next_one_waits_for_it(host: Host, other: Host) -> None:
    """Another host finds the store first: it waits for the token and does not present the old."""
    session = _cut_with_a_token_in_hand(host)
    host.rooms.clock.advance(7)  # the claim of the turn has ended

    def mend() -> None:
        host.line.out = False

    other.when_it_waits = mend
    fresh = other.rooms.freshness.keep(session)
    assert fresh.record.tokens
    assert fresh.record.tokens.refresh_token == host.token(session)
    assert len(host.rooms.login.refreshed) == 1
    assert other.pauses > 0


def test_CC_04_whoever_never_comes_is_waited_for_once(host: Host, other: Host) -> None:
    """The holder died with what it had won: the old token is tried, and within a grace it lives."""
    host.rooms.pool.rotation_grace = 60.0
    session = _cut_with_a_token_in_hand(host)  # and its line is never mended
    host.rooms.clock.advance(7)
    fresh = other.rooms.freshness.keep(session)
    assert other.pauses == int(ARRIVAL_SECONDS / LOOK_SECONDS)
    assert len(host.rooms.login.refreshed) == 2
    won = fresh.record.tokens.refresh_token if fresh.record.tokens else ""
    host.line.out = False  # it had not died: what it brings now is late
    until(lambda: host.rooms.freshness.owed == 0)
    assert other.token(session) == won, "a late token took the place of a living one"


def test_CC_05_signed_out_meanwhile(host: Host, other: Host) -> None:
    """Nothing is brought back: the late token is revoked and the session stays ended."""
    session = _cut_with_a_token_in_hand(host)
    assert other.rooms.vault.end(session) is not None
    host.line.out = False
    until(lambda: bool(host.rooms.login.revoked))
    assert host.rooms.login.revoked[0] not in host.rooms.login.refreshed
    assert other.rooms.vault.reload(session) is None
    with pytest.raises(SessionEnded):
        other.rooms.freshness.keep(session)


def test_a_word_is_taken_back(host: Host, other: Host) -> None:
    """After a renewal that went well, and after one that failed, the next one waits for nobody."""
    session = host.rooms.session()
    host.rooms.expire_tokens()
    host.rooms.login.down = True
    with pytest.raises(Exception, match="down"):
        host.rooms.freshness.keep(session)
    host.rooms.login.down = False
    for one in (host, other):
        session = one.rooms.freshness.keep(session)
        host.rooms.expire_tokens()
    assert (host.pauses, other.pauses) == (0, 0)

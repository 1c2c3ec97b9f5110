"""Work that goes on without the request that began it: renewals of tokens that still live."""

import threading
import time
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.rooms import Rooms, joined
from webapp.errors import ProviderUnavailable, SessionEnded
from webapp.managed_login.facts import GrantRefused
from webapp.signin.aside import begun

DUE = 3570
SLACK = 1.0


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms over one SQLite file; time moves by hand."""
    return joined(tmp_path / "sessions.db")


def test_the_outcome_is_the_jobs() -> None:
    """Whoever waits has what the job returned or raised."""
    assert begun(lambda: 7).result(5) == 7
    with pytest.raises(ZeroDivisionError):
        begun(lambda: 1 // 0).result(5)


def test_without_a_thread_it_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has no thread left does the job where it stands."""

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert begun(lambda: threading.current_thread()).result(0) is threading.current_thread()


def test_ID_20_tokens_that_live_wait_a_second(rooms: Rooms) -> None:
    """A pool that is slow to renew tokens that live holds a page up a second, and is heard."""
    rooms.pool.rotation = True
    session = rooms.session()
    rooms.clock.advance(DUE)
    answer = threading.Event()
    rooms.login.after = lambda: answer.wait(20)
    began = time.monotonic()
    assert rooms.freshness.keep(session) is session
    assert 0.9 < time.monotonic() - began < 1.0 + SLACK
    began = time.monotonic()
    kept = rooms.freshness.keep(session)  # somebody is at it
    assert time.monotonic() - began < SLACK
    assert kept.record.tokens == session.record.tokens
    answer.set()
    tokens = session.record.tokens
    assert tokens is not None

    def stored() -> bool:
        current = rooms.vault.reload(session)
        held = current.record.tokens if current else None
        return held is not None and held.refresh_token not in (None, tokens.refresh_token)

    until(stored)
    assert len(rooms.login.refreshed) == 1


def test_what_comes_soon_is_the_answer(rooms: Rooms) -> None:
    """A quick end by the pool is told to this very request, and a quick failure to the operator."""
    session = rooms.session()
    rooms.clock.advance(DUE)
    rooms.login.down = True
    assert rooms.freshness.keep(session) is session
    assert [type(one) for one in rooms.reports] == [ProviderUnavailable]
    assert rooms.freshness.keep(session) is session
    assert len(rooms.login.refreshed) == 1, "it was asked again at once"
    rooms.login.down = False
    rooms.clock.advance(6)

    def refuse() -> None:
        raise GrantRefused("invalid_grant")

    rooms.login.before = refuse
    with pytest.raises(SessionEnded):
        rooms.freshness.keep(session)
    assert rooms.living == 0

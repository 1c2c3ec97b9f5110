"""Errands: what Cognito must still be told is told, by any process, and nobody waits for it."""

import json
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from tests.doubles.clock import Clock
from tests.rooms import Rooms, joined
from tests.unit.test_vault import FailingStore
from webapp.managed_login.client import ManagedLogin
from webapp.signin import errands as module
from webapp.signin.errands import (
    AHEAD_SECONDS,
    FIRST_PAUSE,
    GRACE_SECONDS,
    LIFE_SECONDS,
    LONGEST_PAUSE,
    Errands,
)
from webapp.signin.leaving import Errand
from webapp.store.shelf import AT_IT_SECONDS, TURN_SECONDS, Shelf
from webapp.store.vault import Session


@pytest.fixture
def store(tmp_path: Path) -> FailingStore:
    """A store whose operations can be made to fail."""
    return FailingStore(tmp_path / "sessions.db")


@pytest.fixture
def rooms(tmp_path: Path, store: FailingStore) -> Rooms:
    """Rooms over that store, on a clock that stands."""
    return joined(tmp_path / "sessions.db", store=store, clock=Clock(1_800_000_000.0))


def _shelf(rooms: Rooms) -> Shelf:
    return Shelf(rooms.store, rooms.ring, now=rooms.clock)


def _login(rooms: Rooms) -> ManagedLogin:
    return cast("ManagedLogin", rooms.login)


def _work_after(rooms: Rooms, seconds: float, worker: Rooms | None = None) -> None:
    rooms.clock.advance(seconds)
    (worker or rooms).errands.work()


def _token(session: Session) -> str:
    assert session.record.tokens
    return str(session.record.tokens.refresh_token)


def test_done_at_once_leaves_nothing(rooms: Rooms) -> None:
    """A provider that answers is told at once, and nothing lies in the store afterwards."""
    assert rooms.errands.revoke("token") is True
    assert rooms.login.revoked == ["token"]
    assert _shelf(rooms).lying() == []
    _work_after(rooms, 3600)
    assert rooms.login.revoked == ["token"]


def test_done_later_by_another_process(rooms: Rooms) -> None:
    """What one process could not tell the provider another one tells it, once."""
    rooms.login.down = True
    assert rooms.errands.revoke("token") is False
    rooms.login.down = False
    twin = rooms.twin()
    _work_after(rooms, FIRST_PAUSE, twin)
    assert rooms.login.revoked == ["token"]
    for worker in (rooms, twin):
        _work_after(rooms, LONGEST_PAUSE, worker)
    assert rooms.login.revoked == ["token"]
    assert _shelf(rooms).lying() == []


def test_growing_pauses_until_the_token_has_ended(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried less and less often, and given up, out loud, when nothing is left to revoke."""
    assert LIFE_SECONDS == 30 * 86_400
    life = 20_000  # the same for thirty days takes 8,640 tries
    monkeypatch.setattr(module, "LIFE_SECONDS", life)
    lost: list[str] = []
    errands = Errands(
        _login(rooms),
        rooms.leaving,
        _shelf(rooms),
        now=rooms.clock,
        report=lambda name, _: lost.append(name),
    )
    rooms.login.down, begun, tried = True, rooms.clock(), []
    rooms.login.reached = lambda: tried.append(rooms.clock())
    errands.revoke("token")
    while _shelf(rooms).lying():
        rooms.clock.advance(_shelf(rooms).lying()[0].due - rooms.clock())
        errands.work()
    pauses = [after - before for before, after in pairwise(tried)]
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses == sorted(pauses)
    assert max(pauses) == LONGEST_PAUSE
    assert begun + life - LONGEST_PAUSE <= tried[-1] < begun + life
    assert lost == ["errand_given_up"]


@pytest.mark.parametrize("killed_at", ["before the end", "before the revocation"])
@pytest.mark.parametrize("depth", ["cognito", "everywhere", "switch"])
def test_SO_04_a_sign_out_that_was_cut_short(rooms: Rooms, killed_at: str, depth: str) -> None:
    """A process that dies within a sign-out loses nothing of it: another one does the rest."""
    rooms.pool.rotation = True
    session, elsewhere = rooms.session(), rooms.session()
    errand = rooms.leaving.begun(depth, session)  # type: ignore[arg-type]
    rooms.errands.note(errand)
    if killed_at == "before the revocation":
        rooms.vault.end(session)
    else:  # a refresh came between: the token that was written down is no longer the newest
        rooms.expire_tokens()
        session = rooms.freshness.keep(session)
        rooms.clock.advance(-rooms.pool.mint.id_lifetime - 1)
    twin = rooms.twin()
    _work_after(rooms, GRACE_SECONDS - 1, twin)
    assert rooms.login.revoked == []
    _work_after(rooms, 2, twin)
    assert rooms.vault.reload(session) is None
    assert rooms.login.revoked[-1] == _token(session)
    assert (rooms.vault.reload(elsewhere) is None) is (depth == "everywhere")
    assert bool(rooms.login.signed_out) is (depth == "everywhere")
    assert _shelf(rooms).lying() == []


def test_SO_11_later_sessions_are_spared(rooms: Rooms) -> None:
    """Everywhere, done late, ends what there was when it was asked for, and nothing newer."""
    session, old = rooms.session(), rooms.session()
    rooms.errands.note(rooms.leaving.begun("everywhere", session))
    rooms.clock.advance(5)
    newer = rooms.session()
    _work_after(rooms, GRACE_SECONDS)
    assert [rooms.vault.reload(one) for one in (session, old)] == [None, None]
    assert rooms.vault.reload(newer) == newer


def test_one_at_a_time(rooms: Rooms) -> None:
    """While one process is at an errand no other takes it, unless the first is gone."""
    shelf, other = _shelf(rooms), _shelf(rooms)
    rooms.errands.later("token")
    (due,) = shelf.lying()
    with shelf.taken(due) as first, other.taken(due) as second:
        assert first
        assert second is None
        rooms.clock.advance(AT_IT_SECONDS + 1)
        with other.taken(due) as third:
            assert third


def test_one_process_looks_for_all(rooms: Rooms) -> None:
    """One process looks after the errands of the fleet; when it is gone, the next one does."""
    shelf, other = _shelf(rooms), _shelf(rooms)
    assert shelf.our_turn()
    assert not other.our_turn()
    assert shelf.our_turn()
    rooms.clock.advance(TURN_SECONDS + 1)
    assert other.our_turn()
    assert not shelf.our_turn()


def test_another_application_over_the_same_store(rooms: Rooms) -> None:
    """Whoever has another key looks after errands of their own, and neither keeps the other."""
    stranger = joined(rooms.path, secrets=[b"another key of at least 32 bytes!"], clock=rooms.clock)
    for each in (rooms, stranger):
        each.errands.later("token")
        each.errands.work()
    assert rooms.login.revoked == stranger.login.revoked == ["token"]


def test_a_store_that_is_away(rooms: Rooms, store: FailingStore) -> None:
    """Without the store an errand waits in the process, is done from there, or written later."""
    store.failing, rooms.login.down = {"create", "replace", "delete", "load"}, True
    rooms.errands.later("first")
    rooms.errands.later("second")
    assert rooms.errands.waiting == 2
    rooms.clock.advance(1)
    rooms.login.down = False
    rooms.errands.work()
    assert sorted(rooms.login.revoked) == ["first", "second"]
    assert rooms.errands.waiting == 0
    rooms.login.down = True
    rooms.errands.later("third")
    store.failing = set()
    rooms.errands.work()
    assert rooms.errands.waiting == 0
    assert len(_shelf(rooms).lying()) == 1
    rooms.login.down = False
    _work_after(rooms, LONGEST_PAUSE, rooms.twin())
    assert rooms.login.revoked[-1] == "third"


def test_an_outage_is_not_asked_ten_thousand_times(rooms: Rooms) -> None:
    """With many errands and the provider out, each look costs a few tries, and none is lost."""
    rooms.login.down = True
    for number in range(30):
        rooms.errands.later(f"token-{number}")
    tried: list[float] = []
    rooms.login.reached = lambda: tried.append(0.0)
    rooms.clock.advance(1)
    rooms.errands.work()
    assert 0 < len(tried) <= module.FAILURES
    rooms.login.down = False
    _work_after(rooms, LONGEST_PAUSE)
    assert sorted(rooms.login.revoked) == sorted(f"token-{number}" for number in range(30))


@pytest.mark.parametrize("away", [False, True])
def test_bounded(
    rooms: Rooms, store: FailingStore, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    """Beyond the limit errands are dropped, with an event, in the store as in a process."""
    monkeypatch.setattr(module, "MOST", 20)
    lost: list[tuple[str, int]] = []
    errands = Errands(
        _login(rooms),
        rooms.leaving,
        _shelf(rooms),
        now=rooms.clock,
        report=lambda name, count: lost.append((name, count)),
    )
    store.failing = {"create"} if away else set()
    rooms.login.down = True
    for number in range(25):
        errands.later(f"token-{number}")
    store.failing = set()
    errands.work()
    assert lost == ([("errand_dropped", 1)] * 5 if away else [("errand_dropped", 5)])
    assert len(_shelf(rooms).lying()) == 20
    assert errands.waiting == 0


def test_written_ahead_for_a_day(rooms: Rooms) -> None:
    """What is done at once leaves its tombstone for a day; what failed lies for thirty."""
    rooms.errands.note(Errand(int(rooms.clock()), refresh="token", ended=True))
    (lying,) = _listed(rooms)
    assert lying == int(rooms.clock()) + AHEAD_SECONDS
    rooms.login.down = True
    _work_after(rooms, GRACE_SECONDS)
    (lying,) = _listed(rooms)
    assert lying == int(rooms.clock() - GRACE_SECONDS) + LIFE_SECONDS


def _listed(rooms: Rooms) -> list[int]:
    found = (rooms.store.load(one.key, now=rooms.clock()) for one in _shelf(rooms).lying())
    return [one.expires_at for one in found if one]


def test_what_a_dump_shows(rooms: Rooms) -> None:
    """In the store an errand shows neither token nor ticket, and opens only with our keys."""
    rooms.login.down = True
    session = rooms.session()
    rooms.sign_out.end(session, "everywhere")
    dump = b"".join(path.read_bytes() for path in rooms.path.parent.iterdir())
    assert session.record.tokens
    for secret in (_token(session), session.record.tokens.access_token, session.ticket.text):
        assert secret.encode() not in dump
    stranger = joined(rooms.path, secrets=[b"another key of at least 32 bytes!"])
    assert _shelf(stranger).lying() == []
    turned = joined(rooms.path, secrets=[b"another key of at least 32 bytes!", *_secrets()])
    assert len(_shelf(turned).lying()) == 1


def _secrets() -> list[bytes]:
    return [b"the-first-key-of-32-bytes-or-more"]


def test_planted_and_foreign_errands(rooms: Rooms) -> None:
    """What no key of ours sealed, and what another release wrote, harms nothing and is left."""
    shelf = _shelf(rooms)
    shelf.put(b"no errand", due=0, until=rooms.clock() + 99)
    shelf.put(json.dumps({"begun": 1, "new": 2}).encode(), due=0, until=rooms.clock() + 99)
    rooms.errands.later("token")
    rooms.errands.work()
    assert rooms.login.revoked == ["token"]
    assert len(shelf.lying()) == 2


def test_nothing_secret_in_a_repr(rooms: Rooms, store: FailingStore) -> None:
    """An errand does not show what it holds when printed, in the process or read back."""
    rooms.login.down, store.failing = True, {"create"}
    rooms.errands.later("very-secret")
    assert "very-secret" not in repr(rooms.errands._held)  # noqa: SLF001
    store.failing = set()
    rooms.errands.work()
    shelf = _shelf(rooms)
    with shelf.taken(shelf.lying()[0]) as lying:
        assert lying
        assert b"very-secret" in lying.plain
        assert "very-secret" not in repr(lying)

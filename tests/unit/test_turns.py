"""Turns: one does the work, the others wait for it, and nobody waits for the dead."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.doubles.clock import Clock
from tests.race import at_once
from tests.rooms import Rooms, joined
from webapp import budget
from webapp.breaker import Seats
from webapp.errors import SessionEnded, Unavailable
from webapp.records import SessionRecord
from webapp.store.sqlite import SqliteStore
from webapp.store.turns import (
    CLAIM_SECONDS,
    EASY_LOOKS,
    LOOK_SECONDS,
    WAIT_SECONDS,
    Turns,
)
from webapp.store.vault import Session

PURPOSE = b"test/"


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms on a clock that stands."""
    return joined(tmp_path / "sessions.db", clock=Clock(1_800_000_000.0))


def _settled(record: SessionRecord) -> bool:
    return record.chosen_role == "done"


def _never(_: SessionRecord) -> bool:
    return False


def _work(rooms: Rooms, session: Session) -> Session:
    return rooms.vault.change(session, lambda record: replace(record, chosen_role="done"))


def _once(
    rooms: Rooms,
    session: Session,
    *,
    turns: Turns | None = None,
    usable: Callable[[SessionRecord], bool] = _never,
    work: Callable[[Session], Session] | None = None,
) -> Session:
    return (turns or rooms.turns).once(
        session,
        PURPOSE,
        settled=_settled,
        usable=usable,
        work=work or partial(_work, rooms),
    )


def _hold(rooms: Rooms, session: Session, owner: bytes = b"another") -> None:
    assert rooms.store.claim(
        PURPOSE + session.place, owner, now=rooms.clock(), seconds=CLAIM_SECONDS
    )


def _waiting(rooms: Rooms, pause: Callable[[float], None]) -> Turns:
    return Turns(rooms.vault, now=rooms.clock, pause=pause)


def test_our_turn(rooms: Rooms) -> None:
    """With nobody at it the work is done, and the claim is free afterwards."""
    session = rooms.session()
    assert _settled(_once(rooms, session).record)
    _hold(rooms, session)


def test_done_already(rooms: Rooms) -> None:
    """What the turn before settled between our look and our claim is not done again."""
    session = rooms.session()
    _work(rooms, session)

    def work(_: Session) -> Session:
        raise AssertionError("done twice")

    assert _settled(_once(rooms, session, work=work).record)
    _hold(rooms, session)


def test_usable_meanwhile(rooms: Rooms) -> None:
    """Who has something usable does not wait for the one at work."""
    session = rooms.session()
    _hold(rooms, session)

    def pause(_: float) -> None:
        raise AssertionError("waited")

    found = _once(rooms, session, turns=_waiting(rooms, pause), usable=lambda _: True)
    assert found is session


def test_waits_for_the_other(rooms: Rooms) -> None:
    """Who has nothing usable gets what the one at work brings."""
    session = rooms.session()
    _hold(rooms, session)
    looks = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 5:
            _work(rooms, session)

    def work(_: Session) -> Session:
        raise AssertionError("done twice")

    found = _once(rooms, session, turns=_waiting(rooms, pause), work=work)
    assert _settled(found.record)
    assert looks == [LOOK_SECONDS] * 5


def test_waits_no_longer_than_it_may(rooms: Rooms) -> None:
    """A turn that takes too long is an error that says so, after a bounded wait."""
    session = rooms.session()
    _hold(rooms, session)
    waited: list[float] = []
    with pytest.raises(Unavailable) as late:
        _once(rooms, session, turns=_waiting(rooms, waited.append))
    assert late.value.code == "busy"
    assert sum(waited) == pytest.approx(WAIT_SECONDS, abs=1)


def test_a_long_turn_leaves_threads_over(rooms: Rooms) -> None:
    """For a second anybody may wait; who has no seat then is told to come back."""
    session = rooms.session()
    _hold(rooms, session)
    seats = Seats(1, patience=0)
    waited: list[float] = []
    turns = Turns(rooms.vault, now=rooms.clock, pause=waited.append, waiting=seats)
    with pytest.raises(Unavailable):
        _once(rooms, session, turns=turns)
    assert sum(waited) > WAIT_SECONDS - 1
    assert seats.taken(), "the seat was not given back"
    waited.clear()
    with pytest.raises(Unavailable) as late:
        _once(rooms, session, turns=turns)
    assert late.value.code == "busy"
    assert sum(waited) == pytest.approx(EASY_LOOKS * LOOK_SECONDS)


def test_RT_14_nobody_waits_past_the_end_of_the_request(rooms: Rooms) -> None:
    """A request whose time is over stops waiting for another's turn."""
    session = rooms.session()
    _hold(rooms, session)
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            budget.begin(0)

    budget.begin(100)
    try:
        with pytest.raises(Unavailable):
            _once(rooms, session, turns=_waiting(rooms, pause))
    finally:
        budget.over()
    assert len(waited) == 3


def test_CC_03_holder_killed_before_the_work(rooms: Rooms) -> None:
    """When the one at work dies its claim ends by itself, and the next does the work."""
    session = rooms.session()
    _hold(rooms, session)
    found = _once(rooms, session, turns=_waiting(rooms, rooms.clock.advance))
    assert _settled(found.record)
    assert rooms.clock() - 1_800_000_000 == pytest.approx(CLAIM_SECONDS, abs=2 * LOOK_SECONDS)


def test_a_failure_frees_the_claim(rooms: Rooms) -> None:
    """When the work fails the error comes out and the next may try at once."""
    session = rooms.session()

    def work(_: Session) -> Session:
        raise Unavailable("The other side is down.")

    for _ in range(2):
        with pytest.raises(Unavailable, match="down"):
            _once(rooms, session, work=work)


def test_ended_while_waiting(rooms: Rooms) -> None:
    """A session that ends while we wait is told as ended elsewhere."""
    session = rooms.session()
    _hold(rooms, session)

    def pause(_: float) -> None:
        rooms.vault.end(session)

    with pytest.raises(SessionEnded) as ended:
        _once(rooms, session, turns=_waiting(rooms, pause))
    assert ended.value.code == "ended_meanwhile"


def test_ended_before_our_turn(rooms: Rooms) -> None:
    """No work is done for a session that is gone, and the claim is free afterwards."""
    session = rooms.session()
    rooms.vault.end(session)

    def work(_: Session) -> Session:
        raise AssertionError("worked for a session that is gone")

    with pytest.raises(SessionEnded):
        _once(rooms, session, work=work)
    _hold(rooms, session)


def test_sessions_do_not_wait_for_each_other(rooms: Rooms) -> None:
    """A claim is one session's and one purpose's."""
    first, second = rooms.session(), rooms.session()
    _hold(rooms, first)
    assert _settled(_once(rooms, second).record)


def test_a_crowd_works_once(rooms: Rooms) -> None:
    """Of twenty at one moment one works, and all have its result."""
    session = rooms.session()
    worked = []

    def work(held: Session) -> Session:
        worked.append(held)
        return _work(rooms, held)

    found = at_once(*(partial(_once, rooms, session, work=work) for _ in range(20)))
    assert len(worked) == 1
    assert all(isinstance(one, Session) and _settled(one.record) for one in found)


class WatchedStore(SqliteStore):
    """A store that tells when one owner has claimed a second time: a renewal."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.renewed = threading.Event()
        self._owners: list[bytes] = []

    def claim(self, name: bytes, owner: bytes, *, now: float, seconds: float) -> bool:
        """See Store."""
        taken = super().claim(name, owner, now=now, seconds=seconds)
        if taken and owner in self._owners:
            self.renewed.set()
        self._owners.append(owner)
        return taken


def test_CC_02_slow_work_keeps_its_claim(tmp_path: Path) -> None:
    """Work that is slower than a claim renews it, so that nobody else begins the same."""
    store = WatchedStore(tmp_path / "sessions.db")
    rooms = joined(tmp_path / "sessions.db", store=store, clock=Clock(1_800_000_000.0))
    session = rooms.session()

    def work(held: Session) -> Session:
        rooms.clock.advance(CLAIM_SECONDS - 1)
        store.renewed.clear()
        assert store.renewed.wait(CLAIM_SECONDS), "the claim was not renewed"
        rooms.clock.advance(CLAIM_SECONDS - 1)
        assert not store.claim(PURPOSE + held.place, b"other", now=rooms.clock(), seconds=6)
        return _work(rooms, held)

    before = threading.active_count()
    assert _settled(_once(rooms, session, work=work).record)
    for thread in threading.enumerate()[before:]:
        thread.join(5)
    assert threading.active_count() <= before

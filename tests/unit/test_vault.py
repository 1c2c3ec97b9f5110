"""Sessions in the store: opened by a ticket, changed as read, ended for good."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.clock import Clock
from tests.rooms import Rooms, joined
from webapp.errors import SessionEnded, StoreUnavailable
from webapp.records import SessionRecord
from webapp.store.base import Stored
from webapp.store.sealing import Ticket
from webapp.store.sqlite import SqliteStore
from webapp.store.vault import HEIRS, Session

IDLE, ABSOLUTE = 1800, 7200


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms with half an hour of idleness and two hours in all, on a clock that stands."""
    return joined(
        tmp_path / "sessions.db", clock=Clock(1_800_000_000.0), idle=IDLE, absolute=ABSOLUTE
    )


class FailingStore(SqliteStore):
    """A SQLite store of which chosen operations fail; every call is counted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.failing: set[str] = set()
        self.calls: list[str] = []

    def _came(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise StoreUnavailable("The store is down.")

    def load(self, key: bytes, *, now: float) -> Stored | None:
        """See Store."""
        self._came("load")
        return super().load(key, now=now)

    def create(self, key: bytes, sealed: bytes, **more: Any) -> bool:
        """See Store."""
        self._came("create")
        return super().create(key, sealed, **more)

    def replace(self, key: bytes, sealed: bytes, **more: Any) -> bool:
        """See Store."""
        self._came("replace")
        return super().replace(key, sealed, **more)

    def delete(self, key: bytes, *, until: int) -> Stored | None:
        """See Store."""
        self._came("delete")
        return super().delete(key, until=until)

    def claim(self, name: bytes, owner: bytes, *, now: float, seconds: float) -> bool:
        """See Store."""
        self._came("claim")
        return super().claim(name, owner, now=now, seconds=seconds)

    def purge(self, *, now: float, limit: int) -> int:
        """See Store."""
        self._came("purge")
        return super().purge(now=now, limit=limit)


def _seen(seconds: int) -> Callable[[SessionRecord], SessionRecord]:
    return lambda record: replace(record, seen_at=record.seen_at + seconds)


def test_opened_by_its_ticket(rooms: Rooms) -> None:
    """The text of a ticket opens the record that was put away under it."""
    session = rooms.session()
    assert rooms.vault.open(session.ticket.text) == session
    assert session.version == 1


@pytest.mark.parametrize(
    "text", ["", "x", "A" * 43, "A" * 44, "A" * 45, "é" * 44, "=" * 44, "A" * 5000]
)
def test_unknown_tickets_are_nobody(rooms: Rooms, text: str) -> None:
    """Whatever is not exactly a ticket of ours opens nothing."""
    rooms.session()
    assert rooms.vault.open(text) is None


def test_half_a_ticket_opens_nothing(rooms: Rooms) -> None:
    """Neither the id with another secret nor the secret with another id opens a record."""
    session = rooms.session()
    raw = session.ticket.raw
    assert rooms.vault.open(Ticket(raw[:17] + bytes(16)).text) is None
    assert rooms.vault.open(Ticket(raw[:1] + bytes(16) + raw[17:]).text) is None
    assert rooms.vault.open(Ticket(bytes((raw[0] ^ 1,)) + raw[1:]).text) is None


def test_idle_end(rooms: Rooms) -> None:
    """Without a visit a session ends after the idle time, to the second."""
    session = rooms.session()
    rooms.clock.advance(IDLE - 1)
    assert rooms.vault.open(session.ticket.text)
    assert rooms.vault.seconds_left(session.record) == 1
    rooms.clock.advance(1)
    assert rooms.vault.open(session.ticket.text) is None
    assert rooms.vault.seconds_left(session.record) == 0


def test_absolute_end(rooms: Rooms) -> None:
    """Visits do not carry a session past its absolute end."""
    session = rooms.session()
    for _ in range(ABSOLUTE // 600 - 1):
        rooms.clock.advance(600)
        session = rooms.vault.touch(session)
    rooms.clock.advance(599)
    assert rooms.vault.open(session.ticket.text)
    rooms.clock.advance(1)
    assert rooms.vault.open(session.ticket.text) is None


def test_a_visit_is_written_once_a_minute(tmp_path: Path) -> None:
    """Reading costs one load; the note of a visit is written at most once a minute."""
    store = FailingStore(tmp_path / "sessions.db")
    rooms = joined(tmp_path / "sessions.db", store=store, clock=Clock(1_800_000_000.0))
    session = rooms.session()
    store.calls.clear()
    for _ in range(180):
        opened = rooms.vault.open(session.ticket.text)
        assert opened
        rooms.vault.touch(opened)
        rooms.clock.advance(1)
    assert store.calls.count("load") == 180
    assert store.calls.count("replace") == 2


def test_short_lifetimes_are_noted_more_often(tmp_path: Path) -> None:
    """With an idle time of twenty seconds a busy person is not thrown out."""
    rooms = joined(tmp_path / "s.db", idle=20, absolute=3600, clock=Clock(1_800_000_000.0))
    session = rooms.session()
    for _ in range(20):
        rooms.clock.advance(6)
        session = rooms.vault.touch(session)
        assert rooms.vault.open(session.ticket.text)


def test_a_clock_that_steps_back_shortens_nothing(rooms: Rooms) -> None:
    """A visit noted under an earlier clock does not move the last visit back."""
    session = rooms.session()
    rooms.clock.advance(-3600)
    assert rooms.vault.touch(session).record.seen_at == session.record.seen_at


def test_changes_meet(rooms: Rooms) -> None:
    """Two changes made on the same reading both stand afterwards."""
    session = rooms.session()
    rooms.vault.change(session, lambda record: replace(record, chosen_role="arn:a"))
    both = rooms.vault.change(session, lambda record: replace(record, userinfo={"sub": "x"}))
    assert (both.record.chosen_role, both.record.userinfo) == ("arn:a", {"sub": "x"})
    assert both.version == 3
    assert rooms.vault.reload(session) == both


def test_a_change_of_nothing_writes_nothing(rooms: Rooms) -> None:
    """A change that leaves the record as it is costs no write."""
    session = rooms.session()
    assert rooms.vault.change(session, lambda record: record) is session


def test_endless_conflict_ends(tmp_path: Path) -> None:
    """A change that always comes second gives up with a clear error."""
    rooms = joined(tmp_path / "s.db")
    session = rooms.session()

    def always_late(record: SessionRecord) -> SessionRecord:
        current = rooms.vault.reload(session)
        assert current
        bumped = _seen(1)(current.record)
        rooms.vault.change(current, lambda _: bumped)
        return replace(record, chosen_role="arn:late")

    with pytest.raises(SessionEnded):
        rooms.vault.change(session, always_late)


def test_ended_for_good(rooms: Rooms) -> None:
    """After the end there is no session, no change and no second end."""
    session = rooms.session()
    assert rooms.vault.end(session) == session.record
    assert rooms.vault.end(session) is None
    assert rooms.vault.open(session.ticket.text) is None
    with pytest.raises(SessionEnded) as ended:
        rooms.vault.change(session, _seen(5))
    assert ended.value.code == "ended_meanwhile"
    assert rooms.living == 0


def test_the_end_hands_out_the_newest(rooms: Rooms) -> None:
    """Ending gives the record as it stands, not as this request had read it."""
    session = rooms.session()
    newer = rooms.vault.change(session, lambda record: replace(record, chosen_role="arn:new"))
    assert rooms.vault.end(session) == newer.record


def test_moved_to_a_new_ticket(rooms: Rooms) -> None:
    """After a move the new ticket alone opens, and nothing of the old tells it."""
    session = rooms.session()
    moved = rooms.vault.move(session)
    assert moved.ticket != session.ticket
    assert rooms.vault.open(session.ticket.text) is None
    assert rooms.vault.open(moved.ticket.text) == moved
    assert moved.record == session.record
    stranger = joined(rooms.path, secrets=[b"another key of at least 32 bytes!"])
    assert rooms.living == 1
    with pytest.raises(SessionEnded):
        stranger.vault.move(session)
    assert rooms.living == 1


def test_moved_with_what_came_meanwhile(rooms: Rooms) -> None:
    """What another request wrote just before the move is not lost by it."""
    session = rooms.session()
    rooms.vault.change(session, lambda record: replace(record, chosen_role="arn:new"))
    assert rooms.vault.move(session).record.chosen_role == "arn:new"


def test_the_old_ticket_ends_the_new_session(rooms: Rooms) -> None:
    """A sign-out that read the session before its move ends it all the same."""
    session = rooms.session()
    moved = rooms.vault.move(session)
    assert rooms.vault.end(session) == moved.record
    assert rooms.vault.open(moved.ticket.text) is None
    assert rooms.living == 0


def test_an_ended_session_cannot_move(rooms: Rooms) -> None:
    """A move of a session that was ended leaves nothing alive."""
    session = rooms.session()
    rooms.vault.end(session)
    with pytest.raises(SessionEnded):
        rooms.vault.move(session)
    assert rooms.living == 0


@pytest.mark.parametrize("failing", ["create", "delete"])
def test_an_outage_loses_no_session_that_moves(tmp_path: Path, failing: str) -> None:
    """When the store fails in the middle of a move the old ticket still opens."""
    store = FailingStore(tmp_path / "sessions.db")
    rooms = joined(tmp_path / "sessions.db", store=store)
    session = rooms.session()
    store.failing = {failing}
    with pytest.raises(StoreUnavailable):
        rooms.vault.move(session)
    store.failing = set()
    assert rooms.vault.open(session.ticket.text) == session
    assert rooms.vault.end(session) == session.record
    assert rooms.living == 0


def test_all_sessions_of_a_person(rooms: Rooms) -> None:
    """Ending all of a person ends those and nobody else's."""
    mine = [rooms.session("admin") for _ in range(3)]
    other = rooms.session("viewer")
    person = mine[0].record.person
    assert person
    assert rooms.vault.end_all_of(person) == 3
    assert [rooms.vault.reload(one) for one in mine] == [None] * 3
    assert rooms.vault.reload(other) == other
    assert rooms.vault.end_all_of(person) == 0


def test_same_subject_of_another_issuer_is_another_person(rooms: Rooms) -> None:
    """The key of a person is issuer and subject together, and cannot be confused."""
    session = rooms.session()
    person = session.record.person
    assert person
    for other in (
        replace(person, issuer="https://other"),
        replace(person, subject="other"),
        replace(person, issuer=person.issuer[:-1], subject=person.issuer[-1] + person.subject),
    ):
        assert rooms.vault.end_all_of(other) == 0
    assert rooms.vault.reload(session)


def test_a_sign_in_sweeps_nothing(tmp_path: Path) -> None:
    """Removing what has ended is no request's business."""
    store = FailingStore(tmp_path / "sessions.db")
    rooms = joined(tmp_path / "sessions.db", store=store)
    rooms.vault.move(rooms.session())
    assert "purge" not in store.calls


def test_nothing_secret_in_a_repr(rooms: Rooms) -> None:
    """Neither a session nor its parts show ticket, keys or tokens when printed."""
    session: Session = rooms.session()
    text = repr(session)
    tokens = session.record.tokens
    assert tokens
    assert "eyJ" not in text
    assert session.ticket.text not in text
    assert str(session.key.records) not in text
    assert str(tokens.refresh_token) not in text


def test_whoever_holds_the_old_ticket_in_flight_is_led_on(rooms: Rooms) -> None:
    """A request that read the session before it moved finds it; the old ticket opens nothing."""
    before = rooms.session("admin")
    moved = rooms.vault.move(before)
    assert rooms.vault.reload(before) == moved
    changed = rooms.vault.change(before, lambda record: replace(record, userinfo_at=7))
    assert changed.ticket == moved.ticket
    assert rooms.vault.open(before.ticket.text) is None


def test_an_ended_heir_is_not_found(rooms: Rooms) -> None:
    """After a sign-out neither the old ticket nor the next one leads anywhere."""
    before = rooms.session("admin")
    rooms.vault.end(rooms.vault.move(before))
    assert rooms.vault.reload(before) is None


def test_the_heir_of_a_replaced_ticket(rooms: Rooms) -> None:
    """For a sign-out, and only for that, a replaced ticket leads on to the session it became."""
    first = rooms.session("admin")
    text = first.ticket.text
    assert rooms.vault.heir_of(text) is None
    session = first
    for _ in range(HEIRS):
        session = rooms.vault.move(session)
        assert rooms.vault.open(text) is None
        found = rooms.vault.heir_of(text)
        assert found
        assert (found.place, found.record) == (session.place, session.record)
    rooms.vault.move(session)
    assert rooms.vault.heir_of(text) is None
    for unknown in ("", "A" * 44, "x" * 44):
        assert rooms.vault.heir_of(unknown) is None


def test_the_places_of_a_ticket(rooms: Rooms) -> None:
    """A ticket names its own place and its heir's, and nothing that is no ticket names any."""
    session = rooms.session("admin")
    moved = rooms.vault.move(session)
    assert rooms.vault.places_of(session.ticket.text) == [session.place, moved.place]
    assert rooms.vault.places_of("x") == []

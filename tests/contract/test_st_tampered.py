"""ST-09 to ST-13 on every store: what was changed, copied, planted or put back opens nothing."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.hands import Hands
from tests.doubles.clock import Clock
from tests.rig import Rig
from tests.rooms import Rooms, joined
from tests.security.outcomes import is_anonymous
from webapp.errors import SessionEnded, StoreUnavailable
from webapp.store.base import Store, Stored
from webapp.store.sealing import FORMAT, Ticket
from webapp.store.vault import Session


def positions(hands: Hands, size: int) -> list[int]:
    """Each byte on Redis, the edges of the format and a sample on the others.

    tests/security/test_st_records.py tries each byte of a record in SQLite.
    """
    if hands.kind == "redis":
        return list(range(size))
    edges = {*range(16), *range(size - 17, size)}
    return sorted(edges | set(random.Random(9).sample(range(size), 40)))


def test_ST_09_each_byte_flipped(rooms: Rooms, hands: Hands) -> None:
    """Whatever byte is bent in the store: no session, no error, one event; mended it opens."""
    session = rooms.session()
    sealed = hands.sealed(session.place)
    tried = positions(hands, len(sealed))
    for position in tried:
        bent = bytearray(sealed)
        bent[position] ^= 1 << (position % 8)
        hands.plant(session.place, bytes(bent))
        assert rooms.vault.open(session.ticket.text) is None, position
    assert [place for place, _ in rooms.refusals] == [session.place] * len(tried)
    hands.plant(session.place, sealed)
    assert rooms.vault.open(session.ticket.text) == session


def test_ST_09_cut_short(rooms: Rooms, hands: Hands) -> None:
    """A record that was cut anywhere is none, and is reported."""
    session = rooms.session()
    sealed = hands.sealed(session.place)
    cuts = [0, 1, 28, 29, 100, len(sealed) - 1]
    for cut in cuts:
        hands.plant(session.place, sealed[:cut])
        assert rooms.vault.open(session.ticket.text) is None, cut
    assert [place for place, _ in rooms.refusals] == [session.place] * len(cuts)


def test_ST_09_flipped_under_a_browser(rig: Rig, hands: Hands) -> None:
    """The browser of a damaged record is signed out on every page; an event, and no 500."""
    browser = rig.signed_in("admin")
    session = opened(rig, browser.cookies["portico"])
    sealed = bytearray(hands.sealed(session.place))
    sealed[40] ^= 1
    hands.plant(session.place, bytes(sealed))
    before = len(rig.log)
    assert is_anonymous(rig, browser)
    for path in ("/", "/session", "/credentials", "/api", "/sessions"):
        assert browser.get(path).status in (200, 303), path
    events = [json.loads(line) for line in rig.log[before:].splitlines()]
    assert {one["level"] for one in events if one["event"] == "record_refused"} == {"error"}
    assert not [one for one in events if one["event"] == "unforeseen"]


def opened(rig: Rig, cookie: str) -> Session:
    """The session behind a cookie."""
    session = rig.services.vault.open(cookie)
    assert session
    return session


def test_ST_10_under_another_id(rooms: Rooms, hands: Hands) -> None:
    """A's record under B's id is nobody's: by B's ticket, by A's, by halves of both."""
    ann, ben = rooms.session("admin"), rooms.session("viewer")
    whole = hands.sealed(ann.place)
    hands.plant(ben.place, whole)
    halves = Ticket(ben.ticket.raw[:17] + ann.ticket.raw[17:])
    assert rooms.vault.open(ben.ticket.text) is None
    assert rooms.vault.open(halves.text) is None
    assert [place for place, _ in rooms.refusals] == [ben.place] * 2
    assert rooms.vault.open(ann.ticket.text) == ann


class Lying:
    """A store that answers every question after one key with what lies under another."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.instead: bytes | None = None

    def load(self, key: bytes, *, now: float) -> Stored | None:
        """The other's."""
        return self._store.load(self.instead or key, now=now)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def test_ST_11_anothers_answer(hands: Hands, tmp_path: Path) -> None:
    """An answer that belongs to another question opens nothing, nor is it written back."""
    clock = Clock()
    lying = Lying(hands.open(clock))
    rooms = joined(tmp_path / "unused", clock=clock, store=lying)  # type: ignore[arg-type]
    ann, ben = rooms.session("admin"), rooms.session("viewer")
    lying.instead = ann.place
    assert rooms.vault.open(ben.ticket.text) is None
    assert rooms.vault.reload(ben) is None
    with pytest.raises(SessionEnded):
        rooms.vault.change(replace(ben, version=9), lambda record: replace(record, identity_id="x"))
    refused = [place for place, _ in rooms.refusals]
    assert refused.count(ben.place) >= 2
    assert ann.place not in refused
    lying.instead = None
    assert rooms.vault.open(ben.ticket.text) == ben
    assert rooms.vault.open(ann.ticket.text) == ann


PLANTED: dict[str, Callable[[Path], bytes]] = {
    "pickle": lambda path: b"cposix\nsystem\n(S'touch " + str(path).encode() + b"'\ntR.",
    "yaml": lambda path: b"!!python/object/apply:os.system ['touch %s']" % str(path).encode(),
    "text": lambda _: b'{"person": {"subject": "admin"}}',
    "oversized": lambda _: bytes((FORMAT,)) + b"x" * 300_000,
    "newer": lambda _: bytes((FORMAT + 1,)) + b"x" * 900,
    "newest": lambda _: b"\xff" * 900,
}


def test_ST_12_planted(rooms: Rooms, hands: Hands, tmp_path: Path) -> None:
    """Planted bytes are neither run nor believed, by any way to the record."""
    trap = tmp_path / "trap"
    for name, plant in PLANTED.items():
        session = rooms.session()
        hands.plant(session.place, plant(trap))
        assert rooms.vault.open(session.ticket.text) is None, name
        assert rooms.vault.reload(session) is None, name
        with suppress(StoreUnavailable):  # DynamoDB's answer to that may be too large as well
            assert rooms.vault.end(session) is None, name
        assert {place for place, _ in rooms.refusals} == {session.place}, name
        assert rooms.vault.open(session.ticket.text) is None, name
        assert not trap.exists(), name
        rooms.refusals.clear()

"""ST and KY: a store that was tampered with or lies gives no session; keys are rotated."""

import json
import os
import sqlite3
import string
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.browser import Browser
from tests.rig import Rig, rigged
from tests.rooms import Rooms, joined
from tests.security.outcomes import is_anonymous
from webapp.app import create_app
from webapp.keyring import NONCE_BYTES
from webapp.services import build
from webapp.store.base import Stored
from webapp.store.keyroll import LIFE_SECONDS
from webapp.store.sealing import FORMAT, MAX_RECORD_BYTES, Ticket
from webapp.store.sqlite import SqliteStore
from webapp.store.vault import Session

OLD, NEW = string.ascii_letters, string.digits * 5


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms over one SQLite file."""
    return joined(tmp_path / "sessions.db")


def _plant(path: Path, place: bytes, sealed: bytes) -> None:
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("UPDATE sessions SET sealed = ? WHERE key = ?", (sealed, place))


def _sealed(rooms: Rooms, session: Session) -> bytes:
    stored = rooms.store.load(session.place, now=rooms.clock())
    assert stored
    return stored.sealed


def _anonymous_with_event(rig: Rig, browser: Browser) -> None:
    before = len(rig.log)
    assert is_anonymous(rig, browser)
    for path in ("/", "/session", "/credentials", "/api"):
        assert browser.get(path).status in (200, 303), path
    lines = [json.loads(line) for line in rig.log[before:].splitlines()]
    assert [line for line in lines if line["event"] == "unforeseen"] == []
    events = [line for line in lines if line["event"] == "record_refused"]
    assert events
    assert {line["level"] for line in events} == {"error"}


class LyingStore(SqliteStore):
    """A store that answers wrongly: with the record of `instead`, or with `bent` bytes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.instead: bytes | None = None
        self.bent: bytes | None = None

    def load(self, key: bytes, *, now: float) -> Stored | None:
        """The wrong record."""
        stored = super().load(self.instead or key, now=now)
        return replace(stored, sealed=self.bent) if stored and self.bent else stored


def test_ST_09_each_byte_flipped(tmp_path: Path) -> None:
    """A record with any one byte changed gives no session, never an error, and one event each."""
    store = LyingStore(tmp_path / "sessions.db")
    rooms = joined(tmp_path / "sessions.db", store=store)
    session = rooms.session()
    sealed = _sealed(rooms, session)
    for position in range(len(sealed)):
        bent = bytearray(sealed)
        bent[position] ^= 1 << (position % 8)
        store.bent = bytes(bent)
        assert rooms.vault.open(session.ticket.text) is None, position
    assert len(rooms.refusals) == len(sealed)
    store.bent = None
    assert rooms.vault.open(session.ticket.text) == session


@pytest.mark.parametrize("position", [0, 1, 12, 13, 500, -1])
def test_ST_09_flipped_under_a_browser(rig: Rig, position: int) -> None:
    """The browser of a damaged record is simply signed out, and the operator is told."""
    browser = rig.signed_in("admin")
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    stored = rig.services.store.load(session.place, now=rig.clock())
    assert stored
    bent = bytearray(stored.sealed)
    bent[position] ^= 1
    _plant(rig.store_path, session.place, bytes(bent))
    _anonymous_with_event(rig, browser)


@pytest.mark.parametrize("cut", [0, 1, 12, 28, 100, -1])
def test_ST_09_cut_short(rooms: Rooms, cut: int) -> None:
    """A record that was cut anywhere gives no session."""
    session = rooms.session()
    _plant(rooms.path, session.place, _sealed(rooms, session)[:cut])
    assert rooms.vault.open(session.ticket.text) is None
    assert len(rooms.refusals) == 1


def test_ST_10_record_under_another_id(rig: Rig) -> None:
    """The record of one person copied under the id of another makes nobody of the other."""
    admin, viewer = rig.signed_in("admin"), rig.signed_in("viewer")
    found = [rig.services.vault.open(one.cookies["portico"]) for one in (admin, viewer)]
    places = [session.place for session in found if session]
    stored = rig.services.store.load(places[0], now=rig.clock())
    assert stored
    _plant(rig.store_path, places[1], stored.sealed)
    _anonymous_with_event(rig, viewer)
    assert admin.me()["email"] == "admin@example.com"


def test_ST_10_own_record_under_another_own_id(rooms: Rooms) -> None:
    """Not even the same ticket secret opens a record at a place that it was not sealed for."""
    first, second = rooms.session("viewer"), rooms.session("admin")
    # A thief who can write the store and holds a ticket swaps in the other half.
    raw = second.ticket.raw[:17] + first.ticket.raw[17:]
    _plant(rooms.path, second.place, _sealed(rooms, first))
    assert rooms.vault.open(Ticket(raw).text) is None
    assert rooms.vault.open(second.ticket.text) is None
    assert len(rooms.refusals) >= 2


def test_ST_11_answer_for_another_key(tmp_path: Path) -> None:
    """A store that answers with another key's value gives no session, nor a way to write it."""
    store = LyingStore(tmp_path / "sessions.db")
    rooms = joined(tmp_path / "sessions.db", store=store)
    admin, viewer = rooms.session("admin"), rooms.session("viewer")
    store.instead = admin.place
    assert rooms.vault.open(viewer.ticket.text) is None
    assert rooms.vault.reload(viewer) is None
    assert len(rooms.refusals) >= 2
    store.instead = None
    assert rooms.vault.open(admin.ticket.text) == admin


def _pickle(path: Path) -> bytes:
    """What a careless reader would execute: os.system("touch PATH"), written by hand."""
    return b"cposix\nsystem\n(S'touch " + str(path).encode() + b"'\ntR."


PLANTED: dict[str, Callable[[Path], bytes]] = {
    "pickle": _pickle,
    "yaml": lambda path: b"!!python/object/apply:os.system ['touch %s']" % str(path).encode(),
    "empty": lambda _: b"",
    "text": lambda _: b'{"person": {"subject": "admin"}}',
    "oversized": lambda _: bytes((FORMAT,)) + b"x" * (8 << 20),
    "newer": lambda _: bytes((FORMAT + 1,)) + b"x" * 900,
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_ST_12_planted(rig: Rig, tmp_path: Path, plant: Callable[[Path], bytes]) -> None:
    """What somebody with access to the store plants is never run and never a session."""
    browser = rig.signed_in("admin")
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    trap = tmp_path / "trap"
    _plant(rig.store_path, session.place, plant(trap))
    _anonymous_with_event(rig, browser)
    assert not trap.exists()


def _set(place: int, value: object, inside: int | None = None) -> Callable[[list[Any]], object]:
    """Puts a value of another type into a record, or into one of its parts."""

    def bend(record: list[Any]) -> None:
        (record if inside is None else record[inside])[place] = value

    return bend


CREATED, SEEN, PERSON, TOKENS, CHANGED, FLOW = 0, 1, 2, 3, 11, -1
GROUPS = 5
BENDS: dict[str, Callable[[list[Any]], object]] = {
    "nothing-left": lambda record: record.clear(),
    "one-left": lambda record: record.__delitem__(slice(1, None)),
    "one-too-few": lambda record: record.pop(),
    "one-too-many": lambda record: record.append(1),
    "text-for-a-time": _set(CREATED, "x"),
    "null-for-a-time": _set(SEEN, None),
    "infinite-time": _set(SEEN, 1e999),
    "list-for-a-time": _set(SEEN, [1]),
    "person-is-text": _set(PERSON, "admin"),
    "person-is-true": _set(PERSON, True),
    "person-is-an-object": _set(PERSON, {"subject": "admin"}),
    "person-is-short": _set(PERSON, ["issuer"]),
    "subject-is-a-number": _set(1, 5, PERSON),
    "groups-are-numbers": _set(GROUPS, [1, 2], PERSON),
    "groups-are-text": _set(GROUPS, "Admin", PERSON),
    "tokens-are-numbers": _set(TOKENS, [1, 2, 3, 4, 5]),
    "tokens-are-zero": _set(TOKENS, 0),
    "end-is-text": _set(4, "soon", TOKENS),
    "changes-are-numbers": _set(CHANGED, [1]),
    "flow-is-text": _set(FLOW, "left 0"),
    "flow-is-numbers": _set(FLOW, [1]),
    "token-of-other-lengths": _set(0, [1, 2, 3], TOKENS),
    "token-of-lengths-below-zero": _set(0, [1 << 20, -(1 << 20)], TOKENS),
    "token-of-half-letters": _set(0, [0.5], TOKENS),
    "token-of-words": _set(0, ["eyJ"], TOKENS),
    "tokens-are-short": lambda record: record[TOKENS].pop(0),
    "tokens-without-an-end": lambda record: record[TOKENS].pop(),
}


def _replant(rooms: Rooms, session: Session, plain: bytes) -> None:
    nonce = os.urandom(NONCE_BYTES)
    head = bytes((FORMAT,))
    sealed = session.ticket.box(session.key).encrypt(nonce, plain, head + session.place)
    _plant(rooms.path, session.place, head + nonce + sealed)


def _plain(rooms: Rooms, session: Session) -> tuple[list[Any], bytes]:
    """The values of a record, and what stands behind them: a line's end and the tokens' bits."""
    sealed = _sealed(rooms, session)
    nonce, secret = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    opened = session.ticket.box(session.key).decrypt(nonce, secret, sealed[:1] + session.place)
    text, end, bits = opened.partition(b"\n")
    record = json.loads(text)
    assert isinstance(record, list)
    return record, end + bits


@pytest.mark.parametrize("bend", BENDS.values(), ids=BENDS)
def test_ST_12_wrong_types(rooms: Rooms, bend: Callable[[list[Any]], object]) -> None:
    """A well-sealed record of another shape, as of another release, gives no session."""
    session = rooms.session("both")
    record, bits = _plain(rooms, session)
    _replant(rooms, session, json.dumps(record).encode() + bits)
    assert rooms.vault.open(session.ticket.text) == session
    bend(record)
    _replant(rooms, session, json.dumps(record).encode() + bits)
    assert rooms.vault.open(session.ticket.text) is None
    assert len(rooms.refusals) == 1


@pytest.mark.parametrize(
    "plain", [b"", b"x", b"5", b"null", b'"eyJ"', b'{"created_at": 1}', b"[" * 15_000, b"\xff"]
)
def test_ST_12_no_record_at_all(rooms: Rooms, plain: bytes) -> None:
    """Well-sealed bytes that are no record at all give no session."""
    session = rooms.session()
    _replant(rooms, session, plain)
    assert rooms.vault.open(session.ticket.text) is None
    assert len(rooms.refusals) == 1


def test_ST_12_too_large_to_write(rooms: Rooms) -> None:
    """A record that no store should hold is refused when it is made, and the old one stands."""
    session = rooms.session()
    huge = {"sub": "x" * MAX_RECORD_BYTES}
    with pytest.raises(Exception, match="larger than a session"):
        rooms.vault.change(session, lambda record: replace(record, userinfo=huge))
    assert rooms.vault.reload(session) == session


@contextmanager
def _restarted(rig: Rig, *keys: str) -> Iterator[Browser]:
    """A browser at the same application, started anew with these keys."""
    first, *others = (key.encode() for key in keys)
    settings = rig.settings.model_copy(
        update={"secret_key": first, "secret_key_fallbacks": tuple(others)}
    )
    app = create_app(settings, build(settings, now=rig.clock), now=rig.clock)
    yield Browser.for_app(app, rig.base_url, issuer=rig.cognito.issuer, now=rig.clock)


def test_KY_01_key_rotated_and_dropped(tmp_path: Path) -> None:
    """With old and new key no session is lost; when the old one is dropped they end quietly."""
    with rigged(tmp_path, SECRET_KEY=OLD) as rig:
        browser = rig.signed_in("admin")
        form_token, location = browser.csrf(), browser.start("/session")
        for caretaker in rig.services.caretakers:
            caretaker.stop()  # a process that is shut down says no more that its key is in use
        for keys, signed_in in (((NEW, OLD), True), ((NEW,), False)):
            if not signed_in:  # nobody has written with the old key for a while
                rig.clock.advance(LIFE_SECONDS + 1)
            with _restarted(rig, *keys) as later:
                later.cookies.restore(browser.cookies.save())
                me = later.get("/me", headers={"Accept": "application/json"})
                assert me.status == (200 if signed_in else 401)
                for path in ("/", "/session", "/credentials", "/api"):
                    assert later.get(path).status in ((200,) if signed_in else (200, 303))
                callback = rig.cognito.issuer.approve(location, rig.cognito.user("admin"))
                call = {"csrf_token": form_token, "endpoint": "vip", "identity": "user"}
                called = later.post("/api/call", call, json=True)
                assert called.status == (200 if signed_in else 403)
                # A sign-in that was under way goes on, or starts again.
                assert later.finish(callback).status == (303 if signed_in else 400)


def test_KY_01_written_by_an_old_key_read_by_all(tmp_path: Path) -> None:
    """A session under the old key can be refreshed, listed and ended while the new key writes."""
    path = tmp_path / "sessions.db"
    old = joined(path, secrets=[OLD.encode()])
    session = old.session()
    both = joined(
        path,
        secrets=[NEW.encode(), OLD.encode()],
        clock=old.clock,
        login=old.login,
        users=old.users,
    )
    opened = both.vault.open(session.ticket.text)
    assert opened
    assert opened.record == session.record
    old.expire_tokens()
    assert both.freshness.keep(opened).record.refreshed_at
    person = session.record.person
    assert person
    both.session()
    assert both.vault.end_all_of(person) == 2
    assert both.living == 0


def test_KY_02_newest_key_writes(tmp_path: Path) -> None:
    """After a rotation every new record, cookie and form token is the new key's alone."""
    path = tmp_path / "sessions.db"
    old = joined(path, secrets=[OLD.encode()])
    both = joined(path, secrets=[NEW.encode(), OLD.encode()], clock=old.clock)
    new = joined(path, secrets=[NEW.encode()], clock=old.clock)
    session = both.session()
    assert _opens(new, session)
    assert old.vault.open(session.ticket.text) is None
    cookie = both.ring.seal_cookie(b"plain", b"purpose")
    assert new.ring.open_cookie(cookie, b"purpose") == b"plain"
    assert old.ring.open_cookie(cookie, b"purpose") is None
    token = both.ring.csrf_token(b"bound")
    assert new.ring.csrf_matches(token, b"bound")
    assert not old.ring.csrf_matches(token, b"bound")
    # A change of groups brings an older session under the new key as well.
    moved = both.vault.move(old.session())
    assert _opens(new, moved)


def _opens(rooms: Rooms, session: Session) -> bool:
    found = rooms.vault.open(session.ticket.text)
    return found is not None and found.record == session.record

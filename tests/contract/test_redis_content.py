"""What lies in Redis: nothing readable, nothing that stays, nothing that is believed unread."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.contract.redis_server import RedisServer
from tests.contract.stores import ANN, BEN, KEY, LATER, NOW, OTHER, keys_of, put
from tests.doubles.clock import Clock
from tests.rooms import Rooms, joined
from webapp.store.base import Stored
from webapp.store.redis import RedisStore
from webapp.store.redis.store import SLACK_SECONDS

pytestmark = pytest.mark.redis

PLACE, LISTED = b"portico:s:" + KEY, b"portico:p:" + ANN
SECONDS = 1000


@pytest.fixture
def store(server: RedisServer) -> RedisStore:
    """The store on it, at NOW."""
    return RedisStore(server.url, now=lambda: NOW)


def seen(server: RedisServer) -> dict[str, int]:
    """How often each command was given so far, those from within scripts included."""
    said: dict[str, dict[str, Any]] = server.say("INFO", "commandstats")
    return {name.removeprefix("cmdstat_"): facts["calls"] for name, facts in said.items()}


def test_a_page_costs_one_command(server: RedisServer, store: RedisStore) -> None:
    """Reading a record is one round trip, and nothing is written."""
    put(store)
    store.load(KEY, now=NOW)
    before = seen(server)
    for _ in range(10):
        store.load(KEY, now=NOW)
    after = seen(server)
    more = {name: calls - before.get(name, 0) for name, calls in after.items()}
    assert {name: calls for name, calls in more.items() if calls and name != "info"} == {"get": 10}


def test_ST_15_everything_ends_by_itself(server: RedisServer, store: RedisStore) -> None:
    """Every key that any operation leaves goes within an hour after its end, purged or not."""
    put(store, expires_at=int(NOW) + SECONDS)
    put(store, OTHER, expires_at=int(NOW) - 5, person=BEN)
    put(store, b"d" * 32, expires_at=int(NOW) + 5)
    store.replace(KEY, b"two", version=1, expires_at=int(NOW) + SECONDS)
    store.delete(b"d" * 32, until=int(NOW) + SECONDS)
    store.claim(b"name", b"me", now=NOW, seconds=6)
    lives = server.lives()
    assert len(lives) == 6
    assert all(0 < life <= (SECONDS + SLACK_SECONDS) * 1000 for life in lives.values())
    assert lives[b"portico:c:name"] <= (6 + SLACK_SECONDS) * 1000
    assert lives[b"portico:s:" + OTHER] <= SLACK_SECONDS * 1000


def test_CC_11_a_clock_put_back_by_an_hour(server: RedisServer, store: RedisStore) -> None:
    """A session in use outlives the hour in which its last visit lies in the future."""
    put(store, expires_at=int(NOW) + SECONDS)
    assert server.lives()[PLACE] > 3600 * 1000


def test_ST_15_a_tombstone_keeps_its_time(server: RedisServer, store: RedisStore) -> None:
    """Redis keeps a tombstone until an hour after what was asked for, and not less."""
    put(store, expires_at=int(NOW) + 10)
    store.delete(KEY, until=int(NOW) + SECONDS)
    assert SECONDS * 1000 < server.lives()[PLACE] <= (SECONDS + SLACK_SECONDS) * 1000
    store.delete(KEY, until=int(NOW) + 5)
    assert server.lives()[PLACE] > SECONDS * 1000


def test_ST_15_a_list_lasts_as_long_as_its_last(server: RedisServer, store: RedisStore) -> None:
    """A short session never takes the list of a longer one away."""
    put(store, expires_at=int(NOW) + SECONDS)
    put(store, OTHER, expires_at=int(NOW) + 5)
    assert server.lives()[LISTED] > SECONDS * 1000


def test_ST_15_a_list_sheds_what_has_ended(server: RedisServer) -> None:
    """A person's list holds the sessions of one lifetime and an hour, and ends with the last."""
    for number in range(100):
        now = NOW + number * 100
        store = RedisStore(server.url, now=lambda now=now: now)  # type: ignore[misc]
        ends = int(now) + SECONDS
        store.create(bytes((number,)) * 32, b"x", expires_at=ends, person=ANN, now=now)
    assert server.say("ZCARD", LISTED) <= 2 + (SECONDS + SLACK_SECONDS) // 100
    assert server.lives()[LISTED] <= (SECONDS + SLACK_SECONDS) * 1000
    store.delete(b"\x63" * 32, until=LATER)
    assert server.say("ZSCORE", LISTED, b"\x63" * 32) is None


def test_ST_16_memory(server: RedisServer, store: RedisStore) -> None:
    """What Redis keeps of a session beside its sealed record is at most 600 bytes."""
    empty = server.say("INFO", "memory")["used_memory"]
    for _ in range(2000):
        put(store, os.urandom(32), os.urandom(4000), person=os.urandom(32))
    used = server.say("INFO", "memory")["used_memory"]
    assert (used - empty) / 2000 < 4000 + 600 + 1120  # the last: Redis rounds 4 KB up to 5


@pytest.mark.parametrize("value", [b"", b"x", b"R", b"R" * 17, b"R" * 40, b"T2", b"\x80\x04."])
def test_ST_12_planted(server: RedisServer, store: RedisStore, value: bytes) -> None:
    """Bytes that are no record are handed on for the vault to refuse; nothing is built on them."""
    server.say("SET", PLACE, value)
    server.say("ZADD", LISTED, LATER, KEY)
    found = store.load(KEY, now=NOW)
    assert found is None or found.version not in (1, 2)
    assert store.replace(KEY, b"two", version=1, expires_at=LATER) is False
    assert keys_of(store, ANN, now=NOW) == []
    assert put(store) is False
    store.delete(KEY, until=LATER)
    assert store.load(KEY, now=NOW) is None


def test_ST_12_another_kind(server: RedisServer, store: RedisStore) -> None:
    """Where a list stands instead of a record there is no session, and no error."""
    server.say("RPUSH", PLACE, "x")
    assert store.load(KEY, now=NOW) == Stored(b"", 0, 0)
    assert put(store) is False


@pytest.fixture
def rooms(server: RedisServer, tmp_path: Path) -> Rooms:
    """The journey and all behind it, over Redis."""
    clock = Clock()
    return joined(tmp_path / "unused", clock=clock, store=RedisStore(server.url, now=clock))


def test_ST_09_each_byte_of_the_head_flipped(server: RedisServer, rooms: Rooms) -> None:
    """A bent head gives no error: the session as it was, or none."""
    session = rooms.session()
    place = b"portico:s:" + session.place
    good: bytes = server.say("GET", place)
    for position in range(80):
        bent = bytearray(good)
        bent[position] ^= 0xFF
        server.say("SET", place, bytes(bent))
        found = rooms.vault.reload(session)
        assert found is None or found.record == session.record


def test_ST_12_is_reported(server: RedisServer, rooms: Rooms) -> None:
    """The vault takes what was planted for nobody's session, and reports it."""
    session = rooms.session()
    server.say("SET", b"portico:s:" + session.place, b"\x80\x04N.")
    assert rooms.vault.open(session.ticket.text) is None
    assert rooms.refusals == [(session.place, "unknown format")]


def test_ST_14_a_dump_says_nothing(server: RedisServer, rooms: Rooms) -> None:
    """Neither keys nor values hold a token, a name, or anything of a cookie."""
    session = rooms.session()
    rooms.store.claim(b"refresh" + session.place, b"owner", now=rooms.clock(), seconds=6)
    dump = b""
    for key in server.lives():
        listed = key.startswith(b"portico:p:")
        value = server.say("ZRANGE", key, 0, -1)[0] if listed else server.say("GET", key)
        dump += key + value
    assert len(dump) > 2000
    person = session.record.person
    assert person
    secrets = (person.subject, person.username, "example.com", "eyJ", "ASIA", session.ticket.text)
    for secret in (*map(str.encode, secrets), session.ticket.raw[1:17], session.ticket.raw[17:]):
        assert secret not in dump

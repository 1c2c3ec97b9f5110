"""The Redis store on a real cluster whose slots move and whose servers come and go."""

import time

import pytest
from redis.crc import key_slot

from tests.contract.redis_server import RedisServer, until
from tests.contract.stores import ANN, LATER, NOW, keys_of, put
from webapp.errors import StoreUnavailable
from webapp.store.base import Stored
from webapp.store.redis import RedisStore

pytestmark = pytest.mark.redis

KEYS = [number.to_bytes(32, "big") for number in range(60)]


@pytest.fixture
def nodes(redis_nodes: list[RedisServer]) -> list[RedisServer]:
    """Three masters, running and empty."""
    for node in redis_nodes:
        node.start()
    for node in redis_nodes:
        node.await_cluster(len(redis_nodes))
        node.empty()
    return redis_nodes


@pytest.fixture
def store(nodes: list[RedisServer]) -> RedisStore:
    """The store, told of the first of them."""
    return RedisStore(f"{nodes[0].url}?cluster=true", now=lambda: NOW)


def owner(nodes: list[RedisServer], key: bytes) -> int:
    """Which server has this record."""
    return key_slot(b"portico:s:" + key) * len(nodes) // 16384


def identity(node: RedisServer) -> str:
    """The server's name in the cluster."""
    said: bytes = node.say("CLUSTER", "MYID")
    return said.decode()


def test_records_lie_everywhere(nodes: list[RedisServer], store: RedisStore) -> None:
    """Records of one person lie on all servers, and are found, listed and ended from one."""
    assert all(put(store, key) for key in KEYS)
    assert all(node.say("DBSIZE") >= 5 for node in nodes)
    assert sorted(keys_of(store, ANN, now=NOW)) == KEYS
    assert all(store.delete(key, until=LATER) == Stored(b"one", 1, LATER) for key in KEYS)
    assert keys_of(store, ANN, now=NOW) == []


def test_ST_05_moved(nodes: list[RedisServer]) -> None:
    """Without the option a cluster is refused by name."""
    far = next(key for key in KEYS if owner(nodes, key) == 2)
    with pytest.raises(StoreUnavailable) as refused:
        RedisStore(nodes[0].url).load(far, now=NOW)
    assert refused.value.facts == {"reason": "MOVED"}


def test_ST_05_a_slot_moves(nodes: list[RedisServer], store: RedisStore) -> None:
    """While a slot moves from server to server, and after, its records are read and written."""
    key = next(key for key in KEYS if owner(nodes, key) == 0)
    place = b"portico:s:" + key
    slot, (old, new) = key_slot(place), nodes[:2]
    put(store, key, person=None)
    try:
        new.say("CLUSTER", "SETSLOT", slot, "IMPORTING", identity(old))
        old.say("CLUSTER", "SETSLOT", slot, "MIGRATING", identity(new))
        assert store.load(key, now=NOW) == Stored(b"one", 1, LATER)
        old.say("MIGRATE", "127.0.0.1", new.port, place, 0, 5000)
        assert store.load(key, now=NOW) == Stored(b"one", 1, LATER)  # by ASK
        assert store.replace(key, b"two", version=1, expires_at=LATER) is True
        for node in (new, old, nodes[2]):
            node.say("CLUSTER", "SETSLOT", slot, "NODE", identity(new))
        assert store.load(key, now=NOW) == Stored(b"two", 2, LATER)  # by MOVED
        assert store.delete(key, until=LATER) == Stored(b"two", 2, LATER)
    finally:
        for node in nodes:
            node.empty()
        for node in (old, new, nodes[2]):
            node.say("CLUSTER", "SETSLOT", slot, "NODE", identity(old))
        for node in nodes:
            node.say("CLUSTER", "SETSLOT", slot, "STABLE")


def test_ST_01_another_takes_over(nodes: list[RedisServer], store: RedisStore) -> None:
    """When a server dies and another has its slots, the first read finds the other."""
    key = next(key for key in KEYS if owner(nodes, key) == 0)
    slot = key_slot(b"portico:s:" + key)
    for node in nodes:
        node.say("CONFIG", "SET", "cluster-require-full-coverage", "no")
    put(store, key, person=None)
    names = [identity(node) for node in nodes]
    nodes[0].stop()
    try:
        for node in nodes[1:]:
            node.say("CLUSTER", "SETSLOT", slot, "NODE", names[1])
        assert store.load(key, now=NOW) is None  # it has the slot, and never had the record
        assert put(store, key, person=None) is True
    finally:
        nodes[1].empty()
        nodes[0].start()
        for node in nodes:
            node.say("CLUSTER", "SETSLOT", slot, "NODE", names[0])


def test_ST_01_one_server_away(nodes: list[RedisServer], store: RedisStore) -> None:
    """Without the server it was told of, the store goes on where it can, and recovers by itself."""
    for node in nodes:
        node.say("CONFIG", "SET", "cluster-require-full-coverage", "no")
    for key in KEYS:
        put(store, key, person=None)
    nodes[0].stop()
    for key in KEYS:
        start = time.monotonic()
        if owner(nodes, key) == 0:
            with pytest.raises(StoreUnavailable):
                store.load(key, now=NOW)
        else:
            assert store.load(key, now=NOW) == Stored(b"one", 1, LATER)
        assert time.monotonic() - start < 1.3
    nodes[0].start()
    nodes[0].await_cluster(len(nodes))
    lost = next(key for key in KEYS if owner(nodes, key) == 0)
    until(lambda: store.load(lost, now=NOW) is None)  # it kept nothing on disk, and answers
    assert put(store, lost) is True

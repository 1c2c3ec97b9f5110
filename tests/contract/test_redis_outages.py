"""ST-01 to ST-05 on a real Redis server: what it does not give is said in time, nothing is lost."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.fault_proxy import FaultProxy, Mode, proxied
from tests.contract.redis_server import RedisServer, started, until
from tests.contract.stores import ANN, KEY, LATER, NOW, OTHER, keys_of, operations, put
from webapp.errors import StoreUnavailable
from webapp.store.base import Stored
from webapp.store.redis import RedisStore

pytestmark = pytest.mark.redis

SHORT = 0.25
# What a machine under load may add to a deadline: for the threads to be woken, not for the store.
SCHEDULING = 0.3


@pytest.fixture
def proxy(server: RedisServer) -> Iterator[FaultProxy]:
    """A way to it that can fail."""
    with proxied(server.port) as proxy:
        yield proxy


def opened(url: str, *, deadline: float = 1.0) -> RedisStore:
    """The store at that address, at NOW."""
    return RedisStore(url, now=lambda: NOW, deadline=deadline)


def all_refused(store: RedisStore, *, within: float) -> set[str]:
    """Every operation is refused in that time; the reasons that were given."""
    reasons = set()
    for operation in operations(store):
        start = time.monotonic()
        with pytest.raises(StoreUnavailable) as refused:
            operation()
        assert time.monotonic() - start < within
        reasons.add(str(refused.value.facts["reason"]))
    return reasons


def test_ST_01_down_and_back(proxy: FaultProxy) -> None:
    """Of 1,000 sessions none is lost while the server is away, and the first request finds it."""
    store = opened(proxy.url)
    keys = [number.to_bytes(32, "big") for number in range(1000)]
    assert all(put(store, key, key * 20) for key in keys)
    proxy.down()
    assert all_refused(store, within=1.0) <= {"ConnectionRefusedError", "ConnectionResetError"}
    proxy.up()
    assert all(store.load(key, now=NOW) == Stored(key * 20, 1, LATER) for key in keys)
    assert sorted(keys_of(store, ANN, now=NOW)) == keys


def test_ST_01_killed_and_restarted(tmp_path: Path) -> None:
    """After a restart the first write succeeds too, though its connection died meanwhile."""
    with started(tmp_path / "redis", "--appendonly", "yes", "--appendfsync", "always") as server:
        store = opened(server.url)
        put(store)
        server.stop()
        server.start()
        assert store.replace(KEY, b"two", version=1, expires_at=LATER) is True
        assert store.load(KEY, now=NOW) == Stored(b"two", 2, LATER)
        server.stop()
        server.start()
        assert put(store, OTHER, person=None) is True
        server.stop()
        server.start()
        assert store.claim(b"name", b"me", now=NOW, seconds=6) is True
        server.stop()
        server.start()
        assert store.delete(KEY, until=LATER) == Stored(b"two", 2, LATER)
        assert store.load(KEY, now=NOW) is None
        assert store.load(OTHER, now=NOW)


def test_ST_01_down_at_the_start(tmp_path: Path) -> None:
    """A server that is away at the start is reported, and used and looked at once it is there."""
    options = ("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
    said: list[tuple[str, str]] = []
    with started(tmp_path / "redis", *options) as server:
        server.stop()
        store = RedisStore(server.url, now=lambda: NOW, report=lambda *words: said.append(words))
        assert said == [("store_unreachable", "Redis does not answer: ConnectionRefusedError.")]
        server.start()
        assert put(store) is True
        store.ping()
        store.ping()
    assert [code for code, _ in said[1:]] == ["store_may_evict"]


def test_ST_01_cut_off(proxy: FaultProxy, server: RedisServer) -> None:
    """When a connection dies on a question, reads and claims are asked again and writes are not."""
    store = opened(proxy.url)
    store.delete(KEY, until=LATER)  # the server knows the script from here on
    put(store)
    proxy.mode = "cut"
    assert store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)
    proxy.mode = "cut"
    assert store.claim(b"name", b"me", now=NOW, seconds=6) is True
    proxy.mode = "cut"
    with pytest.raises(StoreUnavailable) as refused:
        store.delete(KEY, until=LATER)
    assert refused.value.facts == {"reason": "closed"}
    assert store.load(KEY, now=NOW) is None
    proxy.mode = "cut"
    with pytest.raises(StoreUnavailable):
        put(store, OTHER, person=None)
    assert store.load(OTHER, now=NOW) == Stored(b"one", 1, LATER)


@pytest.mark.parametrize("mode", ["slow", "hole", "drip"])
def test_ST_02_no_answer_in_time(proxy: FaultProxy, mode: Mode) -> None:
    """A slow, silent or dripping server costs no operation more than its deadline."""
    store = opened(proxy.url, deadline=SHORT)
    put(store, sealed=b"x" * 4000)
    proxy.mode = mode
    # From the second operation on the way is also dialled anew.
    for operation in operations(store)[:-1]:
        start = time.monotonic()
        with pytest.raises(StoreUnavailable) as refused:
            operation()
        assert refused.value.facts == {"reason": "timeout"}
        assert time.monotonic() - start < SHORT + SCHEDULING
    proxy.mode = "open"
    proxy.down()
    proxy.up()
    stored = store.load(KEY, now=NOW)
    assert stored


def test_ST_02_the_deadline_is_one_second(proxy: FaultProxy) -> None:
    """Unless told otherwise an operation is given up after a second."""
    store = RedisStore(proxy.url)
    proxy.mode = "hole"
    start = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.load(KEY, now=NOW)
    assert 0.9 < time.monotonic() - start < 1.0 + SCHEDULING


def test_ST_02_flapping(proxy: FaultProxy) -> None:
    """With a server that comes and goes each operation works when it is there."""
    store = opened(proxy.url)
    put(store)
    for version in range(1, 21):
        proxy.down()
        with pytest.raises(StoreUnavailable):
            store.load(KEY, now=NOW)
        proxy.up()
        assert store.replace(KEY, b"two", version=version, expires_at=LATER) is True


def test_ST_02_nonsense(proxy: FaultProxy) -> None:
    """What is no Redis is no store: said so, and nothing of it is believed."""
    store = opened(proxy.url)
    put(store)
    proxy.mode = "nonsense"
    assert all_refused(store, within=1.0) == {"refused"}
    proxy.mode = "open"
    assert store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)


def test_ST_03_emptied(server: RedisServer) -> None:
    """A server that lost everything knows nobody; nothing comes back, and new sessions work."""
    store = opened(server.url)
    put(store)
    assert store.replace(KEY, b"two", version=1, expires_at=LATER)
    server.empty()  # keys and scripts
    assert store.load(KEY, now=NOW) is None
    assert store.replace(KEY, b"three", version=2, expires_at=LATER) is False
    assert store.delete(KEY, until=LATER) is None
    assert keys_of(store, ANN, now=NOW) == []
    assert store.claim(b"name", b"me", now=NOW, seconds=6) is True
    assert put(store, OTHER) is True


def test_ST_05_read_only(server: RedisServer, tmp_path: Path) -> None:
    """A replica answers reads and refuses writes by name; once promoted it takes them."""
    put(opened(server.url))
    server.say("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    with started(tmp_path / "replica", "--replicaof", "127.0.0.1", str(server.port)) as replica:
        store = opened(replica.url)
        until(lambda: store.load(KEY, now=NOW) is not None)
        for operation in operations(store)[1:5]:  # create, replace, delete, claim
            with pytest.raises(StoreUnavailable) as refused:
                operation()
            assert refused.value.facts == {"reason": "READONLY"}
        assert keys_of(store, ANN, now=NOW) == [KEY]
        replica.say("REPLICAOF", "NO", "ONE")
        assert store.replace(KEY, b"two", version=1, expires_at=LATER) is True


def test_ST_05_loading(tmp_path: Path) -> None:
    """While a server still reads its file it says so; afterwards everything is there."""
    slow = ("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024")
    with started(tmp_path / "redis", *slow) as server:
        store = opened(server.url)
        for number in range(50):
            put(store, number.to_bytes(32, "big"), os.urandom(4000))
        put(store)
        server.say("SAVE")
        server.stop()
        server.start(wait=False)
        reasons = set()

        def there() -> bool:
            try:
                return store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)
            except StoreUnavailable as error:
                reasons.add(error.facts["reason"])
                return False

        until(there)
        assert "LOADING" in reasons
        assert reasons <= {"LOADING", "ConnectionRefusedError", "timeout"}


def test_ST_05_full(tmp_path: Path) -> None:
    """A full server takes no new session, and serves everyone who has one: read, renew, end."""
    with started(tmp_path / "redis", "--maxmemory-policy", "noeviction") as server:
        store = opened(server.url)
        put(store, sealed=b"x" * 5000)
        put(store, OTHER)
        server.say("CONFIG", "SET", "maxmemory", 1_000_000)
        with pytest.raises(StoreUnavailable) as refused:
            put(store, b"n" * 32, person=b"n" * 32)
        assert refused.value.facts == {"reason": "OOM"}
        with pytest.raises(StoreUnavailable):
            put(store, b"n" * 32, person=None)
        assert store.claim(b"name", b"me", now=NOW, seconds=6) is True
        assert store.replace(KEY, b"y" * 5000, version=1, expires_at=LATER + 60) is True
        assert store.load(KEY, now=NOW) == Stored(b"y" * 5000, 2, LATER + 60)
        assert sorted(keys_of(store, ANN, now=NOW)) == [KEY, OTHER]
        assert store.delete(KEY, until=LATER) == Stored(b"y" * 5000, 2, LATER + 60)
        assert store.load(KEY, now=NOW) is None
        store.release(b"name", b"me")
        store.ping()


def test_ST_05_read_only_after_a_failover(server: RedisServer, tmp_path: Path) -> None:
    """Where a name has moved to another server, the old one's refusal makes the store look anew."""
    with started(tmp_path / "old") as old, proxied(old.port) as name:
        store = opened(name.url)
        store.ping()  # a connection to keep
        old.say("REPLICAOF", "127.0.0.1", server.port)
        name.target = server.port
        with pytest.raises(StoreUnavailable) as refused:
            store.claim(b"name", b"me", now=NOW, seconds=6)
        assert refused.value.facts == {"reason": "READONLY"}
        assert store.claim(b"name", b"me", now=NOW, seconds=6) is True


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "volatile-lru", "noeviction"])
@pytest.mark.parametrize("limit", ["0", "50mb"])
def test_ST_05_eviction(tmp_path: Path, policy: str, limit: str) -> None:
    """A server that would throw living sessions away when full is reported at the start."""
    options = ("--maxmemory", limit, "--maxmemory-policy", policy)
    said: list[tuple[str, str]] = []
    with started(tmp_path / "redis", *options) as server:
        RedisStore(server.url, report=lambda *words: said.append(words))
    if limit == "0" or policy == "noeviction":
        assert said == []
    else:
        ((code, sentence),) = said
        assert code == "store_may_evict"
        assert policy in sentence
        assert "noeviction" in sentence

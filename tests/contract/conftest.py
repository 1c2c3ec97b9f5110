"""Every test of the contract runs once for each store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.process import free_port, start_offline_aws
from infra.local.provision_sessions import session_table
from infra.stack import load_stack
from tests.contract.dynamodb import ACCESS_KEY, SECRET_KEY, Fronted, Hosts, front_of, table_of
from tests.contract.hands import DynamoHands, Hands, RedisHands, SqliteHands, rigged_over
from tests.contract.redis_server import RedisServer, clustered, started
from tests.contract.stores import NOW, SQLITE, STORES, Backend
from tests.doubles.clock import Clock
from tests.rig import Rig
from tests.rooms import Rooms, joined
from tests.stack.world import Offline
from webapp.services import open_store
from webapp.store.base import Store
from webapp.store.dynamodb import DynamoStore
from webapp.store.redis import RedisStore


@pytest.fixture(scope="session")
def dynamodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """An offline AWS for its DynamoDB, started when the first test asks for it."""
    port = free_port()
    child = start_offline_aws(port, tmp_path_factory.mktemp("dynamodb"))
    try:
        child.wait_until_healthy()
        yield Hosts(Offline(f"http://127.0.0.1:{port}"))
    finally:
        child.stop()


@pytest.fixture(params=STORES)
def backend(request: pytest.FixtureRequest) -> Backend:
    """One back end after the other."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Backend)
    return found


@pytest.fixture
def store(backend: Backend, tmp_path: Path) -> Store:
    """An empty store."""
    return backend.open(tmp_path)


@pytest.fixture
def other_host(backend: Backend, store: Store, tmp_path: Path) -> Store:
    """The same store as another process or host opens it."""
    del store  # made first
    return backend.open(tmp_path)


@pytest.fixture
def sqlite() -> Backend:
    """SQLite on a real file."""
    return SQLITE


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A real Redis server for the whole run; what a test stops is started again for the next."""
    with started(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(redis_server: RedisServer) -> RedisServer:
    """The server of the run, running and empty."""
    redis_server.start()
    redis_server.empty()
    return redis_server


@pytest.fixture
def redis(server: RedisServer) -> Backend:
    """One Redis server, emptied."""
    return _backend("redis", server.url, [server])


@pytest.fixture(scope="session")
def redis_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    """Three real servers that are a cluster."""
    with clustered(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture
def redis_cluster(redis_nodes: list[RedisServer]) -> Backend:
    """A Redis cluster, emptied."""
    for node in redis_nodes:
        node.start()
    for node in redis_nodes:
        node.await_cluster(len(redis_nodes))
        node.empty()
    return _backend("redis-cluster", f"{redis_nodes[0].url}?cluster=true", redis_nodes)


@pytest.fixture
def dynamodb_backend(dynamodb: Hosts) -> Backend:
    """One table for each folder, made from the facts of the stack, on the offline AWS.

    Without its TTL: that goes by the machine's clock, and the tests have one of their own.
    """

    def open_table(folder: Path) -> Store:
        api = dynamodb.next_client()
        session_table(api, table_of(folder), load_stack().session_table, expiry=False)
        return DynamoStore(api, table_of(folder))

    return Backend(
        "dynamodb",
        open_table,
        lambda folder: dynamodb.next_client().delete_table(TableName=table_of(folder)),
        purges=False,
    )


@pytest.fixture
def fronted(dynamodb: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fronted]:
    """A DynamoDB store as the application opens it, behind a front with faults."""
    raw = dynamodb.next_client()
    session_table(raw, table_of(tmp_path), load_stack().session_table, expiry=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    with front_of(dynamodb.endpoint) as (server, front):
        store = open_store(
            f"dynamodb://{table_of(tmp_path)}",
            region="us-east-1",
            dynamodb_endpoint=server.server.origin,
        )
        yield Fronted(store, front, server, table_of(tmp_path), raw)


@pytest.fixture
def sqlite_hands(tmp_path: Path) -> SqliteHands:
    """Hands on a file that the first store makes."""
    return SqliteHands(tmp_path / "sessions.db")


@pytest.fixture
def redis_hands(redis: Backend, redis_server: RedisServer) -> Iterator[RedisHands]:
    """Hands on an empty Redis."""
    del redis  # emptied it
    hands = RedisHands(redis_server)
    yield hands
    hands.close()


@pytest.fixture
def dynamodb_hands(
    dynamodb: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DynamoHands]:
    """Hands on an empty table."""
    raw = dynamodb.next_client()
    session_table(raw, table_of(tmp_path), load_stack().session_table, expiry=False)
    with front_of(dynamodb.endpoint) as (server, front):
        hands = DynamoHands(raw, table_of(tmp_path), front, server.server.origin)
        for name, value in hands.environment.items():
            monkeypatch.setenv(name, value)
        yield hands


@pytest.fixture(
    params=[
        pytest.param("sqlite_hands", id="sqlite"),
        pytest.param("redis_hands", id="redis", marks=pytest.mark.redis),
        pytest.param("dynamodb_hands", id="dynamodb", marks=pytest.mark.stack),
    ]
)
def hands(request: pytest.FixtureRequest) -> Hands:
    """Hands on one store after the other."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Hands)
    return found


@pytest.fixture
def rig(hands: Hands, tmp_path: Path) -> Iterator[Rig]:
    """The application over that store."""
    with rigged_over(hands, tmp_path) as made:
        yield made


@pytest.fixture
def rooms(hands: Hands, tmp_path: Path) -> Rooms:
    """The rooms over that store."""
    clock = Clock()
    return joined(tmp_path / "unused", clock=clock, store=hands.open(clock))


def _backend(name: str, url: str, servers: list[RedisServer]) -> Backend:
    def break_it(_: Path) -> None:
        for server in servers:
            server.stop()

    return Backend(name, lambda _: RedisStore(url, now=lambda: NOW), break_it, purges=False)

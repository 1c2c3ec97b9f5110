"""Every test of the contract runs once for each store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.redis_server import RedisServer, clustered, started
from tests.contract.stores import NOW, SQLITE, STORES, Backend
from webapp.store.base import Store
from webapp.store.redis import RedisStore


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
def redis(redis_server: RedisServer) -> Backend:
    """One Redis server, emptied."""
    redis_server.start()
    redis_server.empty()
    return _backend("redis", redis_server.url, [redis_server])


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


def _backend(name: str, url: str, servers: list[RedisServer]) -> Backend:
    def break_it(_: Path) -> None:
        for server in servers:
            server.stop()

    return Backend(name, lambda _: RedisStore(url, now=lambda: NOW), break_it, purges=False)

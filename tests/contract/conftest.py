"""Every test of the contract runs once for each store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.process import free_port, start_offline_aws
from infra.local.provision_sessions import session_table
from infra.stack import load_stack
from tests.contract.dynamodb import ACCESS_KEY, SECRET_KEY, Fronted, Hosts, front_of
from tests.contract.stores import STORES, Backend, table_of
from tests.stack.world import Offline
from webapp.services import open_store
from webapp.store.base import Store


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
    found = request.param(request)
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

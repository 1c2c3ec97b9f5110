"""The stores that a fleet can share: a file, a real Redis, DynamoDB of the offline AWS."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from infra.local.process import free_port, start_offline_aws
from infra.local.provision_sessions import session_table
from infra.stack import load_stack
from tests.contract.dynamodb import ACCESS_KEY, SECRET_KEY
from tests.contract.fault_proxy import FaultProxy, proxied
from tests.contract.redis_server import RedisServer, started
from tests.stack.world import Offline

Kind = Literal["sqlite", "redis", "dynamodb"]

SQLITE = pytest.param("sqlite")
REDIS = pytest.param("redis", marks=pytest.mark.redis)
DYNAMODB = pytest.param("dynamodb", marks=pytest.mark.stack)
STORES = [SQLITE, REDIS, DYNAMODB]
"""Every store, for `pytest.mark.parametrize`, each with the marker of the part that it needs."""


@dataclass(frozen=True)
class SharedStore:
    """One store for all hosts: its settings, and the hands that a test may lay on it."""

    kind: Kind
    settings: dict[str, str] = field(repr=False)
    """SESSION_STORE_URL and what belongs to it."""
    proxy: FaultProxy | None = None
    """In front of Redis or DynamoDB, when asked for: cut, slow or flap the store there."""
    path: Path | None = None
    """The file of SQLite, whose faults are made by the file system."""
    redis: RedisServer | None = None
    aws: Offline | None = None
    table: str = ""

    def lock(self, seconds: float) -> None:
        """Hold SQLite's one place of a writer so long; AssertionError for another store."""
        assert self.path is not None, "only SQLite has a lock to hold"
        with closing(sqlite3.connect(self.path, timeout=5, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")


@contextmanager
def shared_store(kind: Kind, folder: Path, *, behind_proxy: bool = False) -> Iterator[SharedStore]:
    """An empty store of this kind until the end of the block."""
    with ExitStack() as stack:
        yield _MAKERS[kind](stack, folder, behind_proxy)


def _sqlite(stack: ExitStack, folder: Path, behind_proxy: bool) -> SharedStore:
    del stack
    if behind_proxy:
        raise ValueError("SQLite has no port; break its file instead")
    path = folder / "sessions.db"
    return SharedStore("sqlite", {"SESSION_STORE_URL": f"sqlite:///{path}"}, path=path)


def _redis(stack: ExitStack, folder: Path, behind_proxy: bool) -> SharedStore:
    server = stack.enter_context(started(folder / "redis"))
    proxy = stack.enter_context(proxied(server.port)) if behind_proxy else None
    url = proxy.url if proxy else server.url
    return SharedStore("redis", {"SESSION_STORE_URL": url}, proxy=proxy, redis=server)


def _dynamodb(stack: ExitStack, folder: Path, behind_proxy: bool) -> SharedStore:
    port = free_port()
    child = start_offline_aws(port, folder / "dynamodb")
    stack.callback(child.stop)
    child.wait_until_healthy()
    aws = Offline(f"http://127.0.0.1:{port}")
    table = f"sessions-{secrets.token_hex(4)}"
    session_table(aws.client("dynamodb"), table, load_stack().session_table)
    proxy = stack.enter_context(proxied(port)) if behind_proxy else None
    endpoint = f"http://127.0.0.1:{proxy.port}" if proxy else aws.endpoint
    settings = {
        "SESSION_STORE_URL": f"dynamodb://{table}",
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    return SharedStore("dynamodb", settings, proxy=proxy, aws=aws, table=table)


_MAKERS: dict[Kind, Callable[[ExitStack, Path, bool], SharedStore]] = {
    "sqlite": _sqlite,
    "redis": _redis,
    "dynamodb": _dynamodb,
}

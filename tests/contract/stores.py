"""The stores that must all pass the contract, each with what it needs to be opened.

Another back end joins by one more entry in `STORES`; where it talks to a server that the machine
may lack, its entry carries the marker of that part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from infra.local.provision_sessions import session_table
from infra.stack import load_stack
from tests.contract.dynamodb import Hosts
from webapp.store.base import Store
from webapp.store.dynamodb import DynamoStore
from webapp.store.sqlite import SqliteStore


@dataclass(frozen=True)
class Backend:
    """How a back end is opened, again and again at the same place: a second host."""

    name: str
    open: Callable[[Path], Store]
    break_it: Callable[[Path], object]
    """Makes the place unusable beneath an open store."""
    sweeps: bool = True
    """Whether `purge` removes what has ended; else the server behind it does."""


Opening = Callable[[pytest.FixtureRequest], Backend]
"""Makes a back end; one that needs a server asks the request for the fixture that starts it."""


def _break_sqlite(folder: Path) -> None:
    (folder / "sessions.db").write_bytes(b"this is no database, and long enough to show it" * 100)
    for name in ("sessions.db-wal", "sessions.db-shm"):
        (folder / name).unlink(missing_ok=True)


def sqlite(request: pytest.FixtureRequest) -> Backend:
    """One file in the test's folder."""
    del request
    return Backend("sqlite", lambda folder: SqliteStore(folder / "sessions.db"), _break_sqlite)


def dynamodb(request: pytest.FixtureRequest) -> Backend:
    """One table for each folder, made from the facts of the stack, on the offline AWS.

    Without its TTL: that goes by the machine's clock, and the tests have one of their own.
    """
    hosts = request.getfixturevalue("dynamodb")
    assert isinstance(hosts, Hosts)

    def open_table(folder: Path) -> Store:
        api = hosts.next_client()
        session_table(api, table_of(folder), load_stack().session_table, expiry=False)
        return DynamoStore(api, table_of(folder))

    return Backend(
        "dynamodb",
        open_table,
        lambda folder: hosts.next_client().delete_table(TableName=table_of(folder)),
        sweeps=False,
    )


def table_of(folder: Path) -> str:
    """The name of the table that stands for a folder."""
    return f"sessions-{sha256(str(folder).encode()).hexdigest()[:16]}"


STORES = [
    pytest.param(sqlite, id="sqlite"),
    pytest.param(dynamodb, id="dynamodb", marks=pytest.mark.stack),
]

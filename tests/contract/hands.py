"""What somebody can do to a store who reaches past the application: thief, vandal, operator."""

import sqlite3
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from tests.contract.dynamodb import ACCESS_KEY, SECRET_KEY
from tests.contract.redis_server import RedisServer
from tests.doubles.endpoint import Endpoint
from tests.doubles.message import Answer, Request
from tests.rig import Rig, rigged
from webapp.services import open_store
from webapp.store.base import Store

_WRITES = ("PutItem", "UpdateItem", "DeleteItem")
_HEAD = struct.Struct(">cQqBB")  # of a record in Redis


class Hands(ABC):
    """Raw access to one store. `settings` lead an application there."""

    kind: str
    settings: dict[str, str]

    def open(self, now: Callable[[], float]) -> Store:
        """The store as a host opens it."""
        return open_store(
            self.settings["SESSION_STORE_URL"],
            region="us-east-1",
            dynamodb_endpoint=self.settings.get("AWS_ENDPOINT_URL_DYNAMODB"),
            now=now,
        )

    @abstractmethod
    def row(self, place: bytes) -> Any:
        """Everything that lies at a record's place, for `put_back`."""

    @abstractmethod
    def put_back(self, place: bytes, row: Any) -> None:
        """Write that there over whatever stands there now, tombstone or not."""

    @abstractmethod
    def sealed(self, place: bytes) -> bytes:
        """The sealed part of the record."""

    @abstractmethod
    def plant(self, place: bytes, sealed: bytes) -> None:
        """Put another sealed part into the record, all else as it was."""

    @abstractmethod
    def empty(self) -> None:
        """Lose everything."""

    @abstractmethod
    def dump(self) -> bytes:
        """All bytes of it, as a thief of disk or backup has them."""

    @abstractmethod
    def writes_fail(self) -> AbstractContextManager[None]:
        """Until the end of the block it can be read and not written."""


class SqliteHands(Hands):
    """Hands on the file."""

    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = {"SESSION_STORE_URL": f"sqlite:///{path}"}

    def _said(self, statement: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as file, file:
            file.execute("PRAGMA synchronous = OFF")
            return file.execute(statement, values).fetchall()

    def row(self, place: bytes) -> Any:
        """See Hands."""
        (row,) = self._said("SELECT * FROM sessions WHERE key = ?", place)
        return row

    def put_back(self, place: bytes, row: Any) -> None:
        """See Hands."""
        del place  # it is the row's first value
        marks = ", ".join("?" * len(row))
        self._said(f"INSERT OR REPLACE INTO sessions VALUES ({marks})", *row)  # noqa: S608

    def sealed(self, place: bytes) -> bytes:
        """See Hands."""
        ((sealed,),) = self._said("SELECT sealed FROM sessions WHERE key = ?", place)
        return bytes(sealed)

    def plant(self, place: bytes, sealed: bytes) -> None:
        """See Hands."""
        self._said("UPDATE sessions SET sealed = ? WHERE key = ?", sealed, place)

    def empty(self) -> None:
        """See Hands."""
        self._said("DELETE FROM sessions")
        self._said("DELETE FROM claims")

    def dump(self) -> bytes:
        """See Hands."""
        return b"".join(one.read_bytes() for one in self.path.parent.glob(f"{self.path.name}*"))

    def pages(self) -> int:
        """How many pages of 4 KiB the file has, those still in its log included."""
        ((count,),) = self._said("PRAGMA page_count")
        return int(count)

    @contextmanager
    def writes_fail(self) -> Iterator[None]:
        """See Hands. Somebody else writes, and does not come to an end."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
            file.execute("ROLLBACK")


class RedisHands(Hands):
    """Hands on a Redis server."""

    kind = "redis"

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.settings = {"SESSION_STORE_URL": server.url}
        self._line = Redis(port=server.port, protocol=2)

    def row(self, place: bytes) -> Any:
        """See Hands."""
        return self._line.get(b"portico:s:" + place)

    def put_back(self, place: bytes, row: Any) -> None:
        """See Hands."""
        self._line.set(b"portico:s:" + place, row, ex=86_400)

    def sealed(self, place: bytes) -> bytes:
        """See Hands."""
        row: bytes = self.row(place)
        return row[self._length(row) :]

    def plant(self, place: bytes, sealed: bytes) -> None:
        """See Hands."""
        row: bytes = self.row(place)
        self.put_back(place, row[: self._length(row)] + sealed)

    def empty(self) -> None:
        """See Hands."""
        self.server.empty()

    def dump(self) -> bytes:
        """See Hands."""
        self.server.say("CONFIG", "SET", "rdbcompression", "no")
        self.server.say("SAVE")
        return (self.server.folder / "dump.rdb").read_bytes()

    @contextmanager
    def writes_fail(self) -> Iterator[None]:
        """See Hands. It wants a replica that is not there."""
        self.server.say("CONFIG", "SET", "min-replicas-to-write", 1)
        yield
        self.server.say("CONFIG", "SET", "min-replicas-to-write", 0)

    def memory(self) -> int:
        """The bytes of all keys with all that belongs to them, as Redis counts them."""
        keys = list(self._line.scan_iter(count=1000))
        return sum(int(self._line.memory_usage(key, samples=0) or 0) for key in keys)

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    @staticmethod
    def _length(row: bytes) -> int:
        _, _, _, person, label = _HEAD.unpack_from(row)
        return _HEAD.size + int(person) + int(label)


class DynamoHands(Hands):
    """Hands on a table; the application comes through `front`, we do not."""

    kind = "dynamodb"

    def __init__(self, raw: Any, table: str, front: Endpoint, origin: str) -> None:
        self._raw = raw
        self._table = table
        self._front = front
        self.settings = {
            "SESSION_STORE_URL": f"dynamodb://{table}",
            "AWS_ENDPOINT_URL_DYNAMODB": origin,
        }
        self.environment = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}

    def row(self, place: bytes) -> Any:
        """See Hands."""
        key = {"k": {"B": b"r" + place}, "s": {"B": b"-"}}
        return self._raw.get_item(TableName=self._table, Key=key, ConsistentRead=True)["Item"]

    def put_back(self, place: bytes, row: Any) -> None:
        """See Hands."""
        del place  # the item has its key
        self._raw.put_item(TableName=self._table, Item=row)

    def sealed(self, place: bytes) -> bytes:
        """See Hands."""
        return bytes(self.row(place)["sealed"]["B"])

    def plant(self, place: bytes, sealed: bytes) -> None:
        """See Hands."""
        self.put_back(place, self.row(place) | {"sealed": {"B": sealed}})

    def _items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in self._raw.get_paginator("scan").paginate(TableName=self._table):
            found += page["Items"]
        return found

    def empty(self) -> None:
        """See Hands."""
        for item in self._items():
            self._raw.delete_item(TableName=self._table, Key={"k": item["k"], "s": item["s"]})

    def dump(self) -> bytes:
        """See Hands."""
        values = [
            value if isinstance(value, bytes) else str(value).encode()
            for item in self._items()
            for typed in item.values()
            for value in typed.values()
        ]
        return b"\n".join(values)

    @contextmanager
    def writes_fail(self) -> Iterator[None]:
        """See Hands."""

        def only_reads(request: Request, behave: Callable[[Request], Answer]) -> Answer:
            if (request.header("X-Amz-Target") or "").partition(".")[2] in _WRITES:
                body = b'{"__type": "InternalServerError", "message": ""}'
                return Answer(500, (("Content-Type", "application/x-amz-json-1.0"),), body)
            return behave(request)

        self._front.program(only_reads)
        yield
        self._front.heal()


def rigged_over(hands: Hands, folder: Path) -> AbstractContextManager[Rig]:
    """The application over that store."""
    settings: dict[str, Any] = {**hands.settings}
    return rigged(folder, **settings)

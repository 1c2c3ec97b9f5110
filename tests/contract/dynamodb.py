"""DynamoDB as the store meets it: the offline AWS's, behind a front that can be programmed."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.doubles.double import Double
from tests.doubles.endpoint import Endpoint
from tests.doubles.message import Answer, Request
from tests.stack.world import Offline
from webapp.store.base import Store

ACCESS_KEY, SECRET_KEY = "test", "test"
"""The offline AWS's own administrator."""
_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive")


class Hosts:
    """The offline AWS as two hosts see it, each with a client of its own."""

    def __init__(self, aws: Offline) -> None:
        self.endpoint = aws.endpoint
        self._clients = cycle([aws.client("dynamodb"), aws.client("dynamodb")])

    def next_client(self) -> Any:
        """The client of the other host; making one anew takes longer than most tests."""
        return next(self._clients)


def table_of(folder: Path) -> str:
    """The name of the table that stands for a folder."""
    return f"sessions-{sha256(str(folder).encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Fronted:
    """A store that reaches its table through `front`, and the raw client that does not."""

    store: Store
    front: Endpoint
    server: Double
    table: str
    raw: Any

    def calls(self) -> list[str]:
        """The operations that came so far, in order."""
        targets = [request.header("X-Amz-Target") or "" for request in self.front.requests]
        return [target.partition(".")[2] for target in targets]

    def items(self, kind: bytes) -> list[dict[str, Any]]:
        """Everything of one kind that lies in the table."""
        found = self.raw.scan(TableName=self.table, ConsistentRead=True)["Items"]
        return [item for item in found if item["k"]["B"][:1] == kind]


@contextmanager
def front_of(endpoint: str) -> Iterator[tuple[Double, Endpoint]]:
    """A server that hands every request on, as it came, and can do otherwise."""
    address = urlsplit(endpoint).netloc

    def hand_on(request: Request) -> Answer:
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            connection.putrequest("POST", request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                connection.putheader(name, value)
            connection.endheaders(request.body)
            reply = connection.getresponse()
            headers = tuple(
                (name, value)
                for name, value in reply.getheaders()
                if name.lower() not in _HOP_BY_HOP
            )
            return Answer(reply.status, headers, reply.read())
        finally:
            connection.close()

    with Double() as server:
        yield server, server.serve("dynamodb", "POST", "/", hand_on)

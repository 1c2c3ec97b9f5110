"""A light HTTP client for the load driver: raw sockets, kept alive, as little work as possible.

An operation is a generator that yields raw requests and is sent answers. `drive` runs operations
one after another on one connection; `drive_many` runs them on many connections from one thread.
"""

import select
import socket
import time
from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple

HOST = "127.0.0.1"


class DriveError(Exception):
    """A server answered something that the operation cannot go on with."""


class Answer(NamedTuple):
    """A whole response; `head` is the raw status line and headers."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The first header of that name, or an empty string."""
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> list[str]:
        """Every header of that name."""
        wanted = name.lower()
        pairs = (line.partition(":") for line in self.head.decode("latin-1").split("\r\n")[1:])
        return [value.strip() for key, _, value in pairs if key.lower() == wanted]


Operation = Generator[bytes, Answer, None]


class Sample(NamedTuple):
    """What a drive saw: seconds each operation took, seconds for all, cookies that it was given."""

    latencies: list[float]
    elapsed: float
    cookies: tuple[str, ...] = ()


class Connection:
    """One kept connection, that opens again when the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._data = b""

    def send(self, request: bytes) -> None:
        """Send one request, over a new connection where there is none."""
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port), timeout=30)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._data = b""
        self._socket.sendall(request)

    def fileno(self) -> int:
        """The open socket, for epoll."""
        return self._socket.fileno() if self._socket else -1

    def receive(self) -> Answer | None:
        """Read once; the answer when it is whole. DriveError when the server hung up first."""
        if self._socket is None:
            raise DriveError("nothing was sent")
        chunk = self._socket.recv(262144)
        if not chunk:
            raise DriveError(f"the server closed the connection after {len(self._data)} bytes")
        self._data += chunk
        answer = parse(self._data)
        if answer is not None:
            self._data = b""
            if b"\r\nconnection: close" in answer.head.lower():
                self.close()
        return answer

    def ask(self, request: bytes) -> Answer:
        """Send and wait for the whole answer."""
        self.send(request)
        while (answer := self.receive()) is None:
            pass
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def parse(data: bytes) -> Answer | None:
    """The answer in the data, None while a part is missing."""
    split = data.find(b"\r\n\r\n")
    if split < 0:
        return None
    head, body = data[:split], data[split + 4 :]
    status = int(head[9:12])
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at >= 0:
        end = lower.find(b"\r\n", at + 17)
        length = int(lower[at + 17 : end if end > 0 else None])
        return Answer(status, head, body) if len(body) >= length else None
    if b"\r\ntransfer-encoding: chunked" in lower:
        return Answer(status, head, body) if body.endswith(b"0\r\n\r\n") else None
    if status in (204, 304):
        return Answer(status, head, b"")
    raise DriveError(f"an answer of unknown length: {head[:200]!r}")


def drive(port: int, operations: Iterable[Operation]) -> Sample:
    """Run the operations one after another over one kept connection."""
    connection = Connection(port)
    latencies = []
    clock = time.perf_counter
    began = clock()
    for operation in operations:
        start = clock()
        request = next(operation)
        try:
            while True:
                request = operation.send(connection.ask(request))
        except StopIteration:
            latencies.append(clock() - start)
    elapsed = clock() - began
    connection.close()
    return Sample(latencies, elapsed)


def drive_many(
    port: int, make: Callable[[], Operation], connections: int, seconds: float
) -> Sample:
    """Keep that many connections busy for that long; each starts anew as soon as it is done."""
    poller, clock = select.epoll(), time.perf_counter
    open_ones: dict[int, tuple[Connection, Operation, float]] = {}
    latencies: list[float] = []

    def start(connection: Connection) -> None:
        operation, began = make(), clock()
        go_on(connection, next(operation), operation, began)

    def go_on(connection: Connection, request: bytes, operation: Operation, began: float) -> None:
        before = connection.fileno()
        connection.send(request)
        if connection.fileno() != before or before not in open_ones:
            poller.register(connection.fileno(), select.EPOLLIN)
        open_ones[connection.fileno()] = (connection, operation, began)

    began_all = clock()
    for _ in range(connections):
        start(Connection(port))
    while (now := clock()) < began_all + seconds:
        for number, _ in poller.poll(0.5):
            connection, operation, began = open_ones[number]
            answer = connection.receive()
            if answer is None:
                continue
            if connection.fileno() < 0:
                del open_ones[number]  # a closed socket leaves epoll by itself
            try:
                go_on(connection, operation.send(answer), operation, began)
            except StopIteration:
                latencies.append(clock() - began)
                start(connection)
    for connection, _, _ in open_ones.values():
        connection.close()
    poller.close()
    return Sample(latencies, now - began_all)

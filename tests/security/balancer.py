"""A small load balancer: round robin over hosts, kept connections to them, health checks if asked.

It sends a request again only when a host refused the connection; anything else that goes wrong is
the client's 502, as with balancers that must not repeat a post.
"""

import http.client
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.security.load import closed_by_peer

PATIENCE_SECONDS = 30.0
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding")


class Balancer:
    """Hosts by port. `probe_seconds` asks each for /readyz so often; `again` is the rule above."""

    def __init__(
        self, ports: Sequence[int], *, again: bool = True, probe_seconds: float | None = None
    ) -> None:
        self._again = again
        self._ports = deque(ports)
        self._up = set(ports)
        self._kept: dict[int, deque[http.client.HTTPConnection]] = {p: deque() for p in ports}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.mishaps: list[str] = []
        """What the clients were answered 502 for."""
        self.served: dict[int, int] = dict.fromkeys(ports, 0)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._threads = [threading.Thread(target=self._server.serve_forever, args=(0.05,))]
        if probe_seconds is not None:
            self._threads.append(threading.Thread(target=self._probe, args=(probe_seconds,)))

    def start(self) -> None:
        """Begin to listen and to probe."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Close everything."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        for kept in self._kept.values():
            while kept:
                kept.pop().close()

    def pass_on(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer of the host whose turn it is, or 502."""
        for port in self._in_turn():
            kept = self._connection(port)
            try:
                if kept.sock is None:
                    kept.connect()
            except ConnectionRefusedError:
                if self._again:
                    continue
                return self._mishap(port, "refused")
            try:
                kept.request(method, target, body, headers)
                answer = kept.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                kept.close()
                return self._mishap(port, repr(error))
            self._keep(port, kept)
            self.served[port] += 1
            passed = [pair for pair in answer.getheaders() if pair[0].lower() not in HOP_BY_HOP]
            return answer.status, passed, content
        return self._mishap(0, "no host is up")

    def _mishap(self, port: int, why: str) -> tuple[int, list[tuple[str, str]], bytes]:
        self.mishaps.append(f"{port}: {why}")
        return 502, [("Content-Length", "0")], b""

    def _in_turn(self) -> list[int]:
        with self._lock:
            self._ports.rotate(-1)
            return [port for port in self._ports if port in self._up]

    def _connection(self, port: int) -> http.client.HTTPConnection:
        kept = self._kept[port]
        while kept:
            try:
                connection = kept.pop()
            except IndexError:  # another thread was quicker
                break
            if connection.sock and not closed_by_peer(connection.sock):
                return connection
            connection.close()
        return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)

    def _keep(self, port: int, connection: http.client.HTTPConnection) -> None:
        if connection.sock is not None:  # the host did not say that it closes
            self._kept[port].append(connection)

    def _probe(self, every: float) -> None:
        while not self._over.wait(every):
            for port in tuple(self._kept):
                if self._ready(port):
                    self._up.add(port)
                else:
                    self._up.discard(port)

    def _ready(self, port: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/readyz", headers={"Host": "probe"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        balancer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self._pass()

            def do_POST(self) -> None:
                self._pass()

            def log_message(self, *args: Any) -> None:
                """Nothing: the test tells what it needs."""

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                sent = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
                status, headers, content = balancer.pass_on(self.command, self.path, sent, body)
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        return Handler


@contextmanager
def balanced(
    ports: Sequence[int], *, again: bool = True, probe_seconds: float | None = None
) -> Iterator[Balancer]:
    """A running balancer until the end of the block."""
    made = Balancer(ports, again=again, probe_seconds=probe_seconds)
    made.start()
    try:
        yield made
    finally:
        made.stop()

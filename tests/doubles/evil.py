"""A host that nothing must ever reach."""

import socket
import threading
from types import TracebackType
from typing import Self


class EvilHost:
    """Listens on loopback and records every byte; a plausible answer keeps the victim talking."""

    def __init__(self, body: bytes = b'{"access_token":"evil","id_token":"evil"}') -> None:
        self._answer = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        self._lock = threading.Lock()
        self._connections = 0
        self._received = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def connections(self) -> int:
        """How often somebody connected, even without saying a word."""
        with self._lock:
            return self._connections

    @property
    def received(self) -> bytes:
        """Every byte that came."""
        with self._lock:
            return self._received

    def assert_untouched(self) -> None:
        """Raise AssertionError if anything connected."""
        if self.connections:
            raise AssertionError(f"the evil host was reached: {self.received[:2000]!r}")

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        socket.create_connection(self._listener.getsockname(), timeout=1).close()
        self._thread.join(5)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _listen(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._closing.is_set():
                    return
                with self._lock:
                    self._connections += 1
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(1)
        try:
            while data := connection.recv(65536):
                with self._lock:
                    self._received += data
                if b"\r\n\r\n" in data:
                    connection.sendall(self._answer)
        except OSError:
            return

"""A way to a server that can be bad: down, slow, silent, dripping, or talking nonsense."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Mode = Literal["open", "slow", "hole", "drip", "nonsense", "cut"]
CHUNK = 65536


class FaultProxy:
    """Listens on a port of its own and passes on to `target`, as its `mode` has it.

    slow: each answer comes `lag` seconds late; hole: nothing is passed on and nothing is said;
    drip: answers come byte by byte; nonsense: every answer is `nonsense`, at
    first one that is no Redis; cut: the next question
    is passed on, and its answer is a closed connection. The mode also holds for connections that
    stand; another target does not. `down` and `up` close and open the port itself.
    """

    def __init__(self, target: int, *, lag: float = 2.0) -> None:
        self.mode: Mode = "open"
        self.nonsense = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        self.target = target
        self._lag = lag
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Its address for SESSION_STORE_URL."""
        return f"redis://127.0.0.1:{self.port}"

    def down(self) -> None:
        """Refuse new connections and reset those that stand."""
        # shutdown and not close alone: a thread that waits in accept() keeps the port open
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        while self._sockets:
            _reset(self._sockets.pop())

    def up(self) -> None:
        """Listen again."""
        self._listener = self._listen(self.port)

    def stop(self) -> None:
        """End it all."""
        self._over.set()
        self.down()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                self._sockets += (client, server)
                for end in (client, server):  # or small pieces wait for each other's receipt
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for source, sink in ((client, server), (server, client)):
                    pump = (source, sink, source is server)
                    threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                if self.mode == "hole":
                    continue
                if is_answer and self.mode == "cut":
                    self.mode = "open"
                    break
                if is_answer and self.mode == "slow" and self._over.wait(self._lag):
                    break
                if is_answer and self.mode == "nonsense":
                    chunk = self.nonsense
                if is_answer and self.mode == "drip":
                    for byte in chunk:
                        sink.sendall(bytes((byte,)))
                        if self._over.wait(0.05):
                            break
                    continue
                sink.sendall(chunk)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxied(target: int) -> Iterator[FaultProxy]:
    """A proxy until the end of the block."""
    proxy = FaultProxy(target)
    try:
        yield proxy
    finally:
        proxy.stop()

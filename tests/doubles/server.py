"""A small threaded HTTP/1.1 server on loopback that keeps what it saw and complains aloud.

It parses requests itself, because the doubles need the target and the headers exactly as they
came, and because an answer must be able to drip, stop, lie and reset.
"""

import contextlib
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, Self

from tests.doubles.message import Answer, Complaint, Request
from tests.doubles.sending import Stopped, send

Handler = Callable[[Request], Answer | None]
JOIN_SECONDS = 5.0


class Server:
    """Serves every mounted handler on one port of 127.0.0.1; the first that answers wins.

    A request that no handler knows, and any exception in a handler, is answered with 500 and
    remembered; `assert_quiet` and `close` raise AssertionError with the whole list.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._handlers: list[Handler] = []
        self._lock = threading.Lock()
        self._complaints: list[str] = []
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._listener: socket.socket | None = None
        self._port = 0
        self.closing = threading.Event()
        self.on_close: list[Callable[[], None]] = []
        self.start()

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        """The port; it stays the same over stop and start."""
        return self._port

    def mount(self, handler: Handler) -> None:
        """Add a handler; it answers None for a request that is not its own."""
        self._handlers.append(handler)

    def start(self) -> None:
        """Listen (again), on the port of before: a provider that comes back."""
        if self._listener is not None:
            return
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(512)
        self._port = listener.getsockname()[1]
        self._listener = listener
        self.closing.clear()
        self._spawn(self._accept, listener)

    def stop(self) -> None:
        """Refuse connections and drop those that stand: a provider that is down."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        self.closing.set()
        for release in self.on_close:
            release()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        with self._lock:
            open_now = list(self._connections)
            threads = list(self._threads)
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(JOIN_SECONDS)

    def close(self) -> None:
        """Stop for good, then raise AssertionError when there was anything to complain about."""
        self.stop()
        self.assert_quiet()

    def complain(self, text: str) -> None:
        """Remember a fault of the client."""
        with self._lock:
            self._complaints.append(text)

    @property
    def complaints(self) -> list[str]:
        """What was remembered and not yet expected."""
        with self._lock:
            return list(self._complaints)

    def expect_complaint(self, part: str) -> None:
        """Take back the complaints that hold this text; AssertionError if there is none."""
        with self._lock:
            kept = [text for text in self._complaints if part not in text]
            found = len(kept) != len(self._complaints)
            self._complaints = kept
        if not found:
            raise AssertionError(f"no complaint holds {part!r}")

    def assert_quiet(self) -> None:
        """Raise AssertionError with every complaint; once raised they are forgotten."""
        with self._lock:
            complaints, self._complaints = self._complaints, []
        if complaints:
            raise AssertionError("the double complains:\n- " + "\n- ".join(complaints))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if error is None:
            self.assert_quiet()
        elif self.complaints:
            error.add_note("the double complains: " + "; ".join(self.complaints))

    def _spawn(self, target: Callable[[socket.socket], None], argument: socket.socket) -> None:
        thread = threading.Thread(target=self._run, args=(target, argument), daemon=True)
        with self._lock:
            self._threads.add(thread)
            thread.start()  # in the lock: `stop` joins what it finds here

    def _run(self, target: Callable[[socket.socket], None], argument: socket.socket) -> None:
        try:
            target(argument)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if self.closing.is_set():
                connection.close()
                return
            self._spawn(self._serve, connection)

    def _serve(self, raw: socket.socket) -> None:
        connection = raw
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(raw, server_side=True)
            with self._lock:
                self._connections.add(connection)
            with connection.makefile("rb") as reader:
                while not self.closing.is_set():
                    request = read_request(reader)
                    if request is None:
                        return
                    send(connection, self.answer(request), self.closing)
                    if (request.header("Connection") or "").lower() == "close":
                        return
        except Complaint as complaint:
            self.complain(str(complaint))
        except (OSError, Stopped):
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def answer(self, request: Request) -> Answer:
        """What the mounted handlers answer, loud when none does or when one fails."""
        try:
            for handler in self._handlers:
                answer = handler(request)
                if answer is not None:
                    return answer
            raise Complaint(f"{request.method} {request.target[:200]}: no double knows this")
        except Stopped:
            raise
        except Complaint as complaint:
            text = str(complaint)
        except Exception:  # a double that fails must fail the test, whatever it was
            text = f"{request.method} {request.target[:200]}:\n{traceback.format_exc()}"
        self.complain(text)
        return Answer(500, (("Content-Type", "text/plain"),), f"LOUD: {text}".encode())


def read_request(reader: BinaryIO) -> Request | None:
    """Read one request; None at the end of the connection, Complaint for broken framing.

    A client that ends before its request does was killed, and asked for nothing.
    """
    first = reader.readline(1 << 20)
    if not first.strip():
        return None
    parts = first.decode("latin-1").rstrip("\r\n").split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise Complaint(f"not an HTTP/1 request line: {first[:100]!r}")
    headers: list[tuple[str, str]] = []
    while (line := reader.readline(1 << 20)) not in (b"\r\n", b"\n", b""):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise Complaint(f"not a header line: {line[:100]!r}")
        headers.append((name, value.strip(" \t\r\n")))
    head = Request(parts[0], parts[1], tuple(headers), b"")
    body = _read_body(head, reader)
    if body is None:
        return None
    return Request(head.method, head.target, head.headers, body, time.monotonic())


def _read_body(head: Request, reader: BinaryIO) -> bytes | None:
    if (head.header("Transfer-Encoding") or "").lower() == "chunked":
        chunks = []
        while size := int(reader.readline().split(b";")[0], 16):
            chunks.append(reader.read(size))
            reader.readline()
        reader.readline()
        return b"".join(chunks)
    size = int(head.header("Content-Length") or 0)
    body = reader.read(size)
    return body if len(body) == size else None

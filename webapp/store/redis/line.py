"""One connection to one Redis server. Every wait on it ends at the deadline of the operation."""

import re
import select
import socket
import ssl
import time
from typing import Any

from redis.connection import Connection
from redis.exceptions import AuthenticationError, InvalidResponse, RedisError
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import TimeoutError as TimedOut

from webapp.deadlines import STORE_DIAL_SECONDS
from webapp.dialling import Resolver, dial
from webapp.store.redis.address import Address, Node

# Shorter than what load balancers keep an idle connection for, so few are found closed.
IDLE_SECONDS = 60.0
SLOW_SECONDS = 0.1

_CODES = re.compile(
    r"\b(READONLY|OOM|LOADING|NOAUTH|WRONGPASS|NOPERM|MOVED|ASK|CLUSTERDOWN|MASTERDOWN|TRYAGAIN"
    r"|MISCONF|NOREPLICAS|BUSY|WRONGTYPE|max number of clients)\b"
)


class _Until:
    """The moment of the monotonic clock at which the running operation ends."""

    at = 0.0

    def left(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline passed")
        return left


class _PlainSocket(socket.socket):
    until: _Until

    def recv(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.settimeout(self.until.left())
        return super().recv(*args, **kwargs)

    def sendall(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.settimeout(self.until.left())
        return super().sendall(*args, **kwargs)


class _TlsSocket(ssl.SSLSocket):
    until: _Until

    def recv(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.settimeout(self.until.left())
        return super().recv(*args, **kwargs)

    def send(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.settimeout(self.until.left())
        return super().send(*args, **kwargs)


class Line(Connection):
    """A connection that is dialled when first used. One thread at a time."""

    def __init__(
        self, address: Address, node: Node, resolver: Resolver = socket.getaddrinfo
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            *node,
            db=address.database,
            username=address.user,
            password=address.password,
            # RESP2 and no word about the client: fewest round trips and permissions to begin with.
            protocol=2,
            driver_info=None,
        )
        self._tls = address.tls
        self._resolver = resolver
        self._until = _Until()
        self._used_at = 0.0

    def ask(self, *command: bytes | str | int | float, ends_at: float) -> Any:
        """The answer, as bytes, int, list or None. Raises RedisError."""
        self._until.at = ends_at
        self._used_at = time.monotonic()
        try:
            self.send_command(*command, check_health=False)  # type: ignore[no-untyped-call]
            return self.read_response()
        except ValueError as error:  # what came back is not the protocol
            raise InvalidResponse("not the protocol") from error

    @property
    def stale(self) -> bool:
        """Whether the other side has closed, or said something that nobody asked for."""
        if self._sock is None or time.monotonic() - self._used_at > IDLE_SECONDS:
            return True
        waiting = select.poll()
        waiting.register(self._sock, select.POLLIN)
        return bool(waiting.poll(0))

    def hang_up(self) -> None:
        """Close; a line that a parent process dialled is only let go of."""
        self.disconnect()  # type: ignore[no-untyped-call]

    def _connect(self) -> socket.socket:
        dialled = dial(
            self.host,
            self.port,
            left=self._until.left,
            make=_PlainSocket,
            most=STORE_DIAL_SECONDS,
            resolver=self._resolver,
        )
        dialled.until = self._until
        try:
            dialled.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return dialled if self._tls is None else self._wrapped(dialled, self._tls)
        except OSError:
            dialled.close()
            raise

    def _wrapped(self, dialled: socket.socket, context: ssl.SSLContext) -> socket.socket:
        context.sslsocket_class = _TlsSocket
        # The handshake is part of wrapping, and has the whole of what is left.
        dialled.settimeout(self._until.left())
        wrapped = context.wrap_socket(dialled, server_hostname=self.host)
        wrapped.until = self._until  # type: ignore[attr-defined]
        return wrapped


def silent(error: Exception, seconds: float) -> bool | None:
    """What a failure says of a server, for its Breaker.

    One that comes at once, such as a refused connection, costs nobody anything: it counts for
    nothing, and the first question after a restart is answered.
    """
    if isinstance(error, Lost | TimedOut | OSError):
        return True if seconds >= SLOW_SECONDS else None
    return False if isinstance(error, RedisError) else None


def reason(error: Exception) -> str:
    """One word on what went wrong, made of fixed words only: never of what the server said."""
    if isinstance(error, TimedOut | TimeoutError):
        return "timeout"
    code = getattr(error, "status_code", None)
    if isinstance(code, str) and code != "ERR":
        return code
    if found := _CODES.search(str(error)):
        return "MAXCLIENTS" if found[1].startswith("max") else found[1]
    if isinstance(error, AuthenticationError):
        return "WRONGPASS"
    if isinstance(error, Lost):
        return type(error.__context__).__name__ if error.__context__ else "closed"
    return "refused" if isinstance(error, RedisError) else type(error).__name__

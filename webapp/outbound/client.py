"""The one way out over HTTP: bounded in time and size, no redirects, nothing from the environment.

A deadline counts for the whole exchange: dialling, handshake, headers and body. A server that
drips one byte a second is cut off at the deadline, not after each byte. The standard library's
client does the work; the sockets beneath ask, before every wait, how much time is left.
"""

import os
import socket
import ssl
import time
import weakref
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from webapp.dialling import Resolver
from webapp.errors import PorticoError
from webapp.outbound.body import decoded
from webapp.outbound.sockets import Connection, deadline_at, no_deadline, tls_context

KIB = 1024
MIB = 1024 * KIB
KEPT = 32


class OutboundFailed(PorticoError):
    """No whole answer: refused, unresolvable, reset, cut short, or not HTTP.

    `silent` says that there was no sign of life, and not an answer that is no good.
    """

    code = "outbound_failed"
    retry_after = 5
    """In seconds, for whoever waits for the part."""

    def __init__(self, sentence: str, *, silent: bool = False, **facts: object) -> None:
        super().__init__(sentence, code=None, **facts)
        self.silent = silent


class OutboundTimedOut(OutboundFailed):
    """The deadline passed."""

    code = "outbound_timed_out"


class OutboundRefused(OutboundFailed):
    """Not even sent: this part is not asked just now, or by too many already (`busy`)."""

    code = "outbound_refused"

    def __init__(self, sentence: str, *, reason: str, retry_after: int) -> None:
        super().__init__(sentence, reason=reason)
        self.busy = reason == "busy"
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. `cut` says that the decoded body was longer than the cap."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    cut: bool
    seconds: float

    def header(self, name: str) -> str | None:
        """The first header of this name, any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Sender(Protocol):
    """A way out: Outbound itself, or one part of it behind a breaker."""

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline: float,
        cap: int = MIB,
        safe: bool = False,
    ) -> Reply:
        """As Outbound.send."""


class Outbound:
    """Connections kept over requests and threads; one for the whole process.

    `resolver` turns names into addresses, as socket.getaddrinfo does.
    """

    def __init__(
        self, context: ssl.SSLContext | None = None, *, resolver: Resolver = socket.getaddrinfo
    ) -> None:
        self._context = context or tls_context()
        self._resolver = resolver
        self._owner = os.getpid()
        self._idle: dict[str, deque[Connection]] = {}
        weakref.finalize(self, _close_all, self._idle)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline: float,
        cap: int = MIB,
        safe: bool = False,
    ) -> Reply:
        """One exchange within `deadline` seconds; the decoded body ends at `cap` bytes.

        `safe` allows one more try when a kept connection turned out to be stale.
        Raises OutboundTimedOut at the deadline, OutboundFailed when there is no whole answer.
        """
        started = time.monotonic()
        deadline_at(started + deadline)
        try:
            parts = urlsplit(url)
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            origin = f"{parts.scheme}://{parts.netloc}"
            connection, kept = self._connection(origin, parts)
            try:
                reply = self._exchange(connection, method, target, headers, body, cap, started)
            except (ConnectionError, RemoteDisconnected):
                connection.close()
                if not (safe and kept):
                    raise
                connection = self._dialled(parts)
                reply = self._exchange(connection, method, target, headers, body, cap, started)
        except (HTTPException, OSError, ValueError, zlib.error) as error:
            raise _translated(error, time.monotonic() - started >= deadline - 0.01) from error
        finally:
            no_deadline()
        if connection.sock is not None:
            self._keep(origin, connection)
        return reply

    def _keep(self, origin: str, connection: Connection) -> None:
        waiting = self._idle.setdefault(origin, deque())
        if len(waiting) >= KEPT:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        waiting.append(connection)

    def _connection(self, origin: str, parts: SplitResult) -> tuple[Connection, bool]:
        """A connection to this origin, and whether it was kept from before."""
        if self._owner != os.getpid():  # a kept connection must not be shared over a fork
            self._idle.clear()
            self._owner = os.getpid()
        waiting = self._idle.get(origin)
        while waiting:
            try:
                connection = waiting.pop()
            except IndexError:  # another thread was quicker
                break
            if not connection.stale:
                return connection, True
            connection.close()
        return self._dialled(parts), False

    def _dialled(self, parts: SplitResult) -> Connection:
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        context = self._context if secure else None
        return Connection(parts.hostname or "", port, context, self._resolver)

    @staticmethod
    def _exchange(
        connection: Connection,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        cap: int,
        started: float,
    ) -> Reply:
        whole = False
        try:
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            content, cut = decoded(response, cap)
            whole = not cut and not response.will_close
        finally:
            if not whole:  # only a connection whose answer was read to its end may serve again
                connection.close()
        return Reply(
            status=response.status,
            reason=response.reason or "",
            headers=tuple(response.getheaders()),
            body=content,
            cut=cut,
            seconds=time.monotonic() - started,
        )


def _close_all(idle: dict[str, deque[Connection]]) -> None:
    for waiting in idle.values():
        for connection in waiting:
            connection.close()


def _translated(error: Exception, late: bool) -> OutboundFailed:
    reason = type(error).__name__
    if late or isinstance(error, TimeoutError):
        return OutboundTimedOut("The other side took too long.", reason=reason, silent=True)
    silent = isinstance(error, OSError | IncompleteRead)
    return OutboundFailed("The other side gave no whole answer.", reason=reason, silent=silent)

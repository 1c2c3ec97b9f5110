"""The one way out over HTTP: bounded in time and size, no redirects, nothing from the environment.

A deadline counts for the whole exchange: dialling, handshake, headers and body. A server that
drips one byte a second is cut off at the deadline, not after each byte. urllib3 does the work; the
sockets beneath ask, before every wait, how much time is left.
"""

import os
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.util import Timeout

from webapp.errors import PorticoError
from webapp.outbound.sockets import POOLS, deadline_at, no_deadline, tls_context

KIB = 1024
MIB = 1024 * KIB
CHUNK = 64 * KIB
POOL_CONNECTIONS = 32


class OutboundFailed(PorticoError):
    """No whole answer: refused, unresolvable, reset, cut short, or not HTTP."""

    code = "outbound_failed"


class OutboundTimedOut(OutboundFailed):
    """The deadline passed."""

    code = "outbound_timed_out"


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


class Outbound:
    """Connections kept over requests and threads; one for the whole process."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context or tls_context()
        self._manager = self._open()
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def _open(self) -> urllib3.PoolManager:
        manager = urllib3.PoolManager(
            num_pools=16,
            maxsize=POOL_CONNECTIONS,
            block=False,
            ssl_context=self._context,
            timeout=Timeout(connect=None, read=None),
        )
        manager.pool_classes_by_scheme = POOLS
        return manager

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
            try:
                return self._once(method, url, headers, body, cap, started)
            except ProtocolError as error:
                if not (safe and _stale(error)):
                    raise
                return self._once(method, url, headers, body, cap, started)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise _translated(error, time.monotonic() - started >= deadline - 0.01) from error
        finally:
            no_deadline()

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        cap: int,
        started: float,
    ) -> Reply:
        response = self._pools.urlopen(
            method,
            url,
            headers=headers,
            body=body,
            redirect=False,
            retries=False,
            preload_content=False,
        )
        whole = False
        try:
            content, cut = _bounded(response, cap)
            whole = not cut
        finally:
            # Only a connection whose answer was read to the end may serve again.
            response.release_conn() if whole else response.close()
        return Reply(
            status=response.status,
            reason=response.reason or "",
            headers=tuple(response.headers.iteritems()),
            body=content,
            cut=cut,
            seconds=time.monotonic() - started,
        )

    @property
    def _pools(self) -> urllib3.PoolManager:
        if self._owner != os.getpid():  # a kept connection must not be shared over a fork
            with self._lock:
                if self._owner != os.getpid():
                    self._manager = self._open()
                    self._owner = os.getpid()
        return self._manager


def _bounded(response: urllib3.BaseHTTPResponse, cap: int) -> tuple[bytes, bool]:
    content = bytearray()
    while len(content) <= cap:
        chunk = response.read(min(CHUNK, cap + 1 - len(content)), decode_content=True)
        if not chunk:
            return bytes(content), False
        content += chunk
    return bytes(content[:cap]), True


def _stale(error: ProtocolError) -> bool:
    cause = error.args[1] if len(error.args) > 1 else None
    return isinstance(cause, ConnectionError | HTTPException)


def _translated(error: Exception, late: bool) -> OutboundFailed:
    if late or isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return OutboundTimedOut("The other side took too long.", reason=type(error).__name__)
    return OutboundFailed("The other side gave no whole answer.", reason=type(error).__name__)

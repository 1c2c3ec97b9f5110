"""The one way out over HTTP: bounded in time and size, no redirects, nothing from the environment.

A deadline counts for the whole exchange: dialling, handshake, headers and body. A server that
drips one byte a second is cut off at the deadline, not after each byte. urllib3 does the work; our
sockets only ask, before every wait, how much time is left.
"""

import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException

import certifi
import requests
import urllib3
from requests.adapters import BaseAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, ProtocolError
from urllib3.util import Timeout

from webapp.errors import PorticoError

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


_thread = threading.local()


def _left() -> float:
    """Seconds left for this thread's exchange. Raises TimeoutError when there are none."""
    left: float = getattr(_thread, "deadline", float("inf")) - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline passed")
    return min(left, 3600.0)


class _PlainSocket(socket.socket):
    def recv_into(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.settimeout(_left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.settimeout(_left())
        return super().sendall(*args, **kwargs)


class _TlsSocket(ssl.SSLSocket):
    def read(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.settimeout(_left())
        return super().read(*args, **kwargs)

    def send(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.settimeout(_left())
        return super().send(*args, **kwargs)

    def do_handshake(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.settimeout(_left())
        return super().do_handshake(*args, **kwargs)


def _dial(connection: HTTPConnection) -> socket.socket:
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NameResolutionError(connection.host, connection, error) from error  # type: ignore[arg-type]
    last: OSError | None = None
    for family, kind, protocol, _, address in found:
        dialled = _PlainSocket(family, kind, protocol)
        try:
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            dialled.settimeout(min(_left(), connection.dial_seconds))  # type: ignore[attr-defined]
            dialled.connect(address)
        except OSError as error:
            dialled.close()
            last = error
            continue
        return dialled
    raise NewConnectionError(connection, f"nothing answers: {type(last).__name__}") from last


class _Connection(HTTPConnection):
    dial_seconds = 3.0

    def _new_conn(self) -> socket.socket:
        return _dial(self)


class _TlsConnection(HTTPSConnection):
    dial_seconds = 3.0

    def _new_conn(self) -> socket.socket:
        return _dial(self)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def tls_context() -> ssl.SSLContext:
    """The TLS client context: system authorities (SSL_CERT_FILE counts), AWS_CA_BUNDLE beside them.

    Made once a process, since loading the authorities costs milliseconds.
    """
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not _has_authorities():
        context.load_verify_locations(certifi.where())
    bundle = os.environ.get("AWS_CA_BUNDLE")
    if bundle:
        context.load_verify_locations(bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    return context


def _has_authorities() -> bool:
    # A directory of authorities is read lazily, so an empty list does not mean that there are none.
    paths = ssl.get_default_verify_paths()
    return bool(paths.capath and os.path.isdir(paths.capath) and os.listdir(paths.capath))


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
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
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
        _thread.deadline = started + deadline
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
            del _thread.deadline

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


class OutboundAdapter(BaseAdapter):
    """Lets a requests session (Authlib's client is one) go out through `Outbound`."""

    def __init__(self, outbound: Outbound, *, deadline: float, cap: int = MIB) -> None:
        super().__init__()
        self._outbound = outbound
        self._deadline = deadline
        self._cap = cap

    def send(self, request, *_, **__):  # type: ignore[no-untyped-def]
        """Send a prepared request; requests' own timeout, proxy and TLS arguments do not count."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        reply = self._outbound.send(
            request.method,
            request.url,
            headers=request.headers,
            body=body,
            deadline=self._deadline,
            cap=self._cap,
        )
        response = requests.Response()
        response.status_code = reply.status
        response.reason = reply.reason
        response.headers = requests.structures.CaseInsensitiveDict(reply.headers)
        response.url = request.url
        response.request = request
        response._content = reply.body  # noqa: SLF001 (the documented way of adapters)
        response.encoding = "utf-8"
        if reply.cut:
            raise OutboundFailed("The answer is larger than anything sensible.", reason="too large")
        return response

    def close(self) -> None:
        """Nothing to close: the connections belong to the process."""

"""Sockets that know the deadline of the exchange they serve, and the pools that open them."""

import os
import socket
import ssl
import threading
import time

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

_thread = threading.local()


def deadline_at(moment: float) -> None:
    """This thread's exchange ends at `moment` of the monotonic clock."""
    _thread.deadline = moment


def no_deadline() -> None:
    """This thread's exchange is over."""
    del _thread.deadline


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


POOLS = {"http": _Pool, "https": _TlsPool}


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

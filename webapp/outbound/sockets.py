"""Sockets that know the deadline of the exchange they serve, and connections made of them."""

import http.client
import os
import select
import socket
import ssl
import threading
import time

import certifi

from webapp.deadlines import DIAL_SECONDS
from webapp.dialling import Resolver, dial
from webapp.errors import SettingsProblems

# Shorter than what load balancers keep an idle connection for, so few are found closed.
IDLE_SECONDS = 30.0
LONGEST_LINE = 65_536

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


class _Response(http.client.HTTPResponse):
    """An answer; early hints and the like before it are read over (RFC 9110 section 15.2)."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == http.client.CONTINUE:
                return version, status, reason
            while self.fp.readline(LONGEST_LINE).strip():
                pass


class Connection(http.client.HTTPConnection):
    """A connection whose every wait ends at the deadline."""

    response_class = _Response

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        resolver: Resolver = socket.getaddrinfo,
    ) -> None:
        super().__init__(host, port)
        self._context = context
        self._resolver = resolver
        self.idle_since = 0.0

    def connect(self) -> None:
        """Dial, and shake hands where the address says https. Raises OSError."""
        self.sock = dial(
            self.host,
            self.port,
            left=_left,
            make=_PlainSocket,
            most=DIAL_SECONDS,
            resolver=self._resolver,
        )
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)

    @property
    def stale(self) -> bool:
        """Whether the other side has closed, or said something that nobody asked for."""
        if self.sock is None or time.monotonic() - self.idle_since > IDLE_SECONDS:
            return True
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        return bool(waiting.poll(0))


def tls_context() -> ssl.SSLContext:
    """The TLS client context: system authorities (SSL_CERT_FILE counts), AWS_CA_BUNDLE beside them.

    Made once a process, since loading the authorities costs milliseconds.
    """
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not _has_authorities():
        context.load_verify_locations(certifi.where())
    bundle = os.environ.get("AWS_CA_BUNDLE")
    if bundle:
        try:
            context.load_verify_locations(bundle)
        except OSError:
            raise SettingsProblems(
                ["AWS_CA_BUNDLE names a file that cannot be read as certificates; check it"]
            ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    return context


def _has_authorities() -> bool:
    # A directory of authorities is read lazily, so an empty list does not mean that there are none.
    paths = ssl.get_default_verify_paths()
    return bool(paths.capath and os.path.isdir(paths.capath) and os.listdir(paths.capath))

"""Two ways to the application: in this process as a WSGI callable, or over real HTTP."""

import http.client
import io
import ssl
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from werkzeug.test import EnvironBuilder, run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Headers = list[tuple[str, str]]
Raw = tuple[int, Headers, bytes]


class Transport(Protocol):
    """Sends one request; the target goes out exactly as given."""

    def send(self, method: str, target: str, headers: Headers, body: bytes) -> Raw:
        """Status, headers and body of the answer."""


class InProcess:
    """Calls the application directly, as werkzeug's test client does, but with the raw target."""

    def __init__(self, app: "WSGIApplication", base_url: str) -> None:
        self._app = app
        self._base_url = base_url

    def send(self, method: str, target: str, headers: Headers, body: bytes) -> Raw:
        """Status, headers and body of the answer."""
        builder = EnvironBuilder(method=method, base_url=self._base_url, headers=headers)
        try:
            environ = builder.get_environ()
        finally:
            builder.close()
        path, _, query = target.partition("?")
        environ |= {
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": target,
            "RAW_URI": target,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
        }
        chunks, status, answered = run_wsgi_app(self._app, environ, buffered=True)
        return int(status.split()[0]), list(answered), b"".join(chunks)


class OverHttp:
    """Opens a connection for each request."""

    def __init__(
        self, base_url: str, tls: ssl.SSLContext | None = None, timeout: float = 30.0
    ) -> None:
        self._to: SplitResult = urlsplit(base_url)
        self._tls = tls
        self._timeout = timeout

    def send(self, method: str, target: str, headers: Headers, body: bytes) -> Raw:
        """Status, headers and body of the answer."""
        connection = self._connect()
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        host = self._to.hostname or "localhost"
        if self._to.scheme == "https":
            return http.client.HTTPSConnection(
                host, self._to.port, timeout=self._timeout, context=self._tls
            )
        return http.client.HTTPConnection(host, self._to.port, timeout=self._timeout)

"""A listener on 127.0.0.1 for the one redirect that ends a sign-in in the browser (RFC 8252 7.3).

It answers requests for its own address under its own name, and ends with the first whose state is
right; whoever else on this machine knocks learns nothing and ends nothing.
"""

import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from webapp.errors import OperatorFault

HOST, PATH = "127.0.0.1", "/callback"
LONGEST_QUERY = 8192
_IDLE_SECONDS = 2.0
_LOOK_SECONDS = 0.2

Query = Mapping[str, list[str]]

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""


class Loopback:
    """Listens on one port while it is open. Raises OperatorFault for a port that is taken."""

    def __init__(self, port: int) -> None:
        try:
            self._server = _Server((HOST, port), _Handler)
        except OSError as error:
            raise OperatorFault(
                f"Port {port} of {HOST} cannot be had ({error.strerror}); say another with --port,"
                " and register its callback too.",
                code="port",
            ) from None

    @property
    def redirect_uri(self) -> str:
        """The callback address; it has to be registered at the app client, to the letter."""
        return f"http://{HOST}:{self._server.server_port}{PATH}"

    def wait(self, is_ours: Callable[[Query], bool], seconds: float) -> Query:
        """The query of the redirect that is ours. Raises OperatorFault when none came in time."""
        self._server.is_ours = is_ours
        end = time.monotonic() + seconds
        while self._server.found is None:
            left = end - time.monotonic()
            if left <= 0:
                raise OperatorFault(
                    f"Nobody came back within {seconds:g} seconds. If Managed Login showed an error"
                    f" of the redirect, register {self.redirect_uri} as a callback of the client.",
                    code="nobody_came",
                )
            self._server.timeout = min(left, _LOOK_SECONDS)
            self._server.handle_request()
        return self._server.found

    def __enter__(self) -> "Loopback":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.server_close()


def _nobodys(_: Query) -> bool:
    return False


class _Server(ThreadingHTTPServer):
    # Each knock in a thread: one that sends a letter a second holds up neither us nor the end.
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    found: Query | None = None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.is_ours: Callable[[Query], bool] = _nobodys

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: whoever knocked and went, or spoke no HTTP, is no news to a person."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _IDLE_SECONDS  # a browser may open connections that it does not use

    def do_GET(self) -> None:
        try:
            address = urlsplit(self.path)
        except ValueError:  # such as brackets with nothing to them
            self._answer(400, "Not here", "That is no address.")
            return
        named = f"{HOST}:{self.server.server_port}"
        if address.path != PATH or self.headers.get("Host") != named:
            self._answer(404, "Not here", "There is nothing at this address.")
            return
        if len(address.query) > LONGEST_QUERY:
            self._answer(400, "Too long", "This answer is longer than any of ours.")
            return
        query = parse_qs(address.query, keep_blank_values=True)
        if not self.server.is_ours(query):
            self._answer(400, "Not ours", "This answer belongs to no sign-in of this command.")
            return
        self._answer(200, "Done", "You may close this window and go back to the terminal.")
        self.server.found = query

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: a query holds a code."""

    def version_string(self) -> str:
        """Not the version of Python."""
        return "portico"

    def _answer(self, status: int, title: str, text: str) -> None:
        body = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

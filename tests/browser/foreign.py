"""Somebody else's web site on loopback: 127.0.0.1 is another site than the application's name."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        picture = self.path.endswith(".svg")
        body = _PICTURE if picture else b"<!doctype html><title>foreign</title><body>Hello.</body>"
        self.send_response(200)
        self.send_header("Content-Type", "image/svg+xml" if picture else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its parent's name
        pass


class ForeignSite:
    """Serves one page and one picture, which everybody may embed."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def origin(self) -> str:
        """The site's origin."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def other_origin(self) -> str:
        """The same server under the application's host name: what loads from there may load."""
        return f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

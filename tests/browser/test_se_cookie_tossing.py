"""SE-09: a sibling domain throws cookies at the application, in a real Chromium over https."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright
from werkzeug.serving import BaseWSGIServer, make_server

from infra.local.process import free_port
from tests.browser.conftest import ARGUMENTS
from tests.doubles.tls import Authority
from tests.parts import program
from tests.rig import Rig, rigged

APPLICATION, SIBLING = "app.portal.test", "evil.portal.test"
PLANTED = "planted-by-a-sibling"
# What a sibling may try: the very name, with and without Domain, and the plain one.
TOSSED = (
    f"__Host-portico={PLANTED}; Domain=portal.test; Path=/; Secure",
    f"__Host-portico={PLANTED}; Domain=portal.test; Path=/session; Secure",
    f"__Host-portico-signin={PLANTED}; Domain=portal.test; Path=/; Secure",
    f"portico={PLANTED}; Domain=portal.test; Path=/; Secure",
    f"__host-portico={PLANTED}; Domain=portal.test; Path=/; Secure",
    f"={'__Host-portico'}={PLANTED}; Domain=portal.test; Path=/; Secure",
)


class _Tossing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        for cookie in TOSSED:
            self.send_header("Set-Cookie", cookie)
        body = b"<!doctype html><title>Sibling</title>"
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its parent's name
        pass


@contextmanager
def _running(server: ThreadingHTTPServer | BaseWSGIServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def _sibling(context: ssl.SSLContext) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tossing)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _running(server):
        yield f"https://{SIBLING}:{server.server_port}/"


@pytest.fixture
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium for which both names are this machine."""
    resolver = "--host-resolver-rules=MAP *.portal.test 127.0.0.1"
    launched = playwright.chromium.launch(
        executable_path=program("browser"), args=[*ARGUMENTS, resolver]
    )
    yield launched
    launched.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """The application under https at its own name."""
    port = free_port()
    with rigged(tmp_path, base_url=f"https://{APPLICATION}:{port}") as made:
        tls = Authority.make(tmp_path).server(APPLICATION)
        server = make_server("127.0.0.1", port, made.app, threaded=True, ssl_context=tls)
        with _running(server):
            yield made


def test_SE_09_a_siblings_cookies_change_nothing(
    rig: Rig, browser: Browser, tmp_path: Path
) -> None:
    """Nobody is signed in or out by a sibling's cookies: the prefix keeps them out of our names."""
    ticket = rig.signed_in("viewer").cookies["__Host-portico"]
    tls = Authority.make(tmp_path).server(SIBLING)
    for signed_in in (True, False):
        context = browser.new_context(ignore_https_errors=True)
        if signed_in:
            context.add_cookies(
                [{"name": "__Host-portico", "value": ticket, "url": rig.base_url, "secure": True}]
            )
        page = context.new_page()
        with _sibling(tls) as address:
            page.goto(address)
        answer = page.goto(f"{rig.base_url}/")
        assert answer is not None
        assert answer.status == 200
        known = page.locator("header summary").count() == 1
        assert known is signed_in
        ours = {
            cookie.get("value")
            for cookie in context.cookies(rig.base_url)
            if cookie.get("name", "").startswith("__Host-")
        }
        assert ours == ({ticket} if signed_in else set())
        sent = answer.request.all_headers().get("cookie", "")
        # What does arrive bears names that mean nothing here.
        assert f"__Host-portico={PLANTED}" not in sent.split("; ")
        context.close()

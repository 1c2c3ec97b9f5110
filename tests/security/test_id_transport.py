"""ID-02, ID-03: a user pool that hangs, drips or floods costs a bounded wait and little memory."""

import contextlib
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.doubles.browser import Browser
from tests.doubles.cognito import Cognito
from tests.doubles.endpoint import Endpoint
from tests.doubles.message import Answer
from tests.doubles.response import Response
from tests.rig import Rig
from tests.security.outcomes import Watch, restart_link
from tests.security.served import served_by_gunicorn

ROW_SECONDS = 5.0
# For a machine that does other things as well; a deadline for each byte would wait for minutes.
SLACK_SECONDS = 2.5
MEMORY = 8 << 20
GIGABYTE = 1 << 30
PIECE = b"x" * 65_536
WAITING = 3
THREADS = WAITING + 1
"""As many threads as that calls of the pool, and one more, which is never the pool's."""


def _arrival(cognito: Cognito, browser: Browser) -> Callable[[], tuple[float, Response]]:
    """A callback that is ready to be sent; how long it took and what it was answered."""
    callback = cognito.issuer.approve(browser.start("/session"), cognito.user("admin"))

    def arrive() -> tuple[float, Response]:
        began = time.monotonic()
        response = browser.finish(callback)
        return time.monotonic() - began, response

    return arrive


def _signed_in(cognito: Cognito, browser: Browser) -> int:
    return browser.sign_in(cognito.user("admin"), next="/session").status


@pytest.mark.slow
def test_ID_02_hanging_and_dripping_pool_frees_the_worker(tmp_path: Path) -> None:
    """A pool that hangs or drips costs each callback 5 s in all; then its thread serves again."""
    settings = {"GUNICORN_CMD_ARGS": f"--workers 1 --threads {THREADS}"}
    with served_by_gunicorn(tmp_path, with_conf=False, **settings) as server:
        token = server.cognito.issuer.token
        browsers = [server.browser() for _ in range(WAITING)]
        arrivals = [_arrival(server.cognito, browser) for browser in browsers]
        token.once.hang()
        token.once.drip(1.0)
        token.once.drip(1.0, head=True)
        extra = _arrival(server.cognito, server.browser())
        with ThreadPoolExecutor(WAITING) as crowd:
            waiting = [crowd.submit(arrive) for arrive in arrivals]
            token.wait_for(WAITING)
            began = time.monotonic()
            assert server.ask(b"/healthz").status == 200
            # One more would have to wait for a thread behind the others: it is told so at once.
            assert extra()[1].status == 503
            assert time.monotonic() - began < SLACK_SECONDS
            assert not any(one.done() for one in waiting)
            answers = [one.result(60) for one in waiting]
        for seconds, response in answers:
            assert ROW_SECONDS - 1 < seconds < ROW_SECONDS + SLACK_SECONDS
            assert response.status == 503
            assert int(response.header("Retry-After") or 0) > 0
            assert restart_link(response) == "/login?next=/session"
        server.cognito.heal()
        # All of them are free again, at once.
        with ThreadPoolExecutor(WAITING) as crowd:
            landed = list(crowd.map(lambda browser: _signed_in(server.cognito, browser), browsers))
        assert landed == [200] * WAITING
        assert '"unforeseen"' not in server.log


@contextlib.contextmanager
def _deaf(port: int) -> Iterator[None]:
    """A port where a call is neither taken nor refused: its queue is full."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        for _ in range(4):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield


@pytest.mark.slow
def test_ID_02_connection_that_is_never_made(rig: Rig) -> None:
    """A pool that does not even take the connection is given up within the same deadline."""
    browser = rig.browser()
    arrive = _arrival(rig.cognito, browser)
    watch = Watch(rig)
    rig.cognito.issuer.server.stop()
    with _deaf(rig.cognito.issuer.server.port):
        seconds, response = arrive()
    watch.busy(response, token_requests=0)
    assert 1 < seconds < ROW_SECONDS + SLACK_SECONDS
    rig.cognito.issuer.server.start()
    rig.clock.advance(60)
    assert browser.sign_in(rig.cognito.user("admin")).status == 200


class Flood:
    """A body of one gigabyte, and how much of it went out."""

    def __init__(self) -> None:
        self.sent = 0

    def on(self, endpoint: Endpoint) -> None:
        """Let this endpoint answer with it."""
        head = (("Content-Type", "application/json"),)
        endpoint.program(lambda _, __: Answer(200, head, stream=self._pieces))

    def _pieces(self) -> Iterator[bytes]:
        for _ in range(GIGABYTE // len(PIECE)):
            self.sent += len(PIECE)
            yield PIECE


@contextlib.contextmanager
def _flat() -> Iterator[None]:
    """Fails when the block took more memory, at any moment, than an answer may."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most - before < MEMORY


def _callback(rig: Rig) -> Callable[[], Response]:
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
    return lambda: browser.finish(callback)


def _refresh(rig: Rig) -> Callable[[], Response]:
    browser = rig.signed_in("admin")
    rig.clock.advance(1500)
    browser.get("/me")
    rig.clock.advance(1500)
    browser.get("/me")
    rig.clock.advance(700)
    return lambda: browser.get("/session")


WAYS = {"callback": _callback, "refresh": _refresh}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_ID_03_gigabyte_from_the_token_endpoint(
    rig: Rig, way: Callable[[Rig], Callable[[], Response]]
) -> None:
    """A token answer of one gigabyte is left at its first MiB; memory stays flat, nobody is out."""
    ask, flood = way(rig), Flood()
    watch = Watch(rig)
    flood.on(rig.cognito.issuer.token)
    with _flat():
        response = ask()
    watch.busy(response, token_requests=1)
    # What went out besides lay in the buffers of the two sockets.
    assert flood.sent < 16 << 20


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_ID_03_bomb_from_the_token_endpoint(
    rig: Rig, way: Callable[[Rig], Callable[[], Response]]
) -> None:
    """A token answer that unpacks to a gigabyte is unpacked to one MiB and no further."""
    ask = way(rig)
    watch = Watch(rig)
    rig.cognito.issuer.token.gzip_bomb(GIGABYTE)
    with _flat():
        response = ask()
    watch.busy(response, token_requests=1)


def _harm(endpoint: Endpoint, kind: str) -> Flood:
    flood = Flood()
    if kind == "flood":
        flood.on(endpoint)
    else:
        endpoint.gzip_bomb(GIGABYTE)
    return flood


KINDS = pytest.mark.parametrize("kind", ["flood", "bomb"])


@KINDS
@pytest.mark.parametrize("name", ["discovery", "jwks"])
def test_ID_03_documents_of_the_pool(rig: Rig, name: str, kind: str) -> None:
    """Discovery and key set are cut the same way; what was known before serves on."""
    rig.signed_in("admin")
    rig.clock.advance(23.9 * 3600 if name == "jwks" else 24.1 * 3600)
    endpoint = getattr(rig.cognito.issuer, name)
    known, flood = endpoint.count, _harm(endpoint, kind)
    browser = rig.browser()
    with _flat():
        callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("viewer"))
        assert browser.finish(callback).status == 303
    assert endpoint.count == known + 1
    assert flood.sent < 16 << 20
    assert browser.me()["email"] == "viewer@example.com"
    assert '"unforeseen"' not in rig.log


@KINDS
def test_ID_03_userinfo(rig: Rig, kind: str) -> None:
    """userInfo is cut the same way, and the session stays."""
    browser = rig.signed_in("admin")
    form, watch = {"csrf_token": browser.csrf()}, Watch(rig)
    flood = _harm(rig.cognito.issuer.user_info, kind)
    with _flat():
        response = browser.post("/session/userinfo", form)
    watch.busy(response, token_requests=0)
    assert flood.sent < 16 << 20
    assert browser.me()["email"] == "admin@example.com"

"""The listener for one redirect: its own address only, the right state only, and once."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from webapp.cli.loopback import Loopback, Query
from webapp.errors import OperatorFault


class Waiting:
    """A listener in a thread of its own; `query` is what it took."""

    def __init__(self, listener: Loopback) -> None:
        self.port = urlsplit(listener.redirect_uri).port or 0
        self.query: Query | None = None
        self._listener = listener
        self.thread = threading.Thread(target=self._wait, daemon=True)
        self.thread.start()

    def _wait(self) -> None:
        self.query = self._listener.wait(lambda query: query.get("state") == ["right"], 10)

    def get(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        """Ask the listener."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer


@contextmanager
def _waiting() -> Iterator[Waiting]:
    with Loopback(0) as listener:
        waiting = Waiting(listener)
        yield waiting
        waiting.thread.join(5)


def test_only_the_right_redirect_ends_it() -> None:
    """A wrong state, path, host, method or length is waited past; the right one ends it."""
    with _waiting() as waiting:
        assert waiting.get("/callback?state=wrong&code=x").status == 400
        assert waiting.get("/callback?state=right&state=right").status == 400
        assert waiting.get("/favicon.ico").status == 404
        assert waiting.get("/callback?state=right", Host="evil.example").status == 404
        assert waiting.get("/callback?state=right", method="POST").status == 501
        assert waiting.get(f"/callback?state=right&x={'x' * 9000}").status == 400
        assert waiting.query is None
        answer = waiting.get("/callback?state=right&code=abc")
        waiting.thread.join(5)
    assert answer.status == 200
    assert waiting.query == {"state": ["right"], "code": ["abc"]}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Python" not in (answer.headers["Server"] or "")


def test_nobody_comes() -> None:
    """After the time is over the address to register is told."""
    with Loopback(0) as listener, pytest.raises(OperatorFault) as caught:
        listener.wait(lambda _: True, 0.05)
    assert listener.redirect_uri in caught.value.sentence


def test_a_port_that_is_taken() -> None:
    """Another program at the port is told as that, with the option for another one."""
    with Loopback(0) as listener:
        port = urlsplit(listener.redirect_uri).port or 0
        with pytest.raises(OperatorFault, match="--port"):
            Loopback(port)


def test_AB_10_a_letter_now_and_then_holds_up_nothing() -> None:
    """Whoever dawdles over a request keeps neither the right redirect out nor the end away."""
    with _waiting() as waiting, socket.create_connection(("127.0.0.1", waiting.port)) as slow:
        slow.sendall(b"GET /callback?state=")
        began = time.monotonic()
        assert waiting.get("/callback?state=right&code=abc").status == 200
        waiting.thread.join(5)
        assert time.monotonic() - began < 1.5
    assert waiting.query is not None
    with Loopback(0) as listener:
        port = urlsplit(listener.redirect_uri).port or 0
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(b"GET /")
            began = time.monotonic()
            with pytest.raises(OperatorFault):
                listener.wait(lambda _: True, 0.3)
            assert time.monotonic() - began < 1.5


def test_LG_02_nonsense_is_told_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    """What is no address and no HTTP ends nothing and writes nothing where a person reads."""
    with _waiting() as waiting:
        for nonsense in (
            b"GET http://[x/callback?state=right&code=secret HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /callback?code=secret HTTP/9.9\r\n\r\n",
            b"\x16\x03\x01\r\n\r\n",
            b"",
        ):
            with socket.create_connection(("127.0.0.1", waiting.port)) as one:
                one.sendall(nonsense)
                one.shutdown(socket.SHUT_WR)
                while one.recv(4096):
                    pass
        assert waiting.query is None
        waiting.get("/callback?state=right&code=abc")
        waiting.thread.join(5)
    assert "".join(capfd.readouterr()) == ""

"""The listener for one redirect: its own address only, the right state only, and once."""

import http.client
import threading
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

"""The way out: one deadline for everything, a cap, kept connections, and no environment."""

import contextlib
import gc
import gzip
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.double import Double
from tests.doubles.endpoint import Endpoint
from tests.doubles.evil import EvilHost
from tests.doubles.message import Answer
from tests.doubles.server import Server
from tests.doubles.tls import Authority
from webapp.outbound import MIB, Outbound, OutboundFailed, OutboundTimedOut, Reply

DEADLINE = 0.5


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    """A way out; its kept connections end with the test."""
    made = Outbound()
    yield made
    del made
    gc.collect()


def _send(
    outbound: Outbound,
    url: str,
    *,
    method: str = "GET",
    safe: bool = False,
    deadline: float = DEADLINE,
    cap: int = MIB,
) -> Reply:
    return outbound.send(
        method, url, headers={"Accept": "*/*"}, deadline=deadline, cap=cap, safe=safe
    )


def page_answer(body: bytes, *, slowly: bool = True) -> Answer:
    """An answer with this body, twenty bytes a second where slowly."""
    return Answer(200, (), body, bytes_per_second=20 if slowly else None)


def tls_server(context: ssl.SSLContext) -> Server:
    """A server with this certificate."""
    return Server(tls=context)


def _times_out(outbound: Outbound, url: str) -> None:
    began = time.monotonic()
    with pytest.raises(OutboundTimedOut):
        _send(outbound, url, safe=True)
    assert DEADLINE - 0.05 < time.monotonic() - began < DEADLINE + 0.3


def test_an_answer(double: Double, page: Endpoint, outbound: Outbound) -> None:
    """Status, headers and body come back; the connection is kept for the next call."""
    for _ in range(3):
        reply = _send(outbound, f"{double.server.origin}/x")
        assert (reply.status, reply.body, reply.cut) == (200, b'{"a": 1}', False)
        assert reply.header("content-TYPE") == "application/json;charset=UTF-8"
        assert reply.header("x-none") is None
    assert page.count == 3


def test_a_dripping_head_ends_at_the_deadline(
    double: Double, page: Endpoint, outbound: Outbound
) -> None:
    """A head that comes byte by byte does not start the clock anew with each."""
    page.drip(40, head=True)
    _times_out(outbound, f"{double.server.origin}/x")
    assert page.count == 1


def test_a_dripping_body_ends_at_the_deadline(
    double: Double, page: Endpoint, outbound: Outbound
) -> None:
    """A body that comes byte by byte does not start the clock anew with each."""
    page.mutate(lambda _: page_answer(b"x" * 500))
    _times_out(outbound, f"{double.server.origin}/x")
    assert page.count == 1


def test_a_silent_server_ends_at_the_deadline(
    double: Double, page: Endpoint, outbound: Outbound
) -> None:
    """A server that never answers is left at the deadline."""
    page.hang()
    _times_out(outbound, f"{double.server.origin}/x")


@contextlib.contextmanager
def dripping_handshake() -> Iterator[str]:
    """A TLS server that sends its first record one byte at a time, without end."""
    closing = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"\x16\x03\x03\x3f\xff")
                while not closing.wait(0.02):
                    connection.sendall(b"\x02")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        closing.set()
        thread.join(5)


def test_a_dripping_handshake_ends_at_the_deadline(outbound: Outbound) -> None:
    """A TLS handshake that never comes to its end is left at the deadline."""
    with dripping_handshake() as origin:
        _times_out(outbound, f"{origin}/x")


def test_a_deadline_does_not_outlive_its_call(
    double: Double, page: Endpoint, outbound: Outbound
) -> None:
    """The next call over the same thread and connection has its own time."""
    page.once.hang()
    _times_out(outbound, f"{double.server.origin}/x")
    assert _send(outbound, f"{double.server.origin}/x").status == 200
    time.sleep(DEADLINE)  # real time must pass: the clock of sockets is the machine's
    assert _send(outbound, f"{double.server.origin}/x").status == 200


@pytest.mark.parametrize("size", [999, 1000, 1001, 5000])
def test_the_cap(double: Double, page: Endpoint, outbound: Outbound, size: int) -> None:
    """A body up to the cap is whole; of a longer one the beginning comes, with a note."""
    page.answer(200, b"x" * size)
    reply = _send(outbound, f"{double.server.origin}/x", cap=1000)
    assert (len(reply.body), reply.cut) == (min(size, 1000), size > 1000)
    page.answer(200, {"a": 2})
    assert _send(outbound, f"{double.server.origin}/x").body == b'{"a": 2}'


def test_an_endless_body_is_cut(double: Double, page: Endpoint, outbound: Outbound) -> None:
    """A body without end is cut at the cap, long before the deadline."""
    page.endless()
    reply = _send(outbound, f"{double.server.origin}/x", deadline=10)
    assert (len(reply.body), reply.cut) == (MIB, True)
    assert reply.seconds < 5


def test_a_gzip_bomb_is_cut(double: Double, page: Endpoint, outbound: Outbound) -> None:
    """A body that unpacks to ten gigabytes is cut at the cap of what is unpacked."""
    page.gzip_bomb(10 << 30)
    tracemalloc.start()
    reply = _send(outbound, f"{double.server.origin}/x", deadline=10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(reply.body), reply.cut) == (MIB, True)
    assert peak < 20 * MIB  # of which ten are the bomb itself, sent by this very process


def test_gzip_is_unpacked(double: Double, page: Endpoint, outbound: Outbound) -> None:
    """A packed body is unpacked; half of one is no answer."""
    packed = gzip.compress(b"hello" * 100)
    page.answer(200, packed, {"Content-Encoding": "gzip"})
    assert _send(outbound, f"{double.server.origin}/x").body == b"hello" * 100
    for broken in (packed[:-12], b"hello", packed[:5]):
        page.answer(200, broken, {"Content-Encoding": "gzip"})
        with pytest.raises(OutboundFailed):
            _send(outbound, f"{double.server.origin}/x")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(
    double: Double, page: Endpoint, outbound: Outbound, status: int
) -> None:
    """A redirect is an answer like any other; where it leads nobody goes."""
    with EvilHost() as evil:
        page.redirect(f"{evil.origin}/x", status)
        reply = _send(outbound, f"{double.server.origin}/x", safe=True)
        assert (reply.status, reply.header("Location")) == (status, f"{evil.origin}/x")
        evil.assert_untouched()


def test_a_refused_connection_is_a_failure_and_no_timeout(
    double: Double, page: Endpoint, outbound: Outbound
) -> None:
    """Nobody there, or no such name, is known at once and told apart from slowness."""
    double.server.stop()
    for url in (f"{double.server.origin}/x", "https://nobody.portico.invalid/x"):
        with pytest.raises(OutboundFailed) as caught:
            _send(outbound, url, safe=True, deadline=5)
        assert not isinstance(caught.value, OutboundTimedOut)
    double.server.start()
    assert _send(outbound, f"{double.server.origin}/x").status == 200
    assert page.count == 1


def test_a_truncated_body_is_a_failure(double: Double, page: Endpoint, outbound: Outbound) -> None:
    """A body shorter than it said is no answer, broken off politely or not."""
    for cut in (page.truncate, page.reset):
        cut(3)
        with pytest.raises(OutboundFailed):
            _send(outbound, f"{double.server.origin}/x", method="POST")


def test_a_stale_connection_is_tried_again_for_safe_requests_only(
    double: Double, page: Endpoint, outbound: Outbound
) -> None:
    """A kept connection that dies on a request costs a safe one a second try, once; others fail."""
    url = f"{double.server.origin}/x"
    assert _send(outbound, url).status == 200
    page.once.reset()
    assert _send(outbound, url, safe=True).status == 200
    assert page.count == 3

    page.once.reset()
    with pytest.raises(OutboundFailed):
        _send(outbound, url, method="POST")
    assert page.count == 4

    assert _send(outbound, url).status == 200
    page.for_next(5).reset()
    with pytest.raises(OutboundFailed):
        _send(outbound, url, safe=True)
    assert page.count == 7, "one more try, not more"


def test_a_connection_that_the_server_closed_is_not_used(
    double: Double, page: Endpoint, outbound: Outbound
) -> None:
    """A kept connection that was closed meanwhile harms nobody, not even a post."""
    url = f"{double.server.origin}/x"
    assert _send(outbound, url).status == 200
    double.server.stop()
    double.server.start()
    assert _send(outbound, url, method="POST").status == 200
    assert page.count == 2


def test_nothing_comes_from_the_environment(
    double: Double,
    page: Endpoint,
    outbound: Outbound,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither proxies nor netrc count."""
    (tmp_path / ".netrc").write_text("default login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with EvilHost() as evil:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, evil.origin)
            monkeypatch.setenv(name.lower(), evil.origin)
        monkeypatch.setenv("NO_PROXY", "")
        assert _send(outbound, f"{double.server.origin}/x").status == 200
        assert page.last.header("Authorization") is None
        assert page.last.target == "/x"
        evil.assert_untouched()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/a b", "http://127.0.0.1:1/\r\nX: y", "http://[/"]
)
def test_an_odd_address_is_a_failure(outbound: Outbound, url: str) -> None:
    """An address that cannot be sent is refused, not mended."""
    with pytest.raises(OutboundFailed):
        _send(outbound, url)


def test_a_line_break_in_a_header_is_a_failure(
    double: Double, page: Endpoint, outbound: Outbound
) -> None:
    """A header value cannot end its line."""
    for value in ("a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\r"):
        with pytest.raises(OutboundFailed):
            outbound.send(
                "GET", f"{double.server.origin}/x", headers={"X-A": value}, deadline=DEADLINE
            )
    assert page.count == 0


def test_certificates_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our authority's certificate for this host passes; expired and foreign ones do not."""
    ours = Authority.make(tmp_path)
    stranger_folder = tmp_path / "stranger"
    stranger_folder.mkdir()
    stranger = Authority.make(stranger_folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.ca_file))
    trusting = Outbound()
    contexts = {
        "good": ours.server(),
        "expired": ours.server(expired=True),
        "another host": ours.server("other.example"),
        "stranger": stranger.server(),
    }
    for name, context in contexts.items():
        with Double(tls_server(context)) as double:
            page = double.serve("page", "GET", "/x", lambda _: page_answer(b"ok", slowly=False))
            if name == "good":
                assert _send(trusting, f"{double.server.origin}/x").body == b"ok"
            else:
                with pytest.raises(OutboundFailed):
                    _send(trusting, f"{double.server.origin}/x", safe=True)
                assert page.count == 0

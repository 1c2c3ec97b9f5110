"""Legitimate answers that few servers give: early hints, several gzip members, bare deflate."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator

import pytest

from webapp.outbound import Outbound, OutboundFailed, Reply

Send = Callable[[bytes], Reply]


@pytest.fixture
def send() -> Iterator[Send]:
    """A server that sends exactly these bytes for the next request, and our way out to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(raw: bytes) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(raw)

    def sending(raw: bytes) -> Reply:
        threads.append(threading.Thread(target=serve, args=(raw,)))
        threads[-1].start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        return Outbound().send("GET", url, headers={}, deadline=5)

    yield sending
    for thread in threads:
        thread.join(5)
    listener.close()


def _packed(body: bytes, encoding: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (status, encoding, len(body)) + body


def _bare(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def test_early_hints_are_read_over(send: Send) -> None:
    """An answer that 103 Early Hints go before is the one that is taken."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    reply = send(hints + hints + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (reply.status, reply.body) == (200, b"ok")


def test_several_gzip_members_are_one_body(send: Send) -> None:
    """RFC 1952 lets a body come in several members; all of them are read."""
    reply = send(_packed(gzip.compress(b"one ") + gzip.compress(b"two"), b"gzip"))
    assert reply.body == b"one two"


@pytest.mark.parametrize("pack", [zlib.compress, _bare], ids=["zlib", "bare"])
def test_deflate_in_both_forms(send: Send, pack: Callable[[bytes], bytes]) -> None:
    """Deflate is read with its zlib frame, as it should be, and without, as some send it."""
    assert send(_packed(pack(b"hello"), b"deflate")).body == b"hello"


def test_nothing_packed_is_nothing(send: Send) -> None:
    """A 204 that claims an encoding is an empty answer."""
    reply = send(b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n")
    assert (reply.status, reply.body) == (204, b"")


def test_half_a_member_is_no_success(send: Send) -> None:
    """A packed body that ends too early is a failed call, not a shorter answer."""
    with pytest.raises(OutboundFailed):
        send(_packed(gzip.compress(b"one" * 500)[:-9], b"gzip"))

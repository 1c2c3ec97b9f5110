"""RT-12: a body that comes in chunks has the same limit as any other."""

import json
import socket
from urllib.parse import urlencode

import pytest

from tests.security.served import ANSWER_SECONDS, Served
from webapp.bare import LARGEST_BODY

FORM = {"endpoint": "test-plain", "identity": "nobody"}
MIB = 1 << 20


def _posted(served: Served, form: bytes, *, ended: bool = True) -> tuple[int, bytes]:
    """POST /api/call in chunks of 8 KiB, and what came of it."""
    head = (
        b"POST /api/call HTTP/1.1\r\nHost: " + served.host.encode() + b"\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    pieces = [form[start : start + 8192] for start in range(0, len(form), 8192)]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    received = b""
    with socket.create_connection(("127.0.0.1", served.port), ANSWER_SECONDS) as connection:
        try:
            for part in (head, *chunks, b"0\r\n\r\n" if ended else b""):
                connection.sendall(part)
        except ConnectionError:  # answered and closed before all was sent
            pass
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionError:
            pass
    status, _, rest = received.partition(b"\r\n")
    return int(status.split()[1]), rest.partition(b"\r\n\r\n")[2]


def _form(served: Served, filling: int) -> bytes:
    token = served.browser().csrf()
    return urlencode(FORM | {"csrf_token": token, "note": "x", "z": "z" * filling}).encode()


@pytest.mark.parametrize("size", [LARGEST_BODY, 3 * MIB])
def test_RT_12_chunked_body_over_the_limit(served: Served, size: int) -> None:
    """A form in chunks past the limit is 413, and the call in its first part is not made."""
    asked = served.cognito.api["test-plain"].count
    status, body = _posted(served, _form(served, size))
    assert status == 413
    assert json.loads(body)["error"] == "request_entity_too_large"
    assert served.cognito.api["test-plain"].count == asked


def test_RT_12_chunked_body_without_end(served: Served) -> None:
    """The refusal does not wait for the end of a body that has none."""
    status, _ = _posted(served, _form(served, LARGEST_BODY + 8192), ended=False)
    assert status == 413


def test_RT_12_chunked_body_that_fits(served: Served) -> None:
    """A small form in chunks is taken as any other."""
    status, body = _posted(served, _form(served, 20_000))
    assert (status, json.loads(body)["status"]) == (200, 200)

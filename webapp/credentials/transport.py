"""Sends what botocore prepared through our own way out: a total deadline and a cap on the body.

botocore's own transport waits anew for every byte and reads whatever comes. Its event `before-send`
takes an answer in place of its own sending.
"""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from webapp.deadlines import POOL_SECONDS
from webapp.outbound import KIB, OutboundFailed, Sender

DEADLINE = POOL_SECONDS
CAP = 256 * KIB


class _Raw:
    """A body in the shape that AWSResponse reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """The body in one piece."""
        yield self._body


def through(outbound: Sender, deadline: float = DEADLINE) -> Callable[..., Any]:
    """A handler for botocore's `before-send`. It raises OutboundFailed."""

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body = request.body
        reply = outbound.send(
            request.method,
            request.url,
            headers={name: _text(value) for name, value in request.headers.items()},
            body=body.encode() if isinstance(body, str) else body,
            deadline=deadline,
            cap=CAP,
        )
        if reply.cut:
            raise OutboundFailed("The answer is larger than anything sensible.", reason="too large")
        return AWSResponse(request.url, reply.status, dict(reply.headers), _Raw(reply.body))

    return send


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

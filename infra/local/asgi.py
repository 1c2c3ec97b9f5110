"""One HTTP request and one answer as plain values: the seam between the offline AWS's layers.

A layer is a coroutine function ``async (Request) -> Response | None``; None hands the request on.
Layers never see the ASGI protocol itself; `Stack` below speaks it once for all of them.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, read whole.

    `path` is percent-decoded, `query` holds the decoded pairs in their order (repeats kept), header
    names are lower case (repeats joined with a comma; cookies with a semicolon).
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str]
    body: bytes = b""

    def param(self, name: str) -> str | None:
        """Return the first value of a query parameter, or None."""
        return next((value for key, value in self.query if key == name), None)

    def form(self) -> dict[str, str]:
        """Return the urlencoded body's fields (first value of each); {} for any other body."""
        content_type = self.headers.get("content-type", "").split(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            return {}
        text = self.body.decode("utf-8", "replace")
        pairs = parse_qsl(text, keep_blank_values=True)
        return dict(reversed(pairs))


@dataclass(frozen=True, kw_only=True)
class Response:
    """One answer; `headers` may repeat a name (Set-Cookie). Content-Length is added on the way."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @classmethod
    def json(cls, value: object, *, status: int = 200) -> "Response":
        """Return a JSON answer that no cache keeps."""
        return cls(
            status=status,
            headers=(("content-type", "application/json"), ("cache-control", "no-store")),
            body=json.dumps(value).encode(),
        )


Layer = Callable[[Request], Awaitable[Response | None]]


class Stack:
    """An ASGI application: the layers in their order, then the wrapped application."""

    def __init__(self, layers: tuple[Layer, ...], inner: Application) -> None:
        self._layers = layers
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the first layer that has an answer, else with the inner application."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # nothing here speaks it
            return
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        body = await _read_body(receive)
        request = _request_of(scope, body)
        for layer in self._layers:
            response = await layer(request)
            if response is not None:
                await _send_response(send, response)
                return
        await self._inner(scope, _replay(body, receive), send)


async def _read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(chunks)
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _request_of(scope: Scope, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in headers:
            joint = "; " if name == "cookie" else ", "
            value = headers[name] + joint + value
        headers[name] = value
    query = scope.get("query_string", b"").decode("latin-1")
    return Request(
        method=scope["method"].upper(),
        path=scope["path"],
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=body,
    )


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the inner application the body that was already read, then the real channel."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


async def _send_response(send: Send, response: Response) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers
        if name.lower() != "content-length"
    ]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})

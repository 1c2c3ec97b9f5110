"""What goes over the wire: a request exactly as it came, and an answer with how to send it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

HeaderPairs = Sequence[tuple[str, str]]
BodyStream = Callable[[], Iterator[bytes]]


class Complaint(AssertionError):
    """The client asked for something that no right client asks for; a double remembers it."""


@dataclass(frozen=True)
class Request:
    """One request as received: the target is never decoded, headers keep order and repeats."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    at: float = 0.0
    """When its last byte arrived, on the machine's monotonic clock."""

    @property
    def path(self) -> str:
        """The raw path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query, without the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The value of a header, or None; one that came twice is a complaint."""
        values = self.header_values(name)
        if len(values) > 1:
            raise Complaint(f"{self.method} {self.path}: header {name} came {len(values)} times")
        return values[0] if values else None

    def header_values(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def query_fields(self) -> dict[str, str]:
        """The query's fields; a repeated one is a complaint."""
        return single_fields(self.query, where=f"query of {self.method} {self.path}")

    def form(self) -> dict[str, str]:
        """The URL-encoded body's fields; another content type or a repeat is a complaint."""
        kind = (self.header("Content-Type") or "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise Complaint(f"{self.method} {self.path}: content type is {kind!r}, not a form")
        return single_fields(self.body.decode("utf-8"), where=f"form of {self.path}")

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; anything else is a complaint."""
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise Complaint(f"{self.method} {self.path}: body is not JSON") from error
        if not isinstance(value, dict):
            raise Complaint(f"{self.method} {self.path}: body is not a JSON object")
        return value


def single_fields(text: str, *, where: str) -> dict[str, str]:
    """Decode URL-encoded fields, complaining about any that come twice (RFC 6749 3.1)."""
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        repeated = sorted({key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1})
        raise Complaint(f"{where}: repeated {', '.join(repeated)}")
    return fields


@dataclass(frozen=True)
class Answer:
    """One answer, and the ways in which its sending goes wrong on purpose."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    stream: BodyStream | None = field(default=None, repr=False)
    """Sent chunked instead of the body, until it ends, the client leaves or the server closes."""
    bytes_per_second: float | None = None
    drip_head: bool = False
    """Drip status line and headers too, not the body alone."""
    cut_after: int | None = None
    """Stop after so many bytes of the body, though Content-Length promised all of it."""
    reset: bool = False
    """Where it stops, reset the connection (RST) instead of closing it; nothing sent if no cut."""

    @classmethod
    def of_json(cls, value: Any, status: int = 200, headers: HeaderPairs = ()) -> "Answer":
        """A JSON answer, never cached."""
        pairs = (("Content-Type", "application/json;charset=UTF-8"), ("Cache-Control", "no-store"))
        return cls(status, (*pairs, *headers), json.dumps(value).encode())

    @classmethod
    def see_other(cls, location: str, status: int = 302) -> "Answer":
        """A redirect with an empty body."""
        return cls(status, (("Location", location),))

    def having(self, **changes: Any) -> "Answer":
        """The same answer with other fields."""
        return replace(self, **changes)

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next((v for key, v in self.headers if key.lower() == name.lower()), None)

    def head(self) -> bytes:
        """Status line and headers; headers are written as given, so that a test may lie."""
        lines = [f"HTTP/1.1 {self.status} Programmed"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.stream is not None and self.header("Transfer-Encoding") is None:
            lines.append("Transfer-Encoding: chunked")
        elif self.header("Content-Length") is None and self.status not in (204, 304):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "surrogateescape")


Behave = Callable[[Request], Answer]
"""The true behaviour of an endpoint."""


def pairs_of(headers: Mapping[str, str] | HeaderPairs | None) -> tuple[tuple[str, str], ...]:
    """Headers given as a mapping or as pairs, as pairs."""
    if headers is None:
        return ()
    return tuple(headers.items()) if isinstance(headers, Mapping) else tuple(headers)

"""Faults by program: what an endpoint does instead of, or around, its true behaviour."""

import gzip
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

from tests.doubles.gate import Gate
from tests.doubles.message import Answer, Behave, HeaderPairs, Request, pairs_of
from tests.doubles.sending import Stopped

Fault = Callable[[Request, Behave], Answer]
Headers = Mapping[str, str] | HeaderPairs | None
ZEROS_PER_MEMBER = 16 << 20


class Faults(ABC):
    """The verbs with which a test programs an endpoint."""

    @abstractmethod
    def program(self, fault: Fault) -> None:
        """Let this fault act for as many requests as this object stands for."""

    @abstractmethod
    def held(self, release: Callable[[], None]) -> None:
        """Have this called when the endpoint is healed or its server stops."""

    def answer(self, status: int = 200, body: Any = b"", headers: Headers = None) -> None:
        """Answer this; a body of dict or list becomes JSON, text becomes UTF-8."""
        given = pairs_of(headers)
        if isinstance(body, bytes | str):
            raw = body.encode() if isinstance(body, str) else body
        else:
            raw = json.dumps(body).encode()
            if not any(name.lower() == "content-type" for name, _ in given):
                given = (("Content-Type", "application/json"), *given)
        made = Answer(status, given, raw)
        self.program(lambda _request, _behave: made)

    def aws_error(self, code: str, message: str = "", status: int = 400) -> None:
        """Answer an error in the shape of AWS JSON 1.1 (InternalErrorException: status 500)."""
        made = aws_error(code, message or f"{code} by program", status)
        self.program(lambda _request, _behave: made)

    def redirect(self, to: str, status: int = 302) -> None:
        """Answer a redirect; 307 and 308 would make a careless client post again."""
        self.program(lambda _request, _behave: Answer.see_other(to, status))

    def mutate(self, change: Callable[[Answer], Answer]) -> None:
        """Change the true answer before it is sent."""
        self.program(lambda request, behave: change(behave(request)))

    def alter(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the true answer's JSON object in place: drop a token, add a member."""

        def fault(request: Request, behave: Behave) -> Answer:
            answer = behave(request)
            document = json.loads(answer.body)
            change(document)
            return answer.having(body=json.dumps(document).encode())

        self.program(fault)

    def drip(self, bytes_per_second: float = 1.0, *, head: bool = False) -> None:
        """Send the true answer slowly; with `head` the status line and headers drip too."""
        self.mutate(lambda true: true.having(bytes_per_second=bytes_per_second, drip_head=head))

    def truncate(self, after: int = 10) -> None:
        """Send so many bytes of the true body, less than Content-Length says, then close."""
        self.mutate(lambda true: true.having(cut_after=after))

    def reset(self, after: int | None = None) -> None:
        """Reset the connection, at once or after so many bytes of the true body."""
        if after is None:
            self.program(lambda _request, _behave: Answer(reset=True))
        else:
            self.mutate(lambda true: true.having(cut_after=after, reset=True))

    def hang(self) -> None:
        """Never answer: the connection ends without a byte when healed or stopped."""
        released = threading.Event()
        self.held(released.set)

        def fault(_request: Request, _behave: Behave) -> Answer:
            released.wait()
            raise Stopped

        self.program(fault)

    def gate(self, hold: Literal["request", "answer"] = "request") -> Gate:
        """Put a gate before (or, with `hold="answer"`, behind) the true behaviour."""
        gate = Gate(hold)
        self.held(gate.break_off)
        self.program(gate.fault)
        return gate

    def endless(self, piece: bytes = b"x" * 65536, headers: Headers = None) -> None:
        """Answer 200 with a chunked body that never ends."""

        def stream() -> Iterator[bytes]:
            while True:
                yield piece

        made = Answer(200, pairs_of(headers), stream=stream)
        self.program(lambda _request, _behave: made)

    def gzip_bomb(self, unpacked_bytes: int, *, layers: int = 1) -> None:
        """Answer a body that unpacks to about so many zeros; more layers are gzip in gzip."""
        headers = (
            ("Content-Type", "application/json"),
            ("Content-Encoding", ", ".join(["gzip"] * layers)),
        )
        body = zeros_packed() * max(1, unpacked_bytes // ZEROS_PER_MEMBER)
        for _ in range(layers - 1):
            body = gzip.compress(body, 9)
        self.answer(200, body, headers)


def aws_error(code: str, message: str, status: int = 400) -> Answer:
    """An error of a service that speaks AWS JSON 1.1."""
    headers = (
        ("Content-Type", "application/x-amz-json-1.1"),
        ("x-amzn-ErrorType", code),
        ("x-amzn-ErrorMessage", message.replace("\r", " ").replace("\n", " ")),
    )
    return Answer(status, headers, json.dumps({"__type": code, "message": message}).encode())


@lru_cache(maxsize=1)
def zeros_packed() -> bytes:
    """One gzip member of 16 MiB zeros; members may follow each other (RFC 1952 2.2)."""
    return gzip.compress(b"\0" * ZEROS_PER_MEMBER, 9)

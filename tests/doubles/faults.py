"""Faults by program: what an endpoint does instead of, or around, its true behaviour."""

import gzip
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any, Literal, Self

from tests.doubles.message import Answer, Complaint, HeaderPairs, Request, pairs_of
from tests.doubles.sending import Stopped

Behave = Callable[[Request], Answer]
Fault = Callable[[Request, Behave], Answer]
Headers = Mapping[str, str] | HeaderPairs | None
ZEROS_PER_MEMBER = 16 << 20


class Gate:
    """A barrier: requests wait here until the test lets them go.

    `hold="request"` stops them before the endpoint acts, `hold="answer"` after it has acted and
    before the client hears of it.
    """

    def __init__(self, hold: Literal["request", "answer"]) -> None:
        self._hold = hold
        self._turn = threading.Condition()
        self._arrived = 0
        self._passes = 0
        self._open = False
        self._broken = False

    @property
    def arrived(self) -> int:
        """How many requests have reached the gate so far."""
        return self._arrived

    def wait(self, count: int = 1, timeout: float = 5.0) -> None:
        """Block until so many requests have reached the gate; AssertionError after the timeout."""
        with self._turn:
            if not self._turn.wait_for(lambda: self._arrived >= count, timeout):
                raise AssertionError(f"{self._arrived} of {count} requests came to the gate")

    def release(self, count: int = 1) -> None:
        """Let so many requests through."""
        with self._turn:
            self._passes += count
            self._turn.notify_all()

    def open(self) -> None:
        """Let every request through, from now on."""
        with self._turn:
            self._open = True
            self._turn.notify_all()

    def break_off(self) -> None:
        """End the waiting requests without an answer; the server calls it when it stops."""
        with self._turn:
            self._broken = True
            self._turn.notify_all()

    def fault(self, request: Request, behave: Behave) -> Answer:
        """The gate as a fault of an endpoint."""
        if self._hold == "request":
            self._pass()
            return behave(request)
        answer = behave(request)
        self._pass()
        return answer

    def _pass(self) -> None:
        with self._turn:
            self._arrived += 1
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._open or self._broken or self._passes > 0)
            if self._broken and not self._open:
                raise Stopped
            if not self._open:
                self._passes -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.open()


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


class Endpoint(Faults):
    """One address of a double: counts, keeps its requests, and does as it is programmed.

    Faults for a number of requests act first, in the order in which they were given; then the
    one for always; else the true behaviour.
    """

    def __init__(self, name: str, behave: Behave) -> None:
        self.name = name
        self._behave = behave
        self._changed = threading.Condition()
        self._requests: list[Request] = []
        self._limited: list[tuple[int, Fault]] = []
        self._standing: Fault | None = None
        self._releases: list[Callable[[], None]] = []
        self._in_flight = 0
        self.most_in_flight = 0

    @property
    def requests(self) -> list[Request]:
        """Every request so far, as received, also those that a fault answered."""
        with self._changed:
            return list(self._requests)

    @property
    def count(self) -> int:
        """How many requests came so far."""
        with self._changed:
            return len(self._requests)

    @property
    def last(self) -> Request:
        """The newest request; AssertionError if none came."""
        requests = self.requests
        if not requests:
            raise AssertionError(f"{self.name}: no request came")
        return requests[-1]

    def wait_for(self, count: int, timeout: float = 5.0) -> None:
        """Block until so many requests came in all; AssertionError after the timeout (seconds)."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._requests) >= count, timeout):
                raise AssertionError(f"{self.name}: {len(self._requests)} of {count} requests came")

    def forget(self) -> None:
        """Start counting anew."""
        with self._changed:
            self._requests.clear()
            self.most_in_flight = self._in_flight

    @property
    def once(self) -> Faults:
        """The next fault acts for one request."""
        return self.for_next(1)

    @property
    def always(self) -> Faults:
        """The next fault acts until `heal`; the same as calling the verb on the endpoint."""
        return self

    def for_next(self, count: int) -> Faults:
        """The next fault acts for so many requests."""
        return _Limited(self, count)

    def program(self, fault: Fault) -> None:
        """Let this fault act until `heal`."""
        with self._changed:
            self._standing = fault

    def program_next(self, count: int, fault: Fault) -> None:
        """Let this fault act for so many requests, after those programmed before."""
        with self._changed:
            self._limited.append((count, fault))

    def held(self, release: Callable[[], None]) -> None:
        """Have this called when the endpoint is healed or its server stops."""
        self._releases.append(release)

    def heal(self) -> None:
        """Drop every fault; requests that hang end without an answer."""
        with self._changed:
            self._limited.clear()
            self._standing = None
        self.release()

    def release(self) -> None:
        """End the requests that hang or stand at a gate."""
        while self._releases:
            self._releases.pop()()

    def note(self, request: Request) -> None:
        """Record a request that a test plays without HTTP."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def handle(self, request: Request) -> Answer:
        """Record the request and answer it."""
        with self._changed:
            self._requests.append(request)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            fault = self._next_fault()
            self._changed.notify_all()
        try:
            return self._behave(request) if fault is None else fault(request, self._behave)
        finally:
            with self._changed:
                self._in_flight -= 1

    def _next_fault(self) -> Fault | None:
        if not self._limited:
            return self._standing
        count, fault = self._limited[0]
        if count > 1:
            self._limited[0] = (count - 1, fault)
        else:
            del self._limited[0]
        return fault


class _Limited(Faults):
    def __init__(self, endpoint: Endpoint, count: int) -> None:
        if count < 1:
            raise Complaint(f"{endpoint.name}: a fault for {count} requests")
        self._endpoint = endpoint
        self._count = count

    def program(self, fault: Fault) -> None:
        self._endpoint.program_next(self._count, fault)

    def held(self, release: Callable[[], None]) -> None:
        self._endpoint.held(release)


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

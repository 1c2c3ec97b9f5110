"""One address of a double: it counts, keeps its requests, and does as it is programmed."""

import threading
from collections.abc import Callable

from tests.doubles.faults import Fault, Faults
from tests.doubles.message import Answer, Behave, Request


class Endpoint(Faults):
    """One address of a double; a verb of `Faults` called on it acts until `heal`.

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
            raise ValueError(f"{endpoint.name}: a fault for {count} requests")
        self._endpoint = endpoint
        self._count = count

    def program(self, fault: Fault) -> None:
        self._endpoint.program_next(self._count, fault)

    def held(self, release: Callable[[], None]) -> None:
        self._endpoint.held(release)

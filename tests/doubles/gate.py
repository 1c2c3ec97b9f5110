"""A barrier for races: requests wait at it until the test lets them go."""

import threading
from types import TracebackType
from typing import Literal, Self

from tests.doubles.message import Answer, Behave, Request
from tests.doubles.sending import Stopped


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

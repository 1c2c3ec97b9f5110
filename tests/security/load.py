"""Load for the tests of the runtime: people who ask again and again over kept connections.

with Load(port, people, rate=100) as load:       # people: signed-in browsers
    ...                                          # kill, restart, reload
assert not load.failed                           # each with its moments and what went wrong
"""

import http.client
import select
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.doubles import Browser

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Asked:
    """One request: when it was sent and over (monotonic), and what came of it."""

    sent: float
    over: float
    outcome: str
    """`200`, another status, or the name of the error."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.over - self.sent


class Load:
    """`rate` requests a second in all, by as many clients as there are people.

    A client keeps its connection, and makes another when the server has closed it; what fails in
    the middle of a request is not tried again.
    """

    def __init__(
        self, port: int, people: Sequence[Browser], *, rate: float, target: str = "/me"
    ) -> None:
        self._port = port
        self._target = target
        self._pause = len(people) / rate
        self._over = threading.Event()
        self._asked: list[Asked] = []
        self._threads = [
            threading.Thread(target=self._ask, args=(person, number * self._pause / len(people)))
            for number, person in enumerate(people)
        ]

    @property
    def asked(self) -> list[Asked]:
        """Everything that is over, in no order."""
        return list(self._asked)

    @property
    def failed(self) -> list[Asked]:
        """What was not answered 200."""
        return [one for one in self.asked if one.outcome != "200"]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def _ask(self, person: Browser, wait: float) -> None:
        origin = urlsplit(person.base_url)
        held = person.cookies.for_url(origin._replace(path=self._target))
        headers = {"Host": origin.netloc, "Cookie": "; ".join("=".join(pair) for pair in held)}
        kept = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        while not self._over.wait(wait):
            sent = time.monotonic()
            self._asked.append(Asked(sent, *self._one(kept, headers)))
            wait = max(0.0, self._pause - (time.monotonic() - sent))
        kept.close()

    def _one(self, kept: http.client.HTTPConnection, headers: dict[str, str]) -> tuple[float, str]:
        if kept.sock is not None and closed_by_peer(kept.sock):
            kept.close()
        try:
            kept.request("GET", self._target, headers=headers)
            answer = kept.getresponse()
            answer.read()
            outcome = str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            kept.close()
            outcome = type(error).__name__
        return time.monotonic(), outcome


def closed_by_peer(connection: socket.socket) -> bool:
    """Whether an idle connection was closed: nothing else makes it readable."""
    watch = select.poll()
    watch.register(connection, select.POLLIN)
    return bool(watch.poll(0))

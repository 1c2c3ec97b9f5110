"""Many people at once, each with a mark of their own, and a judge who looks for foreign marks.

A mark stands in the address, the name and the subject of one person and nobody else's; AWS keys
and identity ids are known by whom the identity pool gave them to.
"""

import http.client
import json
import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from urllib.parse import urlencode, urlsplit

from tests.doubles import User, person
from tests.security.fleet import Fleet

MARK = re.compile(r"mk\d{3}x[0-9a-f]{8}")
GIVEN = re.compile(r"ASIA[A-Z2-7]{16}|us-east-1:[0-9a-f]{8}-[0-9a-f-]{27}")
KINDS = ("/me", "/", "/session", "/credentials", "call", "renew")
WEIGHTS = (30, 15, 15, 10, 25, 5)
ABORTED = 0.2
BUSY = (502, 503, 504)


def marked_people(count: int, seed: str) -> list[User]:
    """So many people, each of whom can be known by a mark."""
    marks = [f"mk{number:03d}x{seed}" for number in range(count)]
    return [
        person(f"{mark}@example.com", sub=f"sub-{mark}", claims={"name": f"Name {mark}"})
        for mark in marks
    ]


@dataclass
class Visitor:
    """One signed-in person, as far as a client needs to know."""

    user: User
    cookie: str = field(repr=False)
    csrf: str = field(repr=False)

    @property
    def mark(self) -> str:
        """The mark that may stand in this person's answers."""
        return self.user.sub.removeprefix("sub-")


@dataclass
class Verdicts:
    """What came of all requests."""

    good: Counter[str] = field(default_factory=Counter)
    """Answers with the right person's marks, by kind."""
    busy: Counter[int] = field(default_factory=Counter)
    aborted: int = 0
    broken: list[str] = field(default_factory=list)
    """Connections that ended without an answer."""
    wrong: list[str] = field(default_factory=list)
    """Everything that must not be."""
    given: set[tuple[str, str]] = field(default_factory=set)
    """Subject, and an AWS key id or identity id that stood in an answer to it."""


class Client(threading.Thread):
    """Asks for one person after the other over kept connections, and breaks off now and then."""

    def __init__(
        self, fleet: Fleet, visitors: Sequence[Visitor], over: threading.Event, seed: int
    ) -> None:
        super().__init__(daemon=True)
        self.verdicts = Verdicts()
        self._host = urlsplit(fleet.base_url).netloc
        self._base_url = fleet.base_url
        self._ports = [host.port for host in fleet.hosts]
        self._visitors = visitors
        self._over = over
        self._dice = random.Random(seed)
        self._lines: dict[int, http.client.HTTPConnection] = {}

    def run(self) -> None:
        """Ask until it is over."""
        while not self._over.is_set():
            visitor = self._dice.choice(self._visitors)
            (kind,) = self._dice.choices(KINDS, WEIGHTS)
            port = self._dice.choice(self._ports)
            line = self._lines.setdefault(port, self._line(port))
            try:
                self._send(line, visitor, kind)
                if self._dice.random() < ABORTED:
                    self._break_off(line)
                    continue
                answer = line.getresponse()
                self._judge(visitor, kind, answer, answer.read().decode())
            except (OSError, http.client.HTTPException) as error:
                self.verdicts.broken.append(f"{kind}: {error!r}")
                line.close()
        for line in self._lines.values():
            line.close()

    @staticmethod
    def _line(port: int) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=40)

    def _send(self, line: http.client.HTTPConnection, visitor: Visitor, kind: str) -> None:
        headers = {"Host": self._host, "Cookie": visitor.cookie, "Sec-Fetch-Site": "same-origin"}
        form = {"csrf_token": visitor.csrf}
        if kind.startswith("/"):
            line.request("GET", kind, headers=headers)
            return
        headers |= {
            "Origin": self._base_url,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if kind == "call":
            headers["Accept"] = "application/json"
            form |= {"endpoint": "whoami", "identity": "user"}
            line.request("POST", "/api/call", urlencode(form), headers)
        else:
            line.request("POST", "/session/refresh", urlencode(form), headers)

    def _break_off(self, line: http.client.HTTPConnection) -> None:
        """Reset the connection: at once, a little later, or in the middle of the answer."""
        self.verdicts.aborted += 1
        if line.sock is not None:
            with suppress(OSError):
                line.sock.settimeout(self._dice.choice((0.001, 0.005, 0.02)))
                line.sock.recv(self._dice.choice((1, 200)))
            line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()

    def _judge(
        self, visitor: Visitor, kind: str, answer: http.client.HTTPResponse, text: str
    ) -> None:
        told = f"{kind} for {visitor.mark}: {answer.status}"
        seen = text + repr(answer.getheaders())
        marks = set(MARK.findall(seen))
        if marks - {visitor.mark}:
            self.verdicts.wrong.append(f"{told} with {marks}")
        if answer.getheader("Set-Cookie"):
            self.verdicts.wrong.append(f"{told} sets a cookie: {answer.getheader('Set-Cookie')}")
        self.verdicts.given |= {(visitor.user.sub, one) for one in GIVEN.findall(seen)}
        if answer.status in BUSY:
            self.verdicts.busy[answer.status] += 1
        elif _is_due(visitor, kind, answer.status, text):
            self.verdicts.good[kind] += 1
        else:
            self.verdicts.wrong.append(f"{told}, marks {marks}: {text[:300]}")


def _is_due(visitor: Visitor, kind: str, status: int, text: str) -> bool:
    """Whether this is the page that the person was to get."""
    if kind == "renew":
        return status == 303
    if status != 200 or kind != "call":
        return status == 200 and visitor.mark in text
    answer = json.loads(text)
    return bool(answer["status"] == 200 and answer["body"]["caller"]["sub"] == visitor.user.sub)


def crowd(
    fleet: Fleet, visitors: Sequence[Visitor], *, clients: int, seconds: float
) -> list[Verdicts]:
    """Let so many clients ask for all these people, so long; each client's verdicts."""
    over = threading.Event()
    running = [Client(fleet, visitors, over, seed) for seed in range(clients)]
    for client in running:
        client.start()
    until, next_one = time.monotonic() + seconds, cycle(("reset", "cut", "slow", "cut"))
    while time.monotonic() < until:
        _disturb(fleet, next(next_one))
    over.set()
    for client in running:
        client.join(60)
        assert not client.is_alive(), "a client still waits for an answer"
    return [client.verdicts for client in running]


def _disturb(fleet: Fleet, what: str) -> None:
    """A third of a second, and then something befalls the store."""
    time.sleep(0.3)
    proxy = fleet.store.proxy
    if proxy is None:
        fleet.store.lock(seconds=0.05)
    elif what == "reset":
        proxy.down()
        proxy.up()
    elif what == "cut":
        proxy.mode = "cut"
    else:  # answers that come two seconds late, when nobody waits for them any more
        proxy.mode = "slow"
        time.sleep(0.05)
        proxy.mode = "open"
        time.sleep(2.2)

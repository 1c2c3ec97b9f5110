"""Names and connections in time: a resolver that hangs, addresses that swallow packets."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.doubles.hole import black_hole
from webapp.dialling import AGAIN_SECONDS, APART_SECONDS, MOST_LOOKUPS, Place, Resolver, dial

SOON = 0.3
# What a machine under load may add.
SLACK = 0.4


@pytest.fixture
def port() -> Iterator[int]:
    """A port that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def hole() -> Iterator[int]:
    """A port that swallows packets."""
    with black_hole() as found:
        yield found


@pytest.fixture
def closed() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
    return number


def _left(seconds: float) -> Callable[[], float]:
    ends_at = time.monotonic() + seconds

    def left() -> float:
        if (rest := ends_at - time.monotonic()) <= 0:
            raise TimeoutError("over")
        return rest

    return left


def _saying(*ports: int, families: Sequence[int] = ()) -> Resolver:
    """A resolver that knows every name, at these ports of this machine."""

    def resolve(host: str, port: int, **_: object) -> list[Place]:
        known = families or [socket.AF_INET] * len(ports)
        hosts = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
        return [
            (family, socket.SOCK_STREAM, 0, "", (hosts[socket.AddressFamily(family)], one))
            for family, one in zip(known, ports, strict=True)
        ]

    return resolve


def _never(host: str, port: int, **_: object) -> Any:
    raise AssertionError("the resolver was asked")


def _dialled(resolver: Resolver, *, host: str = "part.example", seconds: float = 2) -> int:
    """Dial and hang up; the port at the other end."""
    with dial(
        host, 443, left=_left(seconds), make=socket.socket, most=seconds, resolver=resolver
    ) as made:
        assert made.gettimeout()
        return int(made.getpeername()[1])


def test_an_address_needs_no_resolver(port: int) -> None:
    """An address is dialled at once, without a question."""
    with dial(
        "127.0.0.1", port, left=_left(1), make=socket.socket, most=1, resolver=_never
    ) as made:
        assert made.getpeername() == ("127.0.0.1", port)


class Hanging:
    """A resolver that thinks until it is let go."""

    def __init__(self, port: int) -> None:
        self.asked = 0
        self.let_go = threading.Event()
        self._then = _saying(port)

    def __call__(self, host: str, port: int, **options: object) -> Sequence[Place]:
        self.asked += 1
        self.let_go.wait(30)
        return self._then(host, port)


@pytest.fixture
def hanging(port: int) -> Iterator[Hanging]:
    """A resolver that hangs; its threads end with the test."""
    made = Hanging(port)
    yield made
    made.let_go.set()


def test_ID_18_a_resolver_that_hangs(hanging: Hanging) -> None:
    """A resolver that thinks for ever costs no more than the time that is left."""
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        _dialled(hanging, seconds=SOON)
    assert SOON <= time.monotonic() - began < SOON + SLACK


def test_ID_18_waiting_for_one_name_together(hanging: Hanging) -> None:
    """Many who want the same name at once ask once, and all have the answer when it comes."""
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(_dialled(hanging, seconds=10)))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    hanging.let_go.set()
    for thread in threads:
        thread.join(10)
    assert len(answers) == 20
    assert hanging.asked < 20


def test_ID_18_an_old_question_is_asked_anew(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that got lost holds nobody up, and at most so many threads wait for answers."""
    now = time.monotonic()
    monkeypatch.setattr("webapp.dialling.time", _ClockOf(lambda: now))
    for _ in range(MOST_LOOKUPS + 5):
        for _ in range(3):
            with pytest.raises(TimeoutError):
                _dialled(hanging, seconds=0.01)
        now += AGAIN_SECONDS
    assert hanging.asked == MOST_LOOKUPS


class _ClockOf:
    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic


def test_ID_18_a_name_that_is_not_there() -> None:
    """What the resolver raises is raised where the name was wanted, and asked anew next time."""
    asked = []

    def fails(host: str, port: int, **_: object) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for _ in range(3):
        with pytest.raises(socket.gaierror):
            _dialled(fails)
    assert asked == ["part.example"] * 3


def test_ID_18_a_black_hole_beside_a_good_address(hole: int, port: int) -> None:
    """An address that swallows packets costs a quarter of a second, not the whole deadline."""
    began = time.monotonic()
    assert _dialled(_saying(hole, port)) == port
    assert APART_SECONDS <= time.monotonic() - began < APART_SECONDS + SLACK


def test_ID_18_nothing_but_black_holes(hole: int) -> None:
    """With addresses that all swallow packets the time is what it is for one."""
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        _dialled(_saying(hole, hole, hole), seconds=SOON)
    assert SOON <= time.monotonic() - began < SOON + SLACK


def test_ID_18_a_refusal_goes_on_at_once(closed: int, port: int) -> None:
    """An address that refuses costs no wait before the next; one that is alone says so."""
    began = time.monotonic()
    assert _dialled(_saying(closed, closed, closed, closed, port)) == port
    assert time.monotonic() - began < APART_SECONDS
    with pytest.raises(ConnectionRefusedError):
        _dialled(_saying(closed, closed))
    with pytest.raises(OSError, match="no address"):
        _dialled(_saying())


def test_ID_18_families_take_turns(hole: int, port: int) -> None:
    """A dead family does not stand before the living one with all of its addresses."""
    tried: list[int] = []

    def make(family: int, kind: int, protocol: int) -> socket.socket:
        tried.append(family)
        # Whether this machine has IPv6 at all is not the question here.
        return socket.socket(socket.AF_INET, kind, protocol)

    v6, v4 = int(socket.AF_INET6), int(socket.AF_INET)

    def resolve(host: str, number: int, **_: object) -> list[Place]:
        dead = (v6, socket.SOCK_STREAM, 0, "", ("127.0.0.1", hole))
        return [dead, dead, dead, (v4, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    with dial("x", 1, left=_left(2), make=make, most=2, resolver=resolve) as made:
        assert made.getpeername()[1] == port
    assert tried == [v6, v4]


def test_losers_are_closed(hole: int, port: int) -> None:
    """Sockets that lost the race, and all of them when nobody won, are closed."""
    made: list[socket.socket] = []

    def make(family: int, kind: int, protocol: int) -> socket.socket:
        made.append(socket.socket(family, kind, protocol))
        return made[-1]

    resolver = _saying(hole, port)
    with dial("x", 1, left=_left(2), make=make, most=2, resolver=resolver) as winner:
        assert [one.fileno() == -1 for one in made] == [True, False]
        assert winner is made[1]
    with contextlib.suppress(TimeoutError):
        dial("x", 1, left=_left(SOON), make=make, most=SOON, resolver=_saying(hole, hole))
    assert [one.fileno() for one in made] == [-1] * 4

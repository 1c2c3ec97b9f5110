"""CC-11: the hosts' clock steps by an hour, forth and back, and Cognito's does not.

On SQLite and Redis. DynamoDB is left out: its requests are signed by the machine's own clock, which
a test cannot step; with one that is an hour off AWS refuses them all, and every page says busy.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.contract.redis_server import until
from tests.doubles import Browser, Response
from tests.security.fleet import Fleet, fleet_of
from tests.security.fleet_stores import REDIS, SQLITE

HOUR = 3600
IDLE, ABSOLUTE = 2 * HOUR, 4 * HOUR
TOO_LATE = HOUR + 90
"""By then even a token that Cognito has just made is refused as expired, leeway and all."""
CROWD = 6
ROUNDS_AFTER_A_STEP = 2
PATIENCE_SECONDS = 60.0


@dataclass
class Stepped:
    """A fleet and its clock."""

    fleet: Fleet
    file: Path

    def step(self, seconds: float) -> None:
        """Put the clock off by so many seconds, for all workers at once."""
        new = self.file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.file)


@pytest.fixture(scope="module", params=[SQLITE, REDIS])
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stepped]:
    """Two hosts whose clock reads a file."""
    folder = tmp_path_factory.mktemp("stepped")
    file = folder / "step"
    file.write_text("0")
    with fleet_of(
        folder,
        request.param,
        app="tests.security.stepped:app",
        STEP_FILE=str(file),
        SESSION_IDLE_SECONDS=str(IDLE),
        SESSION_ABSOLUTE_SECONDS=str(ABSOLUTE),
    ) as fleet:
        yield Stepped(fleet, file)


@pytest.fixture
def stepped(started: Stepped) -> Iterator[Stepped]:
    """The same, with the clock right."""
    started.step(0)
    started.fleet.reset()
    yield started
    started.step(0)


@dataclass
class Visits:
    """Somebody who goes on asking for pages, at one host and the other."""

    fleet: Fleet
    browser: Browser
    over: threading.Event
    seen: Counter[int] = field(default_factory=Counter)
    ended: list[Response] = field(default_factory=list)

    def go_on(self) -> None:
        """Ask until it is over; what is neither the page nor busy is kept."""
        tabs = [self.fleet.at(self.browser, host) for host in (0, 1)]
        while not self.over.is_set():
            answer = tabs[self.seen.total() % 2].get("/session")
            if answer.status not in (200, 503):
                self.ended.append(answer)
            self.seen[answer.status] += 1


def test_CC_11_an_hour_forth_and_back_under_load(stepped: Stepped) -> None:
    """Steps of an hour sign nobody out, and as soon as the clock is right every page is there."""
    fleet = stepped.fleet
    fleet.cognito.issuer.pool.rotation = True  # a grant whose token is lost would end the session
    over = threading.Event()
    visits = [Visits(fleet, fleet.signed_in("viewer"), over) for _ in range(CROWD)]
    cookies = [one.browser.cookies["portico"] for one in visits]
    running = [threading.Thread(target=one.go_on) for one in visits]
    for thread in running:
        thread.start()
    try:
        for seconds in (HOUR, 0, TOO_LATE, 0, -HOUR, 0):
            stepped.step(seconds)
            _go_round(visits)
    finally:
        over.set()
        for thread in running:
            thread.join(30)
    assert [answer for one in visits for answer in one.ended] == []
    assert [one.browser.cookies["portico"] for one in visits] == cookies
    assert any(one.seen[503] for one in visits), "nothing was ever out of order"
    for number, one in enumerate(visits):
        assert fleet.at(one.browser, number % 2).get("/session").status == 200


def _go_round(visits: list[Visits]) -> None:
    """Wait until each has asked at both hosts, questions of before not counted."""
    wanted = [one.seen.total() + 1 + 2 * ROUNDS_AFTER_A_STEP for one in visits]

    def done() -> bool:
        return all(one.seen.total() >= count for one, count in zip(visits, wanted, strict=True))

    until(done, PATIENCE_SECONDS)


def _is_out(answer: Response) -> bool:
    return answer.status == 303 and urlsplit(answer.location).path == "/login"


def test_CC_11_an_hour_lived_twice_is_an_hour_more(stepped: Stepped) -> None:
    """A clock that is put back gives a session nobody uses that hour more, and no longer."""
    browser = stepped.fleet.signed_in("viewer")
    stepped.step(-HOUR)
    assert stepped.fleet.at(browser, 1).get("/session").status == 200
    stepped.step(IDLE + 60)
    for host in (0, 1):
        assert _is_out(stepped.fleet.at(browser, host).get("/session"))


def test_CC_11_no_session_is_immortal(stepped: Stepped) -> None:
    """Lived for an hour twice and visited all the time, a session ends when the clock says so."""
    fleet = stepped.fleet
    browser = fleet.signed_in("viewer")
    for hour in range(-1, ABSOLUTE // HOUR):
        stepped.step(hour * HOUR)
        answer = fleet.at(browser, hour % 2).get("/session")
        assert answer.status in (200, 503), answer
        assert "portico" in browser.cookies
    stepped.step(ABSOLUTE + 1)
    for host in (0, 1):
        assert _is_out(fleet.at(browser, host).get("/session"))

"""ST-01 and ST-08 under load: two hosts of real gunicorn, a thousand people, a store that goes.

The catalogue's row is 30 seconds: PORTICO_ST01_SECONDS=30.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from tests.contract.redis_server import until
from tests.doubles import Browser
from tests.security.fleet import Fleet, fleet_of
from tests.security.fleet_stores import SQLITE, STORES, Kind
from webapp.errors import StoreUnavailable
from webapp.keyring import Keyring
from webapp.managed_login.tokens import person_of, read_claims
from webapp.records import SessionRecord, TokenSet
from webapp.services import open_store
from webapp.store.sqlite_file import WATCH_SECONDS
from webapp.store.vault import Vault

P = TypeVar("P")
R = TypeVar("R")
SECRET = "a-key-of-32-bytes-that-all-hosts-have"
PEOPLE = 1000
DOWN_SECONDS = float(os.environ.get("PORTICO_ST01_SECONDS", "3"))
RECOVERY_SECONDS = 15.0
CROWD = 8
IN_A_ROW = 40
"""So many pages, spread over four workers by chance, leave none of them out."""
SEEN_BY_HTTP = 150
"""So many of the thousand are looked at through the hosts afterwards, all by the vault."""
ANSWER_SECONDS = 8.0
"""For a machine under load; what one operation may take is proved at the store (ST-02)."""


@dataclass(frozen=True)
class Answer:
    """What came back to one request, `at` on the monotonic clock."""

    at: float
    status: int
    seconds: float
    polite: bool
    """Whether it leaves the cookie alone, and says when to come again if it is a 503."""


@dataclass
class Crowd:
    """Clients that ask for pages of random people until they are told to stop."""

    fleet: Fleet
    tickets: list[str] = field(repr=False)
    answers: list[Answer] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """All of them until the end of the block; what breaks in one breaks the block."""
        with ThreadPoolExecutor(CROWD) as pool:
            at_it = [pool.submit(self._ask, number) for number in range(CROWD)]
            try:
                yield
            finally:
                self._over.set()
            for one in at_it:
                one.result()

    def _ask(self, number: int) -> None:
        dice = random.Random(number)
        while not self._over.is_set():
            self.ask(dice.choice(self.tickets), dice.randrange(2), dice.choice(PAGES))

    def ask(self, ticket: str, host: int, page: str = "/me") -> Answer:
        """One page for one person."""
        browser = holding(self.fleet, ticket, host)
        start = time.monotonic()
        response = browser.get(page, headers={"Accept": "application/json"})
        retry = int(response.header("Retry-After") or 0)
        polite = not response.header_values("Set-Cookie")
        polite = polite and (response.status != 503 or retry > 0)
        answer = Answer(start, response.status, time.monotonic() - start, polite)
        self.answers.append(answer)
        return answer

    def all_is_well(self, since: float) -> bool:
        """Whether the last pages asked for after this time were all given, by every worker.

        Each of the four has a breaker of its own, so that one good page says little of the rest.
        """
        latest = [one for one in self.answers[-IN_A_ROW:] if one.at > since]
        return len(latest) == IN_A_ROW and {one.status for one in latest} == {200}


PAGES = ("/me", "/session", "/", "/sessions")


def holding(fleet: Fleet, ticket: str, host: int = 0) -> Browser:
    """A browser that holds this ticket."""
    browser = fleet.browser(host)
    browser.inspect_pages = False
    browser.cookies["portico"] = ticket
    return browser


def vault_of(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """The vault over the fleet's store, past any proxy."""
    settings = fleet.store.settings
    endpoint = None
    if fleet.store.aws:
        endpoint = fleet.store.aws.endpoint
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, settings[name])
    url = fleet.store.redis.url if fleet.store.redis else settings["SESSION_STORE_URL"]
    store = open_store(url, region="us-east-1", dynamodb_endpoint=endpoint)
    return Vault(store, Keyring((SECRET.encode(),)), idle=1800, absolute=43_200)


def sign_in_a_thousand(fleet: Fleet, vault: Vault) -> list[str]:
    """Their tickets, made where the hosts would make them."""
    pool, now = fleet.cognito.issuer.pool, int(time.time())
    records = []
    for user in fleet.cognito.users.values():
        tokens = pool.sign_in(user)
        claims = read_claims(tokens["id_token"])
        kept = TokenSet(
            tokens["id_token"], tokens["access_token"], tokens["refresh_token"], now, now + 3600
        )
        # Seen a while ago: the first page for each wants to write that.
        records.append(SessionRecord(now - 300, now - 300, person_of(claims), kept))
    with ThreadPoolExecutor(CROWD // 2) as threads:
        made = threads.map(lambda one: patiently(vault.create, one), (records * PEOPLE)[:PEOPLE])
        return [session.ticket.text for session in made]


def patiently(ask: Callable[[P], R], about: P) -> R:
    """An answer of the store before and after the outage, however busy the machine is."""
    for _ in range(20):
        with suppress(StoreUnavailable):
            return ask(about)
    return ask(about)


@contextmanager
def store_down(fleet: Fleet) -> Iterator[None]:
    """Nobody reaches it: the port is closed, or the file is elsewhere."""
    proxy, path = fleet.store.proxy, fleet.store.path
    if proxy:
        proxy.down()
        yield
        proxy.up()
        return
    assert path
    files = [Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm")]
    away = path.parent / "away"
    away.mkdir()
    for file in files:
        file.rename(away / file.name)
    yield
    for file in reversed(files):
        (away / file.name).rename(file)
    away.rmdir()


@pytest.mark.parametrize("kind", STORES)
def test_ST_01_a_thousand_sessions_outlive_an_outage(
    tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the store is away: 503 in time, cookies kept; when it is back: 0 of 1,000 lost."""
    behind = kind != "sqlite"
    with fleet_of(tmp_path, kind, behind_proxy=behind, SECRET_KEY=SECRET) as fleet:
        vault = vault_of(fleet, monkeypatch)
        tickets = sign_in_a_thousand(fleet, vault)
        crowd = Crowd(fleet, tickets)
        with crowd.at_work():
            until(lambda: len(crowd.answers) > 5 * CROWD)
            with store_down(fleet):
                # A thread may go on for a second in the file that it has open; it is the right one.
                went = time.monotonic() + (0.0 if behind else 1.5)
                time.sleep(DOWN_SECONDS)  # the outage itself
                came = time.monotonic()
                assert [host.ask("/healthz").status for host in fleet.hosts] == [200, 200]
                assert [host.ask("/readyz").status for host in fleet.hosts] == [503, 503]
                assert fleet.browser(1).get("/").status == 200  # nobody's page needs no store
            end = time.monotonic() + RECOVERY_SECONDS
            while not crowd.all_is_well(came):
                assert time.monotonic() < end
                time.sleep(0.05)
        judge(crowd, went, came)
        lost = [one for one in tickets if patiently(vault.open, one) is None]
        assert lost == []
        sample = random.Random(1).sample(tickets, SEEN_BY_HTTP)
        asked = [crowd.ask(one, number % 2) for number, one in enumerate(sample)]
        assert {one.status for one in asked} == {200}
        assert not fleet.events("unforeseen")
        assert not fleet.events("session_not_found")
        assert not fleet.events("record_refused")
        if kind == "sqlite":
            assert not fleet.events("store_file_lost")
            assert not list(tmp_path.glob("*.damaged-*"))


def judge(crowd: Crowd, went: float, came: float) -> None:
    """No page is another than BUSY while the store is away, none is ever lost, none takes long."""
    during = [one for one in crowd.answers if went < one.at and one.at + one.seconds < came]
    assert len(during) >= CROWD
    assert {one.status for one in during} == {503}
    assert {one.status for one in crowd.answers} == {200, 503}
    assert all(one.polite for one in crowd.answers)
    assert max(one.seconds for one in crowd.answers) < ANSWER_SECONDS


@pytest.mark.parametrize("kind", [SQLITE])
def test_ST_08_deleted_under_a_fleet(tmp_path: Path, kind: Kind) -> None:
    """The file goes under four workers: one alarm, everybody signs in once, on every host."""
    with fleet_of(tmp_path, kind) as fleet:
        browsers = {name: fleet.signed_in(name) for name in ("admin", "viewer", "nobody")}
        for browser in browsers.values():
            assert {fleet.at(browser, host).get("/session").status for host in (0, 1)} == {200}
        assert fleet.store.path
        for suffix in ("", "-wal", "-shm"):
            Path(f"{fleet.store.path}{suffix}").unlink()
        gone = time.monotonic()

        def noticed() -> bool:
            found = {
                (name, host): fleet.at(browser, host).get("/session").status
                for name, browser in browsers.items()
                for host in (0, 1) * 3
            }
            assert set(found.values()) <= {200, 303, 503}
            return set(found.values()) == {303}

        until(noticed)
        # A thread may go on in the old file for a second, and lose a sign-in to it.
        until(lambda: time.monotonic() > gone + WATCH_SECONDS + 0.5)
        assert {host.ask("/readyz").status for host in fleet.hosts for _ in range(6)} == {200}
        for name, browser in browsers.items():
            assert browser.sign_in(fleet.cognito.user(name), next="/session").status == 200
        for browser in browsers.values():
            pages = [fleet.at(browser, host).get("/session").status for host in (0, 1) * 4]
            assert pages == [200] * 8
        assert len(fleet.events("store_file_lost")) == 1
        assert not fleet.events("unforeseen")

"""RT-02: a worker that dies at any marked point leaves nobody in a state that is none."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.doubles import Browser, Response
from tests.security.fleet import LIFE, Fleet, Host, fleet_of

FINISHED_SECONDS = 60.0
"""Until the errands of a dead worker are done by another one, on a machine under load."""

CALLBACK = [
    ("store.claim before 1", "signed in"),
    ("store.claim after 1", "signed out"),
    ("managed_login.exchange before 1", "signed out"),
    ("managed_login.exchange after 1", "signed out"),
    ("store.create before 1", "signed out"),
    ("store.create after 1", "signed out"),
]
REFRESH = [
    "store.claim after 1",
    "managed_login.refresh before 1",
    "managed_login.refresh after 1",
    "store.replace after 1",
]
SIGN_OUT = [  # everywhere by another person each time: one would do another one's work
    ("admin", "cognito", "store.create before 1"),
    ("admin", "cognito", "store.create after 1"),
    ("admin", "cognito", "store.delete after 1"),
    ("admin", "cognito", "managed_login.revoke after 1"),
    ("manager", "everywhere", "store.delete after 1"),
    ("viewer", "everywhere", "managed_login.sign_out_everywhere after 1"),
    ("both", "everywhere", "managed_login.revoke before 1"),
]
NOTHING_WRITTEN = "store.create before 1"


@dataclass
class Stand:
    """One host whose workers die on command."""

    fleet: Fleet
    strike: Path

    @property
    def host(self) -> Host:
        """The one host."""
        return self.fleet.hosts[0]

    def dying(self, point: str, browser: Browser, url: str, **form: str) -> None:
        """Send a request, a post if there is a form, whose worker dies at this point."""
        before = self.host.workers
        self.strike.write_text(f"{url.partition('?')[0]} {point}")
        send = partial(browser.post, url, form) if form else partial(browser.get, url)
        with pytest.raises(OSError):
            send()
        assert not self.strike.exists(), f"{point} was never reached"
        until(lambda: set(self.host.workers) != set(before) and len(self.host.workers) == 2)

    def state(self, browser: Browser, url: str = "/session") -> str:
        """Where a person lands who reloads: signed in, signed out, or at a page to start again."""
        response = _answered(browser, url)
        for _ in range(5):
            if response.status not in (302, 303):
                break
            if not response.location.startswith((browser.base_url, "/")):
                return "signed out"  # on the way to Cognito
            response = _answered(browser, response.location)
        assert response.status in (200, 400, 401), f"{response}\n{response.text[:1500]}"
        if response.status != 200:
            assert "/login" in response.text
            return "restart"
        return "signed in" if "@example.com" in response.text else "signed out"


def _answered(browser: Browser, url: str) -> Response:
    end = time.monotonic() + 10
    while True:
        try:
            return browser.get(url, site="same-origin")
        except OSError:  # it came to the socket of the worker that died
            assert time.monotonic() < end, "no worker answers"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One host with two workers that share an accept queue, over SQLite."""
    folder = tmp_path_factory.mktemp("crashes")
    with fleet_of(
        folder, hosts=1, app="tests.security.failpoints:app", options=["--chdir", str(folder)]
    ) as fleet:
        yield Stand(fleet, folder / "strike")


@pytest.mark.parametrize(("point", "lands"), CALLBACK, ids=[point for point, _ in CALLBACK])
def test_RT_02_callback(stand: Stand, point: str, lands: str) -> None:
    """After a death within the callback a reload signs in, or leads back to the beginning."""
    browser = stand.fleet.browser()
    issuer = stand.fleet.cognito.issuer
    callback = issuer.approve(browser.start("/session"), stand.fleet.cognito.user("admin"))
    url = callback.removeprefix(browser.base_url)
    asked = stand.fleet.token_requests
    stand.dying(point, browser, url)
    assert stand.state(browser, url) == lands
    assert stand.fleet.token_requests - asked <= 1  # a code is spent at most once
    assert stand.state(browser) == lands
    if lands != "signed in":
        browser.sign_in(stand.fleet.cognito.user("admin"), next="/session")
    assert stand.state(browser) == "signed in"


def test_RT_02_refresh(stand: Stand) -> None:
    """After a death within a refresh the next request does it, or finds it done."""
    pool, died = stand.fleet.cognito.issuer.pool, []
    pool.rotation, pool.rotation_grace = True, 60.0
    for point in REFRESH:
        browser = stand.fleet.signed_in("viewer", life=0)
        stand.dying(point, browser, "/session")
        died.append((browser, pool.occasions[-1]))
    for browser, occasion in died:
        assert stand.state(browser) == "signed in"
        assert browser.sign_out("cognito").status == 303
        assert occasion.revoked
    pool.rotation, pool.rotation_grace = False, 0.0


def test_RT_02_sign_out(stand: Stand) -> None:
    """A sign-out that a death cut short is finished by another worker, to its full depth."""
    pool, asked = stand.fleet.cognito.issuer.pool, []
    bystander = stand.fleet.signed_in("admin")
    for name, depth, point in SIGN_OUT:
        browser = stand.fleet.signed_in(name)
        occasion = pool.occasions[-1]
        form = {"csrf_token": browser.csrf(), "depth": depth}
        stand.dying(point, browser, "/logout", **form)
        state = stand.state(browser)
        assert state in ("signed in", "signed out")
        if point == NOTHING_WRITTEN:
            # It died before it could do or write anything: the person sees it, and asks again.
            assert state == "signed in"
            assert browser.sign_out(depth).status == 303
        asked.append((browser, occasion, point))
    end = time.monotonic() + FINISHED_SECONDS
    for browser, occasion, point in asked:
        while not occasion.revoked or stand.state(browser) != "signed out":
            assert time.monotonic() < end, f"not finished after {point}"
            time.sleep(0.2)
    assert LIFE > FINISHED_SECONDS  # they did not end by themselves
    assert stand.state(bystander) == "signed in"
    assert "unforeseen" not in stand.fleet.log

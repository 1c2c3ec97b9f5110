"""SO-04, SO-06, SO-11 on a fleet: a sign-out holds for every worker, and outlives each of them."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from tests.doubles import Browser
from tests.security.fleet import Fleet
from tests.security.stored import errands_in, sessions_in

LIMIT = 2.0
FINISHED_SECONDS = 60.0
"""Until the errands of dead workers are done, on a machine under load."""
RECOVERY_SECONDS = 10.0
ASKED = 12
"""Connections enough for both workers of a host to answer some of them."""


def _is_out(fleet: Fleet, browser: Browser, host: int) -> bool:
    me = fleet.at(browser, host).get("/me", headers={"Accept": "application/json"})
    assert me.status in (200, 401), me
    return me.status == 401


def _wait(fleet: Fleet, seconds: float, *, until: str) -> None:
    """Wait until what is left in the store is nothing: `sessions` or `errands`."""
    count = sessions_in if until == "sessions" else errands_in
    end = time.monotonic() + seconds
    while left := count(fleet.store):
        assert time.monotonic() < end, f"{left} {until} are left"
        time.sleep(0.05)


def test_SO_04_told_after_the_death_of_who_was_asked(fleet: Fleet) -> None:
    """Revoke fails, hangs, is not there: out in two seconds, and told when it is, by others."""
    issuer, outages = fleet.cognito.issuer, []
    for outage in ("503", "slow", "down"):
        browser = fleet.signed_in("admin")
        outages.append((outage, browser, browser.csrf(), issuer.pool.occasions[-1]))
    for outage, browser, token, occasion in outages:
        if outage == "503":
            issuer.revoke.answer(503)
        elif outage == "slow":
            issuer.revoke.heal()
            issuer.revoke.hang()
        else:
            issuer.server.stop()
        began = time.monotonic()
        response = browser.post("/logout", {"csrf_token": token})
        assert time.monotonic() - began < LIMIT, outage
        assert response.status == 303
        assert "portico" not in browser.cookies
        assert not occasion.revoked
        assert "keeps trying" in browser.get("/").page.text
    assert {event["part"] for event in fleet.events("sign_out_pending")} == {"revoke"}
    killed = fleet.hosts[0].kill_workers()  # all that any of them had in memory is gone
    issuer.server.start()
    fleet.cognito.heal()
    end = time.monotonic() + FINISHED_SECONDS
    while not all(occasion.revoked for *_, occasion in outages):
        assert time.monotonic() < end, "a refresh token lives on"
        time.sleep(0.1)
    if not fleet.store.path:
        _wait(fleet, FINISHED_SECONDS, until="errands")
    fleet.hosts[0].await_workers(2, without=killed)


@contextmanager
def _takes_no_writes(fleet: Fleet) -> Iterator[None]:
    """The store cannot be written to; SQLite and Redis can still be read."""
    store = fleet.store
    with ExitStack() as stack:
        if store.path:
            connection = sqlite3.connect(store.path, isolation_level=None)
            stack.enter_context(closing(connection)).execute("BEGIN IMMEDIATE")
        elif store.redis:
            stack.callback(store.redis.say, "CONFIG", "SET", "min-replicas-to-write", 0)
            store.redis.say("CONFIG", "SET", "min-replicas-to-write", 1)
        else:
            assert store.proxy
            stack.callback(store.proxy.up)
            store.proxy.down()
        yield


def test_SO_06_refused_by_all_workers_of_the_host(fleet: Fleet) -> None:
    """Out for every worker at once, also for those that come after a crash; then it is finished."""
    leaving, others = fleet.signed_in("admin"), fleet.signed_in("admin", host=1)
    thief, before = leaving.twin(), sessions_in(fleet.store)
    occasions = fleet.cognito.issuer.pool.occasions[-2:]
    form = {"csrf_token": leaving.csrf(), "depth": "everywhere"}
    with _takes_no_writes(fleet):
        response = leaving.post("/logout", form)
        assert response.status == 303
        assert "portico" not in leaving.cookies
        assert "server will finish" in leaving.get("/").page.text
        assert [_is_out(fleet, thief, 0) for _ in range(ASKED)] == [True] * ASKED
        killed = fleet.hosts[0].kill_workers()
        fleet.hosts[0].await_workers(2, without=killed)
        assert [_is_out(fleet, thief, 0) for _ in range(ASKED)] == [True] * ASKED
        assert sessions_in(fleet.store) == before
    back = time.monotonic()
    while sessions_in(fleet.store) > before - 2:
        assert time.monotonic() - back < RECOVERY_SECONDS, "the records are still there"
        time.sleep(0.05)
    for host in (0, 1):
        assert _is_out(fleet, thief, host)
        assert _is_out(fleet, others, host)
    # Told at once where the tokens could be read, else as soon as they can be.
    while not all(occasion.revoked for occasion in occasions):
        assert time.monotonic() - back < FINISHED_SECONDS, "a refresh token lives on"
        time.sleep(0.1)


def test_SO_11_out_everywhere_within_a_second(fleet: Fleet) -> None:
    """Signing out everywhere ends every browser on every host at once, and each refresh token."""
    browsers = [fleet.signed_in("manager", host=number % 2) for number in range(4)]
    occasions = fleet.cognito.issuer.pool.occasions[-4:]
    bystander = fleet.signed_in("viewer", host=1)
    # Every worker has seen them, so none may go on by what it remembers.
    for browser in browsers:
        assert not any(_is_out(fleet, browser, host) for host in (0, 1) for _ in range(3))
    assert browsers[0].sign_out("everywhere").status == 303
    # Within the second, and more: nobody finds a way in after the answer to the sign-out.
    out = [_is_out(fleet, browser, host) for browser in browsers for host in (0, 1)]
    assert out == [True] * len(out)
    assert all(occasion.revoked for occasion in occasions)
    assert fleet.cognito.issuer.global_sign_out.count == 1
    assert not _is_out(fleet, bystander, 0)

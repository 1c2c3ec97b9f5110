"""KY-03: hosts with different keys over one store: seen, alarmed, and nobody is signed out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.doubles import Browser
from tests.doubles.response import Response
from tests.security.fleet import Fleet, Host, fleet_of
from tests.security.served import RawAnswer
from webapp.store.keyroll import RENEW_SECONDS

OLD, NEW = (f"the-{name}-key-of-a-test-of-two-hosts" for name in ("old", "new"))
PERSONAL = ("/", "/session", "/credentials", "/api", "/me", "/login?next=/session", "/callback")


def _keys(host: Host, *keys: str) -> None:
    """Give a host these keys for its next start, the first one to write."""
    fallbacks = {"SECRET_KEY_FALLBACKS": " ".join(keys[1:])} if keys[1:] else {}
    kept = {k: v for k, v in host.environment.items() if not k.startswith("SECRET_KEY")}
    host.environment = kept | {"SECRET_KEY": keys[0]} | fallbacks


@contextmanager
def _two_hosts(folder: Path, workers: int = 2) -> Iterator[Fleet]:
    """The first host runs with the old key; the second waits to be started."""
    with fleet_of(folder, workers=workers, start=False, SECRET_KEY=OLD) as fleet:
        fleet.hosts[0].start()
        yield fleet


def _parts(answer: RawAnswer) -> dict[str, str]:
    parts: dict[str, str] = json.loads(answer.body)["parts"]
    return parts


def _listens(host: Host) -> bool:
    try:
        return host.ask("/healthz").status == 200
    except OSError:
        return False


def _kept_out(response: Response) -> None:
    """BUSY: come again, with the cookies and everything else as they were."""
    assert response.status == 503, f"{response}\n{response.text[:800]}"
    assert int(response.header("Retry-After") or 0) > 0
    assert response.header_values("Set-Cookie") == []


@pytest.mark.slow
def test_KY_03_a_host_with_another_key_serves_nobody(tmp_path: Path) -> None:
    """It is not ready and says why, both sides alarm, and no browser loses anything at it."""
    with _two_hosts(tmp_path) as fleet:
        right, wrong = fleet.hosts
        browser = fleet.signed_in("admin")
        ticket = browser.cookies["portico"]
        _keys(wrong, NEW)
        wrong.start(wait=False)
        until(lambda: _listens(wrong))
        _gives_way(fleet, 1)
        there, stranger = fleet.at(browser, 1), fleet.browser(1)
        for _ in range(3):  # both workers
            for path in PERSONAL:
                _kept_out(there.get(path))
                _kept_out(stranger.get(path))
        ready = wrong.ask("/readyz")
        assert (ready.status, _parts(ready)["keys"]) == (503, "keys_differ")
        assert wrong.ask("/healthz").status == 200
        # The balancer that does not look sends each request to the other host: no ping-pong.
        for turn in range(12):
            if turn % 2:
                _kept_out(there.get("/session"))
            else:
                assert browser.get("/session").status == 200
            assert browser.cookies["portico"] == ticket
        assert right.ask("/readyz").status == 200
        until(lambda: right.ask("/readyz").status == 200 and _alarms(right) != [])
        assert {(one["level"], one["serving"]) for one in _alarms(wrong)} == {("error", False)}
        assert {(one["level"], one["serving"]) for one in _alarms(right)} == {("error", True)}
        for secret in (OLD, NEW):
            assert secret not in fleet.log
        # Mended: the same host with the right key is ready at once, and the person is still in.
        wrong.stop()
        _keys(wrong, OLD)
        wrong.start()
        assert there.get("/session").status == 200
        assert browser.cookies["portico"] == ticket
        assert len(fleet.cognito.issuer.grants("authorization_code")) == 1


def _gives_way(fleet: Fleet, host: int) -> None:
    """Wait until each of its workers has seen the others' key in use, by its renewal.

    Before that it serves who comes, but no probe finds it ready.
    """
    assert fleet.hosts[host].ask("/readyz").status == 503
    visitor = fleet.browser(host)
    until(lambda: all(visitor.get("/me").status == 503 for _ in range(12)), 4 * RENEW_SECONDS)


def _alarms(host: Host) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in host.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "keys_differ"]


@pytest.mark.slow
def test_KY_03_new_workers_of_the_right_host_stay_ready(tmp_path: Path) -> None:
    """While a wrong host stands beside it, the right one may lose its workers and start anew."""
    with _two_hosts(tmp_path) as fleet:
        right, wrong = fleet.hosts
        browser = fleet.signed_in("admin")
        _keys(wrong, NEW)
        wrong.start(wait=False)
        until(lambda: _listens(wrong))
        _gives_way(fleet, 1)
        gone = right.kill_workers()
        right.await_workers(2, without=gone)
        for _ in range(4):
            assert right.ask("/readyz").status == 200
            assert browser.get("/session").status == 200
        right.restart()
        assert browser.get("/session").status == 200
        assert wrong.ask("/readyz").status == 503


@pytest.mark.slow
def test_KY_03_rotation_as_documented_alarms_nobody(tmp_path: Path) -> None:
    """New key as fall-back on every host, then as writer: no alarm, no 503, nobody signed out."""
    with _two_hosts(tmp_path, workers=1) as fleet:
        _keys(fleet.hosts[1], OLD)
        fleet.hosts[1].start()
        browser = fleet.signed_in("admin")
        tickets: list[tuple[Browser, str]] = [(browser, browser.cookies["portico"])]
        for keys in ((OLD, NEW), (NEW, OLD)):
            for number, host in enumerate(fleet.hosts):
                host.stop()
                _keys(host, *keys)
                host.start()
                newcomer = fleet.signed_in("viewer", host=number)
                tickets.append((newcomer, newcomer.cookies["portico"]))
                for known, ticket in tickets:
                    for at in (0, 1):
                        assert fleet.at(known, at).get("/session").status == 200
                    assert known.cookies["portico"] == ticket
        assert fleet.events("keys_differ") == []


@pytest.mark.slow
def test_KY_03_rotation_in_one_step(tmp_path: Path) -> None:
    """Written with by one host before the other can read it, a key costs a 503, no session."""
    with _two_hosts(tmp_path, workers=1) as fleet:
        behind, ahead = fleet.hosts
        old = fleet.signed_in("admin")
        _keys(ahead, NEW, OLD)
        ahead.start()
        new = fleet.signed_in("viewer", host=1)
        ticket = new.cookies["portico"]
        # The host behind believes in the new key when it has seen it come.
        until(lambda: fleet.at(new, 0).get("/session").status == 503, 4 * RENEW_SECONDS)
        for _ in range(4):
            _kept_out(fleet.at(new, 0).get("/session"))
            assert new.get("/session").status == 200
            for at in (0, 1):
                assert fleet.at(old, at).get("/session").status == 200
        assert behind.ask("/readyz").status == ahead.ask("/readyz").status == 200
        assert _alarms(behind)
        assert _alarms(ahead) == []
        behind.stop()
        _keys(behind, NEW, OLD)
        behind.start()
        assert fleet.at(new, 0).get("/session").status == 200
        assert new.cookies["portico"] == ticket

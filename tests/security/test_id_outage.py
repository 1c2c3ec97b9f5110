"""ID-16, ID-18, ID-20: a user pool that is throttled, unreachable or long away, and comes back."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.redis_server import until
from tests.doubles.browser import Browser
from tests.doubles.cognito import Cognito
from tests.doubles.hole import black_hole
from tests.doubles.response import Response
from tests.doubles.server import Server
from tests.doubles.tls import Authority
from tests.doubles.way_out import Leaving, WayOut
from tests.rig import BASE_URL, Rig
from tests.security.outcomes import Watch, living_sessions, restart_link
from webapp.app import create_app
from webapp.breaker import Breaker
from webapp.dialling import Resolver
from webapp.errors import ProviderUnavailable
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import ClientFacts
from webapp.managed_login.metadata import Metadata
from webapp.outbound import Outbound, OutboundFailed, Part, Reply, no_sign_of_life
from webapp.services import build
from webapp.settings import Settings

LIFE = 600
ROW_SECONDS = 5.0
SLACK = 1.5
HEALED_WITHIN = 5.0
RATE = 20
OUTAGE_SECONDS = 300


def _seconds(response: Response) -> int:
    """Retry-After of a BUSY answer."""
    assert response.status == 503, response
    return int(response.header("Retry-After") or 0)


def _arrive(rig: Rig, user: str = "viewer") -> Response:
    browser = rig.browser()
    return browser.finish(
        rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user(user))
    )


def test_ID_16_throttled_sign_in(rig: Rig) -> None:
    """A throttled token endpoint is BUSY for as long as it asks for, and is left alone so long."""
    watch = Watch(rig)
    rig.cognito.issuer.token.answer(429, {"error": "slow_down"}, {"Retry-After": "17"})
    first = _arrive(rig)
    watch.busy(first, token_requests=1)
    assert _seconds(first) == 17
    assert restart_link(first) == "/login?next=/session"
    rig.cognito.heal()
    for _ in range(5):
        assert 10 <= _seconds(_arrive(rig)) <= 17
    assert watch.token_requests == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, {"message": "Rate exceeded"}),
        (429, {"error": "invalid_request"}),
        (400, {"error": "TooManyRequestsException"}),
        (400, {"error": "temporarily_unavailable"}),
    ],
)
def test_ID_16_throttled_in_other_words(rig: Rig, status: int, body: dict[str, str]) -> None:
    """Without a time of its own it is BUSY for our own, no refusal, and the next one asks again."""
    watch = Watch(rig)
    rig.cognito.issuer.token.once.answer(status, body)
    refused = _arrive(rig)
    watch.busy(refused, token_requests=1)
    assert _arrive(rig).status == 303


def test_ID_16_throttled_renewal(rig: Rig) -> None:
    """A throttled renewal of dead tokens keeps the session, which goes on when the time is over."""
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = LIFE
    browser = rig.signed_in("admin")
    rig.clock.advance(LIFE + 5)
    rig.cognito.issuer.token.answer(429, {"error": "slow_down"}, {"Retry-After": "1"})
    watch = Watch(rig)
    page = browser.get("/session")
    watch.busy(page, token_requests=1)
    assert _seconds(page) == 1
    assert living_sessions(rig) == 1
    rig.cognito.heal()
    until(lambda: browser.get("/session").status == 200)
    assert watch.token_requests == 2


def test_ID_16_throttled_identity_pool(rig: Rig) -> None:
    """The identity pool's own time is handed on, and it is not asked again before."""
    browser = rig.signed_in("admin")
    busy = {"__type": "TooManyRequestsException", "message": "Rate exceeded"}
    rig.cognito.pool.get_id.answer(400, busy, {"Retry-After": "6"})
    first = browser.call("test-auth", "user")
    assert _seconds(first) in (5, 6)
    assert 4 <= _seconds(browser.call("test-auth", "user")) <= 6
    assert rig.cognito.pool.get_id.count == 1
    assert browser.get("/session").status == 200


@contextmanager
def _named(rig: Rig, folder: Path, resolver: Resolver) -> Iterator[Browser]:
    """A second application, which has to resolve the pool's name, and a browser at it."""
    environment = rig.cognito.environment(
        BASE_URL,
        SESSION_STORE_URL=f"sqlite:///{folder / 'named.db'}",
        COGNITO_DISCOVERY_URL=rig.settings.discovery_url.replace("127.0.0.1", "localhost"),
        COGNITO_DOMAIN=rig.cognito.issuer.server.origin.replace("127.0.0.1", "localhost"),
    )
    settings = Settings.load(environment)
    services = build(settings, now=rig.clock, outbound=Outbound(resolver=resolver))
    app = create_app(settings, services, now=rig.clock)
    yield Browser.for_app(app, BASE_URL, issuer=rig.cognito.issuer, now=rig.clock)
    for caretaker in services.caretakers:
        caretaker.stop()


def _place(port: int) -> tuple[Any, ...]:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))


@dataclass(eq=False)
class Name:
    """What a resolver says of the pool: an error, nothing at all, or addresses."""

    error: Exception | None = None
    hangs: bool = False
    before: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self.over = threading.Event()

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        if self.hangs:
            self.over.wait(60)
        if self.error:
            raise self.error
        return [_place(one) for one in (*self.before, port)]


@pytest.mark.parametrize("way", ["unknown", "hangs"])
def test_ID_18_name_that_is_not_resolved(rig: Rig, tmp_path: Path, way: str) -> None:
    """A name that cannot be resolved, at once or ever, is BUSY within the deadline, and heals."""
    gone = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    name = Name(hangs=True) if way == "hangs" else Name(error=gone)
    with _named(rig, tmp_path, name) as browser:
        began = time.monotonic()
        assert _seconds(browser.get("/login?next=/session")) > 0
        assert time.monotonic() - began < ROW_SECONDS + SLACK
        assert browser.get("/").status == 200
        name.hangs, name.error = False, None
        name.over.set()
        rig.clock.advance(5)
        until(lambda: browser.get("/login").status == 302)


def test_ID_18_black_hole_before_the_good_address(rig: Rig, tmp_path: Path) -> None:
    """A first address that swallows packets, such as a dead IPv6 route, delays a sign-in little."""
    with black_hole() as hole, _named(rig, tmp_path, Name(before=(hole, hole))) as browser:
        began = time.monotonic()
        issuer = rig.cognito.issuer
        port = issuer.server.port
        pool = browser.start("/session").replace(f"localhost:{port}", f"127.0.0.1:{port}")
        assert browser.finish(issuer.approve(pool, rig.cognito.user("viewer"))).status == 303
        assert time.monotonic() - began < ROW_SECONDS


@pytest.mark.parametrize("fault", ["not ours", "expired", "another host"])
def test_ID_18_tls_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A certificate that does not do is BUSY at once, and the log names the reason."""
    authority = Authority.make(tmp_path)
    if fault != "not ours":
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.ca_file))
    host = "elsewhere.example" if fault == "another host" else "127.0.0.1"
    context: ssl.SSLContext = authority.server(host, expired=fault == "expired")
    with Cognito(new_server=lambda: Server(tls=context)) as cognito:
        settings = Settings.load(
            cognito.environment(BASE_URL, SESSION_STORE_URL=f"sqlite:///{tmp_path / 's.db'}")
        )
        services = build(settings)
        browser = Browser.for_app(create_app(settings, services), BASE_URL)
        began = time.monotonic()
        assert _seconds(browser.get("/login?next=/session")) > 0
        assert time.monotonic() - began < ROW_SECONDS
        assert browser.get("/").status == 200
        for caretaker in services.caretakers:
            caretaker.stop()
        assert cognito.issuer.discovery.count == 0
    assert "SSLCertVerificationError" in capfd.readouterr().err


@pytest.fixture
def people(rig: Rig) -> dict[str, Browser]:
    """Somebody whose tokens live, somebody whose are due, somebody whose are dead."""
    mint = rig.cognito.issuer.mint
    found = {}
    for name, life, user in (("dead", LIFE, "admin"), ("due", 2 * LIFE, "manager")):
        mint.id_lifetime = mint.access_lifetime = life
        found[name] = rig.signed_in(user)
    rig.clock.advance(2 * LIFE - 30)
    mint.id_lifetime = mint.access_lifetime = LIFE
    found["alive"] = rig.signed_in("viewer")
    return found


def test_ID_20_pool_that_is_away(rig: Rig, people: dict[str, Browser]) -> None:
    """Whose tokens live is not disturbed, the others are BUSY; nobody is lost, and all goes on."""
    rig.cognito.issuer.server.stop()
    watch, kept = Watch(rig), living_sessions(rig)
    heard: dict[str, list[tuple[int, float]]] = {name: [] for name in people}
    ends_at = time.monotonic() + 3

    def press(name: str, browser: Browser) -> None:
        while time.monotonic() < ends_at:
            began = time.monotonic()
            status = browser.get("/session").status
            heard[name].append((status, time.monotonic() - began))
            time.sleep(1 / RATE)

    threads = [threading.Thread(target=press, args=one) for one in people.items()]
    for thread in threads:
        thread.start()
    while time.monotonic() < ends_at:
        assert _seconds(_arrive(rig)) > 0
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    for name, status in (("alive", 200), ("due", 200), ("dead", 503)):
        assert {one for one, _ in heard[name]} == {status}, name
        assert sorted(seconds for _, seconds in heard[name])[len(heard[name]) // 2] < 0.5
    assert living_sessions(rig) == kept
    assert watch.events("unforeseen") == []
    rig.cognito.issuer.server.start()
    began = time.monotonic()
    until(lambda: people["dead"].get("/session").status == 200)
    assert time.monotonic() - began < HEALED_WITHIN
    assert rig.signed_in("nobody").me()["email"] == "nobody@example.com"
    assert {name: browser.me()["signed_in"] for name, browser in people.items()} == dict.fromkeys(
        people, True
    )


class Provider:
    """A token endpoint by a clock of its own: away, and then answering every refresh."""

    def __init__(self) -> None:
        self.now = 0.0
        self.away = False
        self.asked = 0

    def answer(self, leaving: Leaving) -> Reply:
        """New tokens, or no sign of life."""
        self.asked += 1
        if self.away:
            raise OutboundFailed("No.", reason="ConnectionRefusedError", silent=True)
        answer: dict[str, object] = {"access_token": "a", "id_token": "i", "token_type": "Bearer"}
        if leaving.url.endswith("configuration"):
            answer = {
                "issuer": "https://pool.example",
                "authorization_endpoint": "https://pool.example/oauth2/authorize",
                "token_endpoint": "https://pool.example/oauth2/token",
                "jwks_uri": "https://pool.example/keys",
            }
        kind = (("Content-Type", "application/json"),)
        return Reply(200, "OK", kind, json.dumps(answer).encode(), cut=False, seconds=0.0)


def test_ID_20_five_minutes_away() -> None:
    """Through 300 s of renewals the pool is asked some eighty times, and found in five seconds."""
    provider = Provider()
    way_out = WayOut(provider.answer)
    breaker = Breaker(no_sign_of_life, clock=lambda: provider.now)
    metadata = Metadata(
        way_out,
        issuer="https://pool.example",
        discovery_url="https://pool.example/.well-known/openid-configuration",
        domain=None,
        now=lambda: provider.now,
    )
    facts = ClientFacts("client", None, "https://a.example/callback", "https://a.example/", (), "")
    login = ManagedLogin(facts, metadata, Part(way_out, breaker))
    login.refresh("token")

    def renewed() -> bool:
        provider.now += 1 / RATE
        try:
            login.refresh("token")
        except ProviderUnavailable:
            return False
        return True

    provider.away, before = True, provider.asked
    assert not any(renewed() for _ in range(OUTAGE_SECONDS * RATE))
    assert OUTAGE_SECONDS / 4 <= provider.asked - before <= OUTAGE_SECONDS / 4 + 10
    provider.away, back_at = False, provider.now
    while not renewed():
        assert provider.now - back_at < HEALED_WITHIN
    assert all(renewed() for _ in range(10 * RATE))


def test_ID_20_pool_that_hangs(rig: Rig, people: dict[str, Browser]) -> None:
    """Whose tokens live waits a second at most for a pool that hangs; what it answers is kept."""
    granted = len(rig.cognito.issuer.grants("refresh_token"))
    with rig.cognito.issuer.token.gate() as gate:
        began = time.monotonic()
        assert people["due"].get("/session").status == 200
        assert time.monotonic() - began < 1 + SLACK
        began = time.monotonic()
        assert [people[name].get("/session").status for name in ("due", "alive")] == [200, 200]
        assert time.monotonic() - began < SLACK
        gate.wait(1)
    until(lambda: _expires_in(people["due"]) > LIFE / 2)
    assert len(rig.cognito.issuer.grants("refresh_token")) == granted + 1


def _expires_in(browser: Browser) -> float:
    return float(browser.me()["seconds_left"]["token"])

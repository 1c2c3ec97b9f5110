"""ID: an identity provider that is down, refuses, changes its mind, or is asked too much."""

import json
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.contract.redis_server import until
from tests.doubles.browser import Browser
from tests.doubles.keys import b64url
from tests.rig import Rig
from tests.security.fleet import Fleet, Host, fleet_of
from tests.security.outcomes import Watch, is_anonymous, living_sessions, restart_link
from webapp.app import create_app
from webapp.managed_login.tokens import TokenRefused, TokenVerifier
from webapp.services import build

LIFE = 600


@pytest.fixture
def browser(rig: Rig) -> Browser:
    """Somebody signed in, with tokens of ten minutes."""
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = LIFE
    return rig.signed_in("admin")


def _due(rig: Rig) -> None:
    rig.clock.advance(LIFE - 30)


def _dead(rig: Rig) -> None:
    rig.clock.advance(LIFE + 5)


def _events(rig: Rig, name: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in rig.log.splitlines()]
    return [line for line in lines if line["event"] == name]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("endpoint", ["token", "jwks"])
def test_ID_01_outage_at_the_callback(rig: Rig, endpoint: str, status: int) -> None:
    """An outage at the callback says that nobody was signed in, and leads back to the page."""
    getattr(rig.cognito.issuer, endpoint).answer(status)
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
    watch = Watch(rig)
    response = browser.finish(callback)
    watch.busy(response, token_requests=1)
    assert restart_link(response) == "/login?next=/session"
    assert "nobody was signed in" in response.page.text
    assert "is kept" not in response.page.text
    assert is_anonymous(rig, browser)
    rig.cognito.heal()
    rig.clock.advance(60)
    assert browser.sign_in(rig.cognito.user("admin"), next="/session").status == 200


def test_ID_01_outage_at_the_start(rig: Rig) -> None:
    """A sign-in that cannot even start keeps the page wanted and speaks of no session."""
    rig.cognito.issuer.server.stop()
    app = create_app(rig.settings, build(rig.settings, now=rig.clock), now=rig.clock)
    response = Browser.for_app(app, rig.base_url).get("/login?next=/session")
    assert response.status == 503
    assert restart_link(response) == "/login?next=/session"
    assert "nobody was signed in" in response.page.text
    assert "is kept" not in response.page.text


def test_ID_05_code_expired(rig: Rig) -> None:
    """A code that the pool no longer takes gives a page with one way on, and no second try."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
    rig.cognito.issuer.pool.codes.clear()
    watch = Watch(rig)
    response = browser.finish(callback)
    assert watch.denied(response, token_requests=1) == "code_refused"
    assert restart_link(response) == "/login?next=/session"
    again = browser.finish(callback)
    assert again.status == 400
    assert watch.token_requests == 1
    assert is_anonymous(rig, browser)


def test_ID_06_client_refused_while_tokens_live(rig: Rig, browser: Browser) -> None:
    """A client secret that was changed at the pool alarms the operator and ends no session."""
    _due(rig)
    rig.cognito.issuer.pool.client.secret = "another-secret"
    assert browser.get("/session").status == 200
    assert browser.me()["email"] == "admin@example.com"
    assert living_sessions(rig) == 1
    alarms = _events(rig, "refresh_failed")
    assert [(one["level"], one["code"], one["alarm"]) for one in alarms] == [
        ("error", "invalid_client", True)
    ]


def test_ID_06_client_refused_with_dead_tokens(rig: Rig, browser: Browser) -> None:
    """With dead tokens the same fault is 503, and the session comes back with the right secret."""
    secret = rig.cognito.issuer.pool.client.secret
    _dead(rig)
    rig.cognito.issuer.pool.client.secret = "another-secret"
    watch = Watch(rig)
    watch.busy(browser.get("/session"), token_requests=1)
    assert watch.events("refused")[0]["level"] == "error"
    rig.cognito.issuer.pool.client.secret = secret
    assert browser.get("/session").status == 200


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_ID_07_refresh_fails_while_tokens_live(rig: Rig, browser: Browser, status: int) -> None:
    """A failing refresh disturbs nobody while the tokens live."""
    _due(rig)
    rig.cognito.issuer.token.answer(status)
    for _ in range(5):
        assert browser.get("/session").status == 200
    assert browser.call("test-auth", "user").json()["status"] == 200
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1  # asked again only after a pause


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_ID_08_refresh_fails_with_dead_tokens(rig: Rig, browser: Browser, status: int) -> None:
    """A failing refresh of dead tokens is 503; the session is kept and recovers by itself."""
    _dead(rig)
    ticket = browser.cookies["portico"]
    rig.cognito.issuer.token.answer(status)
    watch = Watch(rig)
    watch.busy(browser.get("/session"), token_requests=1)
    assert browser.cookies["portico"] == ticket
    assert living_sessions(rig) == 1
    rig.cognito.heal()
    assert browser.get("/session").status == 200
    assert browser.me()["email"] == "admin@example.com"


def test_ID_09_refresh_refused(rig: Rig, browser: Browser) -> None:
    """A revoked refresh token signs out once, says so, and offers the way back to the page."""
    rig.cognito.issuer.pool.revoke_all(rig.cognito.user("admin"))
    _dead(rig)
    response = browser.get("/credentials?tab=2")
    assert response.status == 401
    assert "Cognito ended this session" in response.page.text
    assert restart_link(response) == "/login?next=/credentials%3Ftab%3D2"
    assert living_sessions(rig) == 0
    assert "portico" not in browser.cookies
    assert is_anonymous(rig, browser)
    assert urlsplit(browser.get("/credentials").location).path == "/login"
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1
    landed = browser.sign_in(rig.cognito.user("admin"), next="/credentials?tab=2")
    assert (landed.status, landed.url) == (200, f"{rig.base_url}/credentials?tab=2")


def test_ID_09_refresh_refused_in_json(rig: Rig, browser: Browser) -> None:
    """/me answers the same end as JSON, whatever the client says that it takes."""
    rig.cognito.issuer.pool.revoke_all(rig.cognito.user("admin"))
    _dead(rig)
    response = browser.get("/me", headers={"Accept": "*/*"})
    assert response.status == 401
    assert response.json()["signed_in"] is False


@pytest.mark.parametrize("rotation", [False, True])
def test_ID_10_refresh_token_kept_or_replaced(rig: Rig, browser: Browser, rotation: bool) -> None:
    """A refresh token that is not returned stays; a new one replaces it, at once and for good."""
    rig.cognito.issuer.pool.rotation = rotation
    for _ in range(3):
        _dead(rig)
        assert browser.get("/session").status == 200
    used = [form["refresh_token"] for form in rig.cognito.issuer.grants("refresh_token")]
    assert len(used) == 3
    assert len(set(used)) == (3 if rotation else 1)


def test_ID_10_no_id_token(rig: Rig, browser: Browser) -> None:
    """A refresh without an ID token keeps the claims that were held, and says how old they are."""
    _dead(rig)
    rig.cognito.issuer.token.once.alter(lambda body: body.pop("id_token"))
    response = browser.get("/session")
    assert response.status == 200
    assert "admin@example.com" in response.page.text
    assert "efreshed" in response.page.text or "enewed" in response.page.text
    assert browser.me()["groups"] == ["Admin"]
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1


def test_ID_11_everything_down_at_boot(rig: Rig) -> None:
    """An application born into an outage shows public pages, says why it waits, and heals."""
    rig.cognito.issuer.server.stop()
    app = create_app(rig.settings, build(rig.settings, now=rig.clock), now=rig.clock)
    browser = Browser.for_app(app, rig.base_url, issuer=rig.cognito.issuer, now=rig.clock)
    assert [browser.get(page).status for page in ("/", "/api", "/healthz")] == [200] * 3
    assert browser.me()["signed_in"] is False
    ready = browser.get("/readyz")
    assert ready.status == 503
    assert ready.json()["parts"] == {
        "store": "ok",
        "keys": "ok",
        "discovery": "provider_unavailable",
        "signing_keys": "provider_unavailable",
    }
    refused = browser.get("/login?next=/session")
    assert refused.status == 503
    assert int(refused.header("Retry-After") or 0) > 0
    rig.cognito.issuer.server.start()
    rig.clock.advance(5)
    assert browser.get("/readyz").status == 200
    browser.sign_in(rig.cognito.user("admin"))
    assert browser.me()["email"] == "admin@example.com"


def test_ID_15_thousand_forged_tokens(rig: Rig) -> None:
    """A thousand tokens with made-up key ids cost one fetch of the key set in five minutes."""
    rig.signed_in("admin")
    token = rig.cognito.issuer.mint.id_token.minted[-1]
    verifier = TokenVerifier(
        rig.services.signing_keys, rig.settings.issuer, rig.settings.cognito_client_id, rig.clock
    )
    fetched = rig.cognito.issuer.jwks.count
    began = time.perf_counter()
    for number in range(1000):
        with pytest.raises(TokenRefused):
            verifier.id_token(_with_kid(token, f"made-up-{number}"))
    assert time.perf_counter() - began < 10
    assert rig.cognito.issuer.jwks.count == fetched + 1
    rig.clock.advance(301)
    with pytest.raises(TokenRefused):
        verifier.id_token(_with_kid(token, "made-up"))
    assert rig.cognito.issuer.jwks.count == fetched + 2


def _with_kid(token: str, kid: str) -> str:
    _, claims, signature = token.split(".")
    header = b64url(json.dumps({"alg": "RS256", "kid": kid}).encode())
    return f"{header}.{claims}.{signature}"


@pytest.mark.parametrize("cache_fails", [False, True])
def test_ID_15_storm_of_callbacks(rig: Rig, cache_fails: bool) -> None:
    """Sign-ins with unknown keys are denied at little cost, and honest ones go on beside them."""
    rig.signed_in("viewer")
    fetched = rig.cognito.issuer.jwks.count
    if cache_fails:
        rig.cognito.issuer.jwks.answer(500)
    rig.cognito.issuer.mint.id_token(lambda header, _: header.update(kid="made-up"), times=10)
    for _ in range(10):
        forger = rig.browser()
        watch = Watch(rig)
        callback = rig.cognito.issuer.approve(forger.start(), rig.cognito.user("admin"))
        assert watch.denied(forger.finish(callback), token_requests=1) == "token_refused"
    assert rig.cognito.issuer.jwks.count == fetched + 1
    assert rig.signed_in("manager").me()["email"] == "manager@example.com"


ERRORS = {
    "access_denied": (400, "declined"),
    "login_required": (400, "login_required"),
    "interaction_required": (400, "login_required"),
    "consent_required": (400, "login_required"),
    "account_selection_required": (400, "login_required"),
    "invalid_request": (400, "provider_refused"),
    "invalid_scope": (400, "provider_refused"),
    "unauthorized_client": (400, "provider_refused"),
    "unsupported_response_type": (400, "provider_refused"),
    "server_error": (502, "provider_fault"),
    "temporarily_unavailable": (503, "provider_busy"),
    "something_new": (400, "provider_failed"),
    "<script>": (400, "provider_failed"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_ID_17_error_codes(rig: Rig, error: str) -> None:
    """Each error of the authorize endpoint has its page and status; its own words are not shown."""
    status, code = ERRORS[error]
    browser = rig.browser()
    callback = rig.cognito.issuer.decline(browser.start("/session"), error, "Words <of> theirs")
    watch = Watch(rig)
    response = browser.finish(callback)
    assert response.status == status
    refusal = watch.events("refused")[0]
    assert refusal["code"] == code
    assert "Words" not in response.text
    assert "<script>" not in response.text
    assert restart_link(response) == "/login?next=/session"
    assert watch.token_requests == 0
    watch.no_session(response)
    if status == 503:
        assert int(response.header("Retry-After") or 0) > 0


def test_ID_19_half_an_hour_at_the_pool(rig: Rig) -> None:
    """Whoever comes back after 30 minutes is told that it took too long; one click starts again."""
    browser = rig.browser()
    location = browser.start("/session?tab=2")
    rig.clock.advance(30 * 60)
    callback = rig.cognito.issuer.approve(location, rig.cognito.user("admin"))
    watch = Watch(rig)
    response = browser.finish(callback)
    assert watch.denied(response, token_requests=0) == "too_late"
    assert "took longer than fifteen minutes" in response.page.text
    link = restart_link(response)
    assert link == "/login?next=/session%3Ftab%3D2"
    again = browser.get(link, site="same-origin").location
    landed = browser.finish(rig.cognito.issuer.approve(again, rig.cognito.user("admin")))
    assert (landed.status, landed.location) == (303, f"{rig.base_url}/session?tab=2")
    assert browser.me()["email"] == "admin@example.com"


def test_ID_19_signed_in_meanwhile(rig: Rig) -> None:
    """A callback of half an hour ago harms nobody who signed in meanwhile: it leads to the page."""
    browser = rig.browser()
    location = browser.start("/session")
    rig.clock.advance(25 * 60)
    browser.sign_in(rig.cognito.user("viewer"))
    rig.clock.advance(5 * 60)
    watch = Watch(rig)
    late = browser.finish(rig.cognito.issuer.approve(location, rig.cognito.user("admin")))
    assert late.status == 303
    assert urlsplit(late.location).netloc == urlsplit(rig.base_url).netloc
    assert watch.token_requests == 0
    assert browser.me()["email"] == "viewer@example.com"


def _answers(host: Host, target: str) -> bool:
    with suppress(OSError):
        return host.ask(target).status == 200
    return False


def _signs_in(fleet: Fleet) -> bool:
    with suppress(AssertionError):
        return fleet.signed_in("admin").me()["signed_in"] is True
    return False


@pytest.mark.slow
def test_ID_11_server_started_into_an_outage(tmp_path: Path) -> None:
    """A real server that starts while the pool is down serves, says so, and heals by itself."""
    with fleet_of(tmp_path, hosts=1, workers=2, start=False) as fleet:
        (host,) = fleet.hosts
        fleet.cognito.issuer.server.stop()
        host.start(wait=False)
        until(lambda: _answers(host, "/healthz"))
        ready = host.ask("/readyz")
        assert ready.status == 503
        parts = json.loads(ready.body)["parts"]
        assert (parts["store"], parts["discovery"]) == ("ok", "provider_unavailable")
        assert fleet.browser().get("/").status == 200
        assert fleet.browser().get("/login?next=/session").status == 503
        pids = host.await_workers(2)
        fleet.cognito.issuer.server.start()
        until(lambda: _answers(host, "/readyz"))
        # Each worker asks for itself, after a pause of a second or two.
        until(lambda: all(_signs_in(fleet) for _ in range(6)))
        assert host.workers == pids  # nobody was started anew

"""TK-01 and TK-17 to TK-21: the pool as it should be, turning its keys, and not itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import forge
from tests.doubles.browser import Browser
from tests.doubles.evil import EvilHost
from tests.doubles.keys import compact
from tests.doubles.response import Response
from tests.rig import Rig, rigged
from tests.security.outcomes import Watch, is_anonymous, living_sessions, query_of
from tests.security.signing_in import assert_accepted, assert_refused
from webapp.managed_login.metadata import REFUSED_RETRY_SECONDS

TOKEN_LIFE = 600


def test_TK_01_client_test(tmp_path: Path) -> None:
    """A public client signs in: one token request, named by its client id and nothing secret."""
    with rigged(tmp_path) as rig:
        assert_accepted(rig)
        (request,) = rig.cognito.issuer.token.requests
        form = request.form()
        assert form["client_id"] == rig.settings.cognito_client_id
        assert "client_secret" not in form
        assert request.header("Authorization") is None


def test_TK_01_client_secret_basic(rig: Rig) -> None:
    """A confidential client proves itself by Basic alone; the secret is nowhere else."""
    browser = assert_accepted(rig)
    (request,) = rig.cognito.issuer.token.requests
    assert (request.header("Authorization") or "").startswith("Basic ")
    assert "client_secret" not in request.form()
    secret = rig.settings.cognito_client_secret or ""
    assert secret
    seen = rig.log + "".join(f"{r.url}{r.headers}{r.text}" for r in browser.responses)
    assert secret not in seen


def test_TK_01_scopes_and_userinfo(rig: Rig) -> None:
    """The configured scopes are asked for, and userInfo's claims come with the access token."""
    browser = rig.browser()
    scope = query_of(browser.start())["scope"]
    assert scope.split("+") == list(rig.settings.cognito_scopes)
    browser.sign_in(rig.cognito.user("admin"))
    assert _ask_userinfo(browser).status == 303
    assert rig.cognito.issuer.user_info.count == 1
    assert rig.cognito.issuer.user_info.last.query == ""
    assert "admin@example.com" in browser.get("/session").page.text


def test_TK_17_keys_rotated_after_a_sign_in(rig: Rig) -> None:
    """After the pool changed its keys the next sign-in works, at the price of one fetch."""
    assert_accepted(rig)
    asked = rig.cognito.issuer.jwks.count
    rig.cognito.issuer.pool.rotate_keys()
    assert_accepted(rig)
    assert_accepted(rig)
    assert rig.cognito.issuer.jwks.count == asked + 1


def test_TK_17_keys_rotated_just_before_signing(rig: Rig) -> None:
    """Keys that change between the browser's return and the token's signature cost one fetch."""
    assert_accepted(rig)
    asked = rig.cognito.issuer.jwks.count
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    rig.cognito.issuer.pool.rotate_keys()
    assert browser.finish(callback).status == 303
    assert rig.cognito.issuer.jwks.count == asked + 1


def test_TK_17_keys_rotated_before_a_refresh(rig: Rig) -> None:
    """A refreshed token under new keys is taken after one fetch; the session lives on."""
    browser = _with_old_tokens(rig)
    asked = rig.cognito.issuer.jwks.count
    rig.cognito.issuer.pool.rotate_keys()
    assert browser.me()["email"] == "admin@example.com"
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1
    assert rig.cognito.issuer.jwks.count == asked + 1


def test_TK_17_made_up_key_ids_cause_one_fetch(rig: Rig) -> None:
    """Key ids that nobody has are refused, at one fetch for all of them; true ones still work."""
    assert_accepted(rig)
    asked = rig.cognito.issuer.jwks.count
    for number in range(20):
        rig.cognito.issuer.mint.id_token.write(forge.with_header(kid=f"made-up-{number}"), times=1)
        assert_refused(rig, "kid")
    assert rig.cognito.issuer.jwks.count == asked + 1
    assert_accepted(rig)


@pytest.mark.parametrize("subject", ["somebody-else", ["list"], None, "", 7], ids=repr)
def test_TK_18_userinfo_of_somebody_else(rig: Rig, subject: object) -> None:
    """An answer of userInfo about another subject is not believed: session ended, alarm, 401."""
    browser = rig.signed_in("admin")
    if subject == ["list"]:
        me = browser.me()["sub"]
        rig.cognito.issuer.user_info.alter(lambda body: body.update(sub=[me], name="Mallory"))
    else:
        rig.cognito.issuer.user_info.alter(lambda body: body.update(sub=subject, name="Mallory"))
    form = {"csrf_token": browser.csrf()}
    watch = Watch(rig)
    response = browser.post("/session/userinfo", form)
    _ended_with_alarm(rig, watch, response, "userinfo_subject")
    assert "Mallory" not in response.text + rig.log
    assert is_anonymous(rig, browser)


def test_TK_18_userinfo_signed_unexpectedly(rig: Rig) -> None:
    """A signed answer of userInfo, which nobody asked for, is not read; the session stays."""
    browser = rig.signed_in("admin")
    pool = rig.cognito.issuer.pool
    claims = {"sub": browser.me()["sub"], "name": "Mallory"}
    header = {"alg": "RS256", "kid": pool.id_key.kid}
    signed = compact(header, json.dumps(claims).encode(), pool.id_key)
    for kind in ("application/jwt", "application/json"):
        rig.cognito.issuer.user_info.answer(200, signed, {"Content-Type": kind})
        watch = Watch(rig)
        response = _ask_userinfo(browser)
        watch.busy(response, token_requests=0)
        assert "Mallory" not in browser.get("/session").text
    assert browser.me()["email"] == "admin@example.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [("iss", "https://evil.example"), ("sub", "somebody-else"), ("aud", "another-client")],
)
def test_TK_19_refresh_changes_the_person(rig: Rig, name: str, value: str) -> None:
    """A refreshed ID token with another iss, sub or aud ends the session once, with an alarm."""
    browser = _with_old_tokens(rig)
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update({name: value}))
    watch = Watch(rig)
    response = browser.get("/session?x=1%262")
    refusal = _ended_with_alarm(rig, watch, response, "refresh_changed")
    assert refusal["check"] == name
    assert value not in response.text + rig.log
    assert is_anonymous(rig, browser)
    assert browser.get("/session").status == 303
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1


def test_TK_19_refreshed_access_token_of_somebody_else(rig: Rig) -> None:
    """A refreshed access token of another person ends the session as well."""
    browser = _with_old_tokens(rig)
    rig.cognito.issuer.mint.access_token(lambda _, claims: claims.update(sub="somebody-else"))
    watch = Watch(rig)
    _ended_with_alarm(rig, watch, browser.get("/session"), "refresh_changed")


def test_TK_20_discovery_of_another_issuer(rig: Rig) -> None:
    """A discovery document of any other issuer is not used: nobody is sent anywhere."""
    ours = rig.cognito.issuer.issuer
    strangers = ("https://evil.example", f"{ours}/", f"{ours}0", ours[:-1], "", None, 7, [ours])
    for stranger in strangers:
        _document(rig, "issuer", stranger)
        _refuses_to_use_it(rig)


@pytest.mark.parametrize(
    "name",
    [
        *("token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri"),
        *("end_session_endpoint", "authorization_endpoint"),
    ],
)
def test_TK_20_foreign_endpoint(rig: Rig, name: str) -> None:
    """A discovery document that names a foreign or odd endpoint is not used."""
    with EvilHost() as evil:
        own = rig.cognito.issuer.server.origin
        odd = ("http://evil.example/x", "//evil.example/x", "", 7, [own], f"{own}@evil.example/x")
        for address in (f"{evil.origin}/x", *odd, f"{own}/x\r\nX: y", f"{own}/x#y", "file:///etc"):
            _document(rig, name, address)
            _refuses_to_use_it(rig)
        evil.assert_untouched()


def test_TK_20_recovers(rig: Rig) -> None:
    """A refused discovery document is asked for again later: a true one heals by itself."""
    _document(rig, "issuer", "https://evil.example")
    _refuses_to_use_it(rig)
    rig.cognito.heal()
    rig.clock.advance(REFUSED_RETRY_SECONDS + 1)
    assert_accepted(rig)


@pytest.mark.parametrize("skew", [-30, 30])
def test_TK_21_small_skew(rig: Rig, skew: int) -> None:
    """A pool whose clock is half a minute off is believed."""
    rig.cognito.issuer.pool.now = lambda: rig.clock() + skew
    assert_accepted(rig)


@pytest.mark.parametrize("skew", [-600, 600])
@pytest.mark.parametrize("life", [300, 3600])
def test_TK_21_large_skew(rig: Rig, skew: int, life: int) -> None:
    """A pool whose clock is ten minutes off is refused, and the log says by how many seconds."""
    rig.cognito.issuer.pool.now = lambda: rig.clock() + skew
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = life
    watch = assert_refused(rig, "exp" if skew + life < 0 else "iat")
    assert abs(watch.events("refused")[0]["skew_seconds"] - skew) <= 2


def _with_old_tokens(rig: Rig) -> Browser:
    """Somebody signed in whose tokens are about to end."""
    mint = rig.cognito.issuer.mint
    mint.id_lifetime = mint.access_lifetime = TOKEN_LIFE
    browser = rig.signed_in("admin")
    rig.clock.advance(TOKEN_LIFE - 20)
    return browser


def _ended_with_alarm(rig: Rig, watch: Watch, response: Response, code: str) -> dict[str, Any]:
    """The session is gone, record and cookie; a page says so; operators are alarmed, once."""
    assert response.status == 401, response
    (refusal,) = watch.events("refused")
    assert (refusal["level"], refusal["code"]) == ("error", code)
    assert refusal["request_id"] in response.page.text
    assert living_sessions(rig) == 0
    (expired,) = response.header_values("Set-Cookie")
    assert "Max-Age=0" in expired
    return refusal


def _ask_userinfo(browser: Browser) -> Response:
    return browser.post("/session/userinfo", {"csrf_token": browser.csrf()})


def _document(rig: Rig, name: str, value: object) -> None:
    rig.cognito.issuer.discovery.alter(lambda body: body.update({name: value}))


def _refuses_to_use_it(rig: Rig) -> None:
    rig.clock.advance(REFUSED_RETRY_SECONDS + 1)  # so that the document is read anew
    asked = rig.cognito.issuer.discovery.count
    browser = rig.browser()
    response = browser.get("/login", site="same-origin")
    assert response.status == 503, response
    assert response.header("Location") is None
    assert response.header_values("Set-Cookie") == []
    ready = browser.get("/readyz")
    assert ready.status == 503
    assert rig.cognito.issuer.discovery.count == asked + 1
    assert rig.cognito.issuer.token.count == 0
    assert rig.cognito.issuer.jwks.count == 0
    assert "discovery_refused" in rig.log

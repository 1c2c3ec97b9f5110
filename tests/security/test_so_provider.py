"""SO: a sign-out tells Cognito, within a bound of time, and says what it could not end."""

import time

import pytest

from tests.doubles.browser import Browser
from tests.doubles.faults import aws_error
from tests.doubles.message import Answer, Request
from tests.rig import Rig
from tests.security.outcomes import is_anonymous, living_sessions
from tests.security.signing_in import arrive
from webapp.app import create_app
from webapp.services import build

LIMIT = 2.0
WAIT = 10.0


def _family_ends(rig: Rig) -> None:
    """Let a revocation end one refresh token alone, as after a rotation without a grace."""

    def revoke(request: Request, _: object) -> Answer:
        rig.cognito.issuer.pool.refresh_tokens.pop(request.form()["token"], None)
        return Answer(200)

    rig.cognito.issuer.revoke.program(revoke)


def _no_scope(rig: Rig) -> None:
    refusal = aws_error("NotAuthorizedException", "Access Token does not have required scopes")
    rig.cognito.issuer.global_sign_out.program(lambda _request, _behave: refusal)


@pytest.mark.parametrize("depth", ["cognito", "everywhere", "switch"])
def test_SO_04_provider_hangs(rig: Rig, depth: str) -> None:
    """A pool that never answers holds a sign-out for less than two seconds; it is told later."""
    browser = rig.signed_in("admin")
    form = {"csrf_token": browser.csrf(), "depth": depth}
    issuer = rig.cognito.issuer
    for endpoint in (issuer.revoke, issuer.global_sign_out, issuer.token, issuer.discovery):
        endpoint.hang()
    began = time.monotonic()
    response = browser.post("/logout", form)
    assert time.monotonic() - began < LIMIT
    assert response.status == 303
    assert living_sessions(rig) == 0
    pending = "everywhere" if depth == "everywhere" else "revoke"
    assert f'"part": "{pending}"' in rig.log
    told = issuer.global_sign_out if depth == "everywhere" else issuer.revoke
    before = told.count
    rig.cognito.heal()
    told.wait_for(before + 1, timeout=WAIT)
    assert is_anonymous(rig, browser)


def test_SO_04_addresses_not_known_and_discovery_hangs(rig: Rig) -> None:
    """A worker that knows no address of Cognito's signs out in two seconds all the same."""
    browser = rig.signed_in("admin")
    token = browser.csrf()
    rig.cognito.issuer.discovery.hang()
    fresh = Browser.for_app(
        create_app(rig.settings, build(rig.settings, now=rig.clock), now=rig.clock), rig.base_url
    )
    fresh.cookies = browser.cookies
    began = time.monotonic()
    response = fresh.post("/logout", {"csrf_token": token})
    assert time.monotonic() - began < LIMIT
    assert (response.status, response.location) == (303, f"{rig.base_url}/")
    assert living_sessions(rig) == 0
    assert "Cognito's own sign-in may still be alive" in fresh.get("/").page.text
    rig.cognito.heal()


def test_SO_04_replaced_session(rig: Rig) -> None:
    """A second sign-in in the same browser does not wait for the first one's revocation either."""
    browser = rig.signed_in("admin")
    rig.cognito.issuer.revoke.hang()
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("viewer"))
    began = time.monotonic()
    response = browser.finish(callback)
    assert time.monotonic() - began < LIMIT
    assert response.status == 303
    assert browser.me()["email"] == "viewer@example.com"
    assert living_sessions(rig) == 1
    rig.cognito.heal()
    rig.cognito.issuer.revoke.wait_for(2, timeout=WAIT)


def test_SO_11_everywhere_without_the_scope(rig: Rig) -> None:
    """When GlobalSignOut is refused, the refresh token that was won on the way is revoked, too."""
    rig.cognito.issuer.pool.rotation = True
    browser = rig.signed_in("admin")
    _no_scope(rig)
    _family_ends(rig)
    response = browser.sign_out("everywhere")
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1
    newest = list(rig.cognito.issuer.pool.refresh_tokens)
    alive = [
        token
        for token in newest
        if rig.cognito.issuer.pool.refresh_tokens[token].dies_at > rig.clock()
    ]
    assert alive == []
    assert response.status == 303
    home = browser.get(rig.cognito.issuer.leave(response.location), site="cross-site")
    assert "other applications may still know you" in home.page.text
    assert '"part": "elsewhere"' in rig.log


def test_SO_11_everywhere_with_dead_tokens(rig: Rig) -> None:
    """A dead access token is renewed to sign out everywhere, and nothing is left to say."""
    rig.cognito.issuer.pool.rotation = True
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = 300
    browser = rig.signed_in("admin")
    form = {"csrf_token": browser.csrf(), "depth": "everywhere"}
    rig.clock.advance(400)
    assert browser.post("/logout", form).status == 303
    assert rig.cognito.issuer.global_sign_out.count == 2
    assert all(occasion.revoked for occasion in rig.cognito.issuer.pool.occasions)
    assert "sign_out_pending" not in rig.log


@pytest.mark.parametrize("flaw", ["nonce", "keys"])
def test_SO_11_tokens_that_nobody_will_hold(rig: Rig, flaw: str) -> None:
    """A sign-in whose tokens are refused, or cannot be checked, leaves no living refresh token."""
    if flaw == "nonce":
        rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update(nonce="other"))
    else:
        rig.cognito.issuer.jwks.answer(503)
    response = arrive(rig)
    assert response.status == (400 if flaw == "nonce" else 503)
    rig.cognito.issuer.revoke.wait_for(1, timeout=WAIT)
    (token,) = rig.cognito.issuer.pool.refresh_tokens
    assert rig.cognito.issuer.revoke.last.form()["token"] == token
    assert living_sessions(rig) == 0

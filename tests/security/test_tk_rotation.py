"""TK-17, TK-19, ID-14: keys that change under load, and what a refresh may not cost."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.doubles import forge
from tests.doubles.browser import Browser
from tests.rig import Rig

CROWD = 8


def test_ID_14_keys_rotated_while_many_sign_in(rig: Rig) -> None:
    """Eight callbacks that meet new keys at one moment all succeed, at one fetch of the keys."""
    rig.signed_in("admin")
    issuer = rig.cognito.issuer
    browsers = [rig.browser() for _ in range(CROWD)]
    callbacks = [
        issuer.approve(browser.start(), rig.cognito.user("viewer")) for browser in browsers
    ]
    issuer.pool.rotate_keys()
    asked = issuer.jwks.count
    with issuer.jwks.gate() as gate, ThreadPoolExecutor(CROWD) as pool:
        landed = [
            pool.submit(browser.finish, callback)
            for browser, callback in zip(browsers, callbacks, strict=True)
        ]
        issuer.token.wait_for(1 + CROWD)
        gate.wait(1)
        gate.open()
        statuses = [one.result(20).status for one in landed]
    assert statuses == [303] * CROWD
    assert issuer.jwks.count == asked + 1


def _let_tokens_die(rig: Rig, browser: Browser) -> None:
    """An hour in steps, so that the session itself does not go idle."""
    for seconds in (1500, 1500, 601):
        assert browser.get("/me").status == 200
        rig.clock.advance(seconds)


@pytest.mark.parametrize(
    ("token", "why"), [("id", "kid"), ("id", "iat"), ("access", "kid")], ids=str
)
def test_TK_19_a_fault_of_the_pool_ends_no_session(rig: Rig, token: str, why: str) -> None:
    """A key not published yet or a clock that runs ahead costs a wait, never the session."""
    browser = rig.signed_in("admin")
    issuer = rig.cognito.issuer
    issuer.pool.rotation = True
    mint = issuer.mint.id_token if token == "id" else issuer.mint.access_token
    if why == "kid":
        mint.write(forge.with_header(kid="not-published-yet"), times=1)
    else:
        mint(lambda _, claims: claims.update(iat=claims["iat"] + 600), times=1)
    _let_tokens_die(rig, browser)
    response = browser.get("/session")
    assert response.status == 503
    assert response.header("Retry-After")
    rig.clock.advance(10)
    assert browser.me()["email"] == "admin@example.com"
    # The refresh token that came with the unusable answer was kept: it is the one used now.
    used = [grant["refresh_token"] for grant in issuer.grants("refresh_token")]
    assert len(set(used)) == 2


@pytest.mark.parametrize("claim", ["iss", "sub", "aud"])
def test_TK_19_another_identity_ends_it(rig: Rig, claim: str) -> None:
    """A refreshed ID token of another issuer, person or client ends the session at once."""
    browser = rig.signed_in("admin")
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update({claim: "other"}), times=1)
    _let_tokens_die(rig, browser)
    assert browser.get("/session").status == 401
    assert browser.get("/me").status == 401

"""SE-07: a session ends with its refresh token. Nobody tells when that is but the token endpoint.

Cognito does not say how long a refresh token lives, so the end is seen at the first refresh after
it: at most one token's life later, in which no new token is had.
"""

import pytest

from tests.doubles.browser import Browser
from tests.rig import Rig
from tests.security.outcomes import is_anonymous, living_sessions

TICKET = "portico"
TOKEN, REFRESH, STEP = 600, 3600, 120


@pytest.mark.parametrize("rotation", [False, True])
def test_SE_07_ends_with_the_refresh_token(rig: Rig, rotation: bool) -> None:
    """Used every other minute, it lives while it can be renewed, ends once, and stays ended."""
    pool = rig.cognito.issuer.pool
    pool.rotation, pool.refresh_lifetime = rotation, REFRESH
    pool.mint.id_lifetime = pool.mint.access_lifetime = TOKEN
    browser = rig.signed_in("admin")
    thief, lived = browser.twin(), 0
    while (page := browser.get("/session")).status == 200:
        thief.cookies = browser.cookies.copy()
        rig.clock.advance(STEP)
        lived += STEP
        assert lived <= REFRESH + TOKEN
    assert REFRESH <= lived <= REFRESH + TOKEN
    assert page.status == 401
    assert ended_once(rig, browser)
    assert is_anonymous(rig, thief)
    grants = rig.cognito.issuer.grants("refresh_token")
    assert REFRESH // TOKEN <= len(grants) <= REFRESH // (TOKEN // 2)
    assert browser.sign_in(rig.cognito.user("admin"), next="/session").status == 200
    assert len(rig.cognito.issuer.grants("refresh_token")) == len(grants)


def test_SE_07_without_a_refresh_token(rig: Rig) -> None:
    """Where the pool gives none, the session ends with its tokens."""
    mint = rig.cognito.issuer.mint
    mint.id_lifetime = mint.access_lifetime = TOKEN
    rig.cognito.issuer.token.alter(lambda body: body.pop("refresh_token"))
    browser = rig.signed_in("admin")
    rig.clock.advance(TOKEN // 2)
    assert browser.get("/session").status == 200
    rig.clock.advance(TOKEN // 2 + 1)
    assert browser.get("/session").status == 401
    assert ended_once(rig, browser)
    assert rig.cognito.issuer.grants("refresh_token") == []


def test_SE_07_a_longer_idle_time_does_not_help(rig: Rig) -> None:
    """Who was away while the refresh token ended comes back to one sign-in, keys and all gone."""
    pool = rig.cognito.issuer.pool
    pool.refresh_lifetime = 900
    pool.mint.id_lifetime = pool.mint.access_lifetime = TOKEN
    browser = rig.signed_in("admin")
    assert browser.get("/credentials").status == 200
    rig.clock.advance(901)
    called = browser.post(
        "/api/call", {"csrf_token": "x", "endpoint": "vip", "identity": "user"}, json=True
    )
    assert called.status in (401, 403)
    assert browser.get("/session").status in (303, 401)
    assert not browser.me()["signed_in"]
    assert living_sessions(rig) == 0
    assert rig.cognito.api["vip"].count == 0


def ended_once(rig: Rig, browser: Browser) -> bool:
    """Whether the cookie and the record are gone and every further page leads to the sign-in."""
    assert TICKET not in browser.cookies
    assert living_sessions(rig) == 0
    pages = [browser.get("/session") for _ in range(3)]
    return all(page.status == 303 and "/login?next=" in page.location for page in pages)

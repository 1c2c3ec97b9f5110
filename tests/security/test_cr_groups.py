"""CR-11: whoever is moved to other groups has the other role when the tokens are renewed."""

import pytest

from tests.doubles.browser import Browser
from tests.doubles.users import ADMIN_ROLE, AUTHENTICATED_ROLE, VIEWER_ROLE
from tests.rig import Rig

LIFE = 600
"""Of tokens, in seconds; a set of AWS keys lives an hour, so only tokens can bring the change."""
STEP = 20


@pytest.fixture
def browser(rig: Rig) -> Browser:
    """An administrator who calls the API, with tokens of ten minutes."""
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = LIFE
    browser = rig.signed_in("admin")
    assert browser.call("vip", "user").json()["status"] == 200
    return browser


def _move(rig: Rig, group: str | None, role: str | None) -> None:
    admin = rig.cognito.user("admin")
    admin.groups = [group] if group else []
    admin.roles, admin.preferred_role = ([role] if role else []), role


def _role(browser: Browser) -> str:
    answer = browser.call("whoami", "user").json()
    assert answer["status"] == 200
    return str(answer["body"]["caller"]["role"])


MOVES = [
    pytest.param("Viewer", VIEWER_ROLE, VIEWER_ROLE, id="changed"),
    pytest.param(None, None, AUTHENTICATED_ROLE, id="removed"),
]


@pytest.mark.parametrize(("group", "role", "becomes"), MOVES)
def test_CR_11_bound(
    rig: Rig, browser: Browser, group: str | None, role: str | None, becomes: str
) -> None:
    """Of a busy person the old role is gone within the life of a token, for good, and no later."""
    ticket = browser.cookies["portico"]
    _move(rig, group, role)
    moved_at, last = rig.clock(), 0.0
    for _ in range(2 * LIFE // STEP):
        rig.clock.advance(STEP)
        status = browser.call("vip", "user").json()["status"]
        assert status in (200, 403)
        if status == 200:
            last = rig.clock() - moved_at
    assert 0 < last <= LIFE
    assert _role(browser) == becomes
    assert browser.me()["groups"] == ([group] if group else [])
    assert browser.me()["role"] == role
    assert browser.cookies["portico"] != ticket  # other rights, another ticket (SE-17)
    roles = _roles(rig, 0)
    turn = roles.index(becomes)
    assert set(roles[:turn]) == {ADMIN_ROLE}
    assert set(roles[turn:]) == {becomes}


def _roles(rig: Rig, since: int) -> list[str]:
    """With whose keys the calls of the API were signed, in order."""
    verdicts = [call.verdict for call in rig.cognito.api.calls[since:]]
    return [one.keys.role_arn for one in verdicts if one and one.keys]


@pytest.mark.parametrize(("group", "role", "becomes"), MOVES)
def test_CR_11_after_a_pause(
    rig: Rig, browser: Browser, group: str | None, role: str | None, becomes: str
) -> None:
    """Whoever comes back after a token's life has the new role, though the old keys still live."""
    _move(rig, group, role)
    rig.clock.advance(LIFE + 1)
    before = len(rig.cognito.api.calls)
    assert browser.call("vip", "user").json()["status"] == 403
    assert _role(browser) == becomes
    assert set(_roles(rig, before)) == {becomes}
    old = [keys for keys in rig.cognito.vault.issued if keys.role_arn == ADMIN_ROLE]
    assert all(keys.expires_at > rig.clock() for keys in old)


def test_CR_11_at_once_when_asked_for(rig: Rig, browser: Browser) -> None:
    """A person who renews by hand has the new role with the next call."""
    _move(rig, "Viewer", VIEWER_ROLE)
    assert _role(browser) == ADMIN_ROLE
    browser.post("/session/refresh", {"csrf_token": browser.csrf()})
    assert _role(browser) == VIEWER_ROLE


def test_CR_11_promoted(rig: Rig) -> None:
    """It goes up the same way: with the renewed tokens the call that was refused is answered."""
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = LIFE
    browser = rig.signed_in("viewer")
    assert browser.call("vip", "user").json()["status"] == 403
    viewer = rig.cognito.user("viewer")
    viewer.groups, viewer.roles, viewer.preferred_role = ["Admin"], [ADMIN_ROLE], ADMIN_ROLE
    rig.clock.advance(LIFE + 1)
    assert browser.call("vip", "user").json()["status"] == 200


def test_CR_11_no_old_role_through_an_outage(rig: Rig, browser: Browser) -> None:
    """A pool that is down when the tokens end lends the old role no time: the call is not made."""
    _move(rig, None, None)
    form = {"csrf_token": browser.csrf(), "endpoint": "vip", "identity": "user"}
    rig.cognito.issuer.token.answer(503)
    rig.clock.advance(LIFE + 1)
    calls = len(rig.cognito.api.calls)
    assert browser.post("/api/call", form, json=True).status == 503
    assert len(rig.cognito.api.calls) == calls
    rig.cognito.heal()
    rig.clock.advance(60)
    assert _role(browser) == AUTHENTICATED_ROLE

"""CC and SE-17: tabs and requests that meet, over the whole application."""

import random
from functools import partial
from urllib.parse import urlsplit

import pytest

from tests.doubles.browser import Browser
from tests.doubles.response import Response
from tests.race import at_once
from tests.rig import Rig
from tests.security.outcomes import Watch, is_anonymous, living_sessions

LIFE = 600


@pytest.fixture
def browser(rig: Rig) -> Browser:
    """Somebody signed in, with tokens of ten minutes and rotation of refresh tokens."""
    rig.cognito.issuer.pool.rotation = True
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = LIFE
    return rig.signed_in("viewer")


def _revoked(rig: Rig) -> list[str]:
    return [request.form()["token"] for request in rig.cognito.issuer.revoke.requests]


@pytest.mark.parametrize("regrouped", [False, True])
@pytest.mark.parametrize("depth", ["app", "cognito", "everywhere"])
def test_CC_05_sign_out_while_the_pool_answers_a_refresh(
    rig: Rig, browser: Browser, depth: str, regrouped: bool
) -> None:
    """A sign-out while a refresh is under way wins, and the token that arrives late is revoked."""
    form = {"csrf_token": browser.csrf(), "depth": depth}
    tab = browser.twin()
    if regrouped:
        rig.cognito.user("viewer").groups = ["Manager"]
    rig.clock.advance(LIFE + 5)
    with rig.cognito.issuer.token.once.gate(hold="answer") as gate:

        def leave() -> Response:
            gate.wait(1)
            response = browser.post("/logout", form)
            gate.open()
            return response

        refreshed, left = at_once(partial(tab.get, "/session"), leave)
    assert isinstance(refreshed, Response), refreshed
    assert isinstance(left, Response), left
    assert left.status == 303
    assert refreshed.status == 401
    assert living_sessions(rig) == 0
    assert is_anonymous(rig, tab)
    assert is_anonymous(rig, browser)
    newest = list(rig.cognito.issuer.pool.refresh_tokens)[-1]
    assert newest in _revoked(rig)


@pytest.mark.parametrize("path", ["/session", "/credentials", "/me", "/"])
def test_CC_06_sign_out_races_a_page(rig: Rig, path: str) -> None:
    """A page that is being made while its session ends neither revives it nor breaks."""
    for _ in range(5):
        browser = rig.signed_in("viewer")
        form = {"csrf_token": browser.csrf()}
        tab = browser.twin()
        rig.clock.advance(61)  # the visit is due to be noted
        page, left = at_once(partial(tab.get, path), partial(browser.post, "/logout", form))
        assert isinstance(page, Response), page
        assert isinstance(left, Response), left
        assert (page.status < 500, left.status) == (True, 303)
        assert is_anonymous(rig, tab)
        assert living_sessions(rig) == 0


@pytest.mark.parametrize("tabs", [2, 10])
def test_CC_07_tabs_sign_in_at_once(rig: Rig, tabs: int) -> None:
    """Tabs that began to sign in together all land on their own page; one session is alive."""
    browser = rig.browser()
    pages = [f"/session?tab={number}" for number in range(tabs)]
    starts = [(page, browser.start(page)) for page in pages]
    random.Random(tabs).shuffle(starts)
    for page, location in starts:
        callback = rig.cognito.issuer.approve(location, rig.cognito.user("admin"))
        landed = browser.follow(browser.finish(callback))
        assert (landed.status, landed.url) == (200, f"{rig.base_url}{page}")
    assert living_sessions(rig) == 1
    assert browser.me()["email"] == "admin@example.com"
    # What the earlier tabs won is not left lying about.
    assert len(_revoked(rig)) == tabs - 1


def test_CC_08_double_callback(rig: Rig) -> None:
    """The same callback twice at one moment is one token request and no error for either."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
    double = browser.twin()
    watch = Watch(rig)
    with rig.cognito.issuer.token.gate() as gate:

        def second() -> Response:
            gate.wait(1)  # the first stands before the token endpoint
            response = double.finish(callback)
            gate.open()
            return response

        both = at_once(partial(browser.finish, callback), second)
    for response in both:
        assert isinstance(response, Response), response
        assert (response.status, urlsplit(response.location).path) == (303, "/session")
    assert watch.token_requests == 1
    assert living_sessions(rig) == 1
    assert browser.me()["email"] == "admin@example.com"


def test_CC_08_ten_callbacks_at_once(rig: Rig) -> None:
    """Ten times the same callback without any order: still one token request, one session."""
    for _ in range(5):
        browser = rig.browser()
        callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
        watch = Watch(rig)
        tabs = [browser.twin() for _ in range(10)]
        answers = at_once(*(partial(tab.finish, callback) for tab in tabs))
        statuses = {one.status for one in answers if isinstance(one, Response)}
        assert statuses == {303}, answers
        assert (watch.token_requests, watch.new_sessions) == (1, 1)
        signed_in = [tab for tab in tabs if "portico" in tab.cookies]
        assert len(signed_in) == 1


@pytest.mark.parametrize("slower", ["credentials", "refresh"])
def test_CC_10_refresh_and_credentials_at_once(rig: Rig, browser: Browser, slower: str) -> None:
    """A refresh and an exchange that end at one moment both leave what they brought."""
    tab, form = browser.twin(), {"csrf_token": browser.csrf()}
    call = partial(
        tab.post, "/api/call", form | {"endpoint": "whoami", "identity": "user"}, json=True
    )
    renew = partial(browser.post, "/session/refresh", form)
    held = rig.cognito.pool.get_credentials if slower == "credentials" else rig.cognito.issuer.token
    first, second = (call, renew) if slower == "credentials" else (renew, call)
    with held.gate(hold="answer") as gate:

        def between() -> Response:
            gate.wait(1)
            response = second()
            gate.open()
            return response

        both = at_once(first, between)
    for response in both:
        assert isinstance(response, Response), response
        assert response.status in (200, 303), response.text[:2000]
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    assert session.record.tokens
    assert session.record.user_keys
    newest = list(rig.cognito.issuer.pool.refresh_tokens)[-1]
    assert session.record.tokens.refresh_token == newest
    assert session.record.user_keys.access_key_id == rig.cognito.vault.issued[-1].access_key


def test_SE_17_groups_change(rig: Rig, browser: Browser) -> None:
    """New groups at a refresh mean a new ticket and new keys; the old ticket is dead at once."""
    old = browser.twin()
    assert browser.call("vip", "user").json()["status"] == 403
    before = browser.cookies["portico"]
    proof = browser.csrf()
    user = rig.cognito.user("viewer")
    admin = rig.cognito.user("admin")
    user.groups, user.roles = admin.groups, admin.roles
    user.preferred_role = admin.preferred_role
    rig.clock.advance(LIFE + 5)
    response = browser.get("/session")
    assert response.status == 200
    assert browser.cookies["portico"] != before
    assert browser.me()["groups"] == ["Admin"]
    assert browser.call("vip", "user").json()["status"] == 200
    assert living_sessions(rig) == 1
    assert is_anonymous(rig, old)
    assert old.get("/session").status == 303
    stale = {"csrf_token": proof, "endpoint": "vip", "identity": "user"}
    calls = len(rig.cognito.api.calls)
    assert old.post("/api/call", stale).status == 403
    assert browser.post("/api/call", stale).status == 403
    assert len(rig.cognito.api.calls) == calls


def test_SE_17_same_groups_keep_the_ticket(rig: Rig, browser: Browser) -> None:
    """A refresh that changes no right changes no ticket, so that other tabs go on undisturbed."""
    before = browser.cookies["portico"]
    rig.clock.advance(LIFE + 5)
    assert browser.get("/session").status == 200
    assert browser.cookies["portico"] == before

"""SO: the record goes first and for good; Cognito is told; nobody is signed in again by itself."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.doubles.browser import Browser
from tests.doubles.cookies import parse
from tests.doubles.response import Response
from tests.rig import Rig
from tests.security.outcomes import Watch, is_anonymous, living_sessions
from webapp.app import create_app
from webapp.services import build

TICKET = "portico"


def _refresh_token(rig: Rig) -> str:
    return list(rig.cognito.issuer.pool.refresh_tokens)[-1]


def _revoked(rig: Rig) -> list[str]:
    return [request.form()["token"] for request in rig.cognito.issuer.revoke.requests]


def _cookie_gone(response: Response, name: str = TICKET) -> bool:
    given = [parse(header) for header in response.header_values("Set-Cookie")]
    return [(one.value, one.attributes.get("max-age")) for one in given if one.name == name] == [
        ("", "0")
    ]


def test_SO_01_sign_out(rig: Rig) -> None:
    """Record, cookie and refresh token go, once, and the browser to Cognito's exact sign-out."""
    browser = rig.signed_in("admin")
    token = _refresh_token(rig)
    assert living_sessions(rig) == 1
    response = browser.sign_out()
    assert response.status == 303
    assert living_sessions(rig) == 0
    assert _cookie_gone(response)
    assert TICKET not in browser.cookies
    assert _revoked(rig) == [token]
    address = urlsplit(response.location)
    assert response.location.startswith(f"{rig.cognito.issuer.server.origin}/logout?")
    client = rig.cognito.issuer.pool.client.client_id
    assert parse_qs(address.query) == {
        "client_id": [client],
        "logout_uri": [f"{rig.base_url}/"],
    }
    assert "eyJ" not in response.location
    assert rig.cognito.issuer.leave(response.location) == f"{rig.base_url}/"
    assert is_anonymous(rig, browser)


def test_SO_01_sign_out_under_https(secure_rig: Rig) -> None:
    """Under https the `__Host-` cookie is taken away with its attributes, or browsers keep it."""
    browser = secure_rig.browser()
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    start = browser.get("/login", headers=headers).location
    callback = secure_rig.cognito.issuer.approve(start, secure_rig.cognito.user("admin"))
    browser.get(callback, site="cross-site", headers=headers)
    me = browser.get("/me", headers=headers | {"Accept": "application/json"}).json()
    response = browser.post("/logout", {"csrf_token": me["csrf_token"]}, headers=headers)
    assert _cookie_gone(response, f"__Host-{TICKET}")
    taken = parse(response.header_values("Set-Cookie")[0])
    assert {"secure", "httponly"} <= set(taken.attributes)
    assert taken.attributes["path"] == "/"
    assert living_sessions(secure_rig) == 0


@pytest.mark.parametrize("depth", ["app", "cognito", "everywhere", "switch"])
def test_SO_02_old_cookie_after_every_depth(rig: Rig, depth: str) -> None:
    """A cookie saved before the sign-out is worth nothing after it, on this host and another."""
    browser = rig.signed_in("admin")
    thief = browser.twin()
    other_host = Browser.for_app(
        create_app(rig.settings, build(rig.settings, now=rig.clock), now=rig.clock), rig.base_url
    )
    other_host.cookies = browser.cookies.copy()
    assert other_host.me()["email"] == "admin@example.com"
    browser.sign_out(depth)
    calls = len(rig.cognito.api.calls)
    for copy in (thief, other_host):
        assert is_anonymous(rig, copy)
        assert copy.get("/session").status == 303
        copy.call("test-auth", "user")
    assert len(rig.cognito.api.calls) == calls
    assert living_sessions(rig) == 0


def test_SO_02_old_cookie_of_an_older_ticket(rig: Rig) -> None:
    """Also the ticket that a change of groups replaced is dead after the sign-out."""
    browser = rig.signed_in("viewer")
    old = browser.twin()
    rig.cognito.user("viewer").groups = ["Manager"]
    browser.post("/session/refresh", {"csrf_token": browser.csrf()})
    assert browser.cookies[TICKET] != old.cookies[TICKET]
    browser.sign_out()
    assert is_anonymous(rig, old)
    assert living_sessions(rig) == 0


def test_SO_03_nothing_private_is_kept(rig: Rig) -> None:
    """Every page of a session is no-store, and signing out clears what a browser cached."""
    browser = rig.signed_in("admin")
    for page in ("/", "/session", "/credentials", "/api", "/me"):
        assert "no-store" in (browser.get(page).header("Cache-Control") or ""), page
    answer = browser.call("test-auth", "user", json=False)
    assert "no-store" in (answer.header("Cache-Control") or "")
    response = browser.sign_out("app")
    assert "no-store" in (response.header("Cache-Control") or "")
    assert response.header("Clear-Site-Data") == '"cache"'
    assert response.body == b""


def test_SO_05_cognito_is_out_of_reach(rig: Rig) -> None:
    """Without a way to Cognito the session here is dead, and home says all that remains."""
    browser = rig.signed_in("admin")
    rig.cognito.issuer.server.stop()
    # A worker that has just started knows no address of Cognito's.
    fresh = Browser.for_app(
        create_app(rig.settings, build(rig.settings, now=rig.clock), now=rig.clock), rig.base_url
    )
    fresh.cookies = browser.cookies
    fresh.cookies["portico"] = browser.cookies["portico"]
    token = rig.services.ring.csrf_token(b"session/" + _place(rig, browser))
    response = fresh.post("/logout", {"csrf_token": token})
    assert response.status == 303
    assert living_sessions(rig) == 0
    assert _cookie_gone(response)
    home = fresh.follow(response)
    assert home.status == 200
    assert "Cognito's own sign-in may still be alive" in home.page.text
    assert "revoke your refresh token" in home.page.text
    rig.cognito.issuer.server.start()
    assert is_anonymous(rig, browser)
    rig.cognito.issuer.revoke.wait_for(1, timeout=10)


def _place(rig: Rig, browser: Browser) -> bytes:
    session = rig.services.vault.open(browser.cookies[TICKET])
    assert session
    return session.place


def test_SO_07_twice(rig: Rig) -> None:
    """The second press of the button leads the same way as the first, and revokes nothing twice."""
    browser = rig.signed_in("admin")
    form = {"csrf_token": browser.csrf()}
    second_tab = browser.twin()
    first = browser.post("/logout", form)
    again = browser.post("/logout", form)
    other = second_tab.post("/logout", form)
    for response in (first, again, other):
        assert (response.status, response.location) == (303, first.location)
    assert len(_revoked(rig)) == 1


@pytest.mark.parametrize("depth", ["app", "cognito", "everywhere", "switch"])
def test_SO_07_expired_session(rig: Rig, depth: str) -> None:
    """Signing out of a session that ended by itself works like any other, without an error."""
    browser = rig.signed_in("admin")
    form = {"csrf_token": browser.csrf(), "depth": depth}
    rig.clock.advance(rig.settings.session_absolute_seconds + 60)
    response = browser.post("/logout", form)
    assert response.status == 303
    assert is_anonymous(rig, browser)


def test_SO_07_expired_tokens(rig: Rig) -> None:
    """A person with dead tokens and no provider signs out here all the same."""
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = 300
    browser = rig.signed_in("admin")
    form = {"csrf_token": browser.csrf(), "depth": "app"}
    rig.clock.advance(400)
    rig.cognito.issuer.token.answer(503)
    response = browser.post("/logout", form)
    assert (response.status, urlsplit(response.location).path) == (303, "/")
    assert living_sessions(rig) == 0


def test_SO_07_unknown_ticket(rig: Rig) -> None:
    """A made-up ticket is signed out as if it had been good."""
    browser = rig.browser()
    browser.cookies[TICKET] = "A" * 44
    response = browser.post("/logout", {"csrf_token": "x"})
    assert response.status == 303
    assert _revoked(rig) == []


def test_SO_08_sign_in_page_while_signed_in(rig: Rig) -> None:
    """Home says who is signed in, and a sign-in begun and left harms the session in no way."""
    browser = rig.signed_in("admin")
    assert "admin@example.com" in browser.get("/").page.text
    browser.start("/session")
    browser.get("/callback", {"error": "access_denied", "state": "made-up"}, site="cross-site")
    assert browser.me()["email"] == "admin@example.com"
    declined = rig.cognito.issuer.decline(browser.start("/session"))
    assert browser.finish(declined).status == 400
    assert browser.me()["email"] == "admin@example.com"
    assert _revoked(rig) == []


def test_SO_09_signed_out_page_rests(rig: Rig) -> None:
    """After Cognito's sign-out the browser comes to rest on home, and no sign-in begins."""
    browser = rig.signed_in("admin")
    arrivals = rig.cognito.issuer.authorize.count
    watch = Watch(rig)
    home = browser.get(rig.cognito.issuer.leave(browser.sign_out().location), site="cross-site")
    assert home.status == 200
    assert "http-equiv" not in home.text
    assert rig.cognito.issuer.authorize.count == arrivals
    assert watch.token_requests == 0
    assert is_anonymous(rig, browser)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/api/call", {"endpoint": "vip", "identity": "user"}),
        ("/api/call", {"endpoint": "test-plain", "identity": "nobody"}),
        ("/credentials/role", {"role": ""}),
        ("/session/refresh", {}),
        ("/session/userinfo", {}),
    ],
)
@pytest.mark.parametrize("same_jar", [True, False])
def test_SO_10_other_tab_posts_afterwards(
    rig: Rig, path: str, form: dict[str, str], same_jar: bool
) -> None:
    """A form left open in another tab does nothing after the sign-out: 403, or back to the door."""
    browser = rig.signed_in("admin")
    form = form | {"csrf_token": browser.csrf()}
    other = browser if same_jar else browser.twin()
    browser.sign_out()
    watch = Watch(rig)
    asked = len(rig.cognito.api.calls), rig.cognito.pool.get_id.count
    response = other.post(path, form)
    assert response.status in (303, 403)
    if response.status == 303:
        assert urlsplit(response.location).path in ("/", "/login")
    assert (len(rig.cognito.api.calls), rig.cognito.pool.get_id.count) == asked
    assert (watch.token_requests, watch.new_sessions) == (0, 0)
    assert rig.cognito.issuer.user_info.count == 0


def test_SO_12_disabled_person(rig: Rig) -> None:
    """Somebody disabled at the pool is out at the next refresh, once, with a page that says so."""
    browser = rig.signed_in("viewer")
    rig.cognito.user("viewer").enabled = False
    assert browser.get("/session").status == 200  # the bound is the tokens' life
    rig.clock.advance(1700)
    assert browser.get("/session").status == 200
    rig.clock.advance(1500)  # renewals begin five minutes before the end, at the earliest
    assert browser.get("/session").status == 200
    rig.clock.advance(400)
    response = browser.get("/session?x=1")
    assert response.status == 401
    assert "Cognito ended this session" in response.page.text
    assert "/login?next=/session%3Fx%3D1" in response.text
    assert living_sessions(rig) == 0
    assert is_anonymous(rig, browser)
    assert browser.get("/session").status == 303
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1


def test_SO_12_deleted_person(rig: Rig) -> None:
    """Somebody deleted from the pool is out at the next refresh in the same way."""
    browser = rig.signed_in("viewer")
    rig.cognito.issuer.pool.users.remove(rig.cognito.user("viewer"))
    response = browser.post("/session/refresh", {"csrf_token": browser.csrf()})
    assert response.status == 401
    assert living_sessions(rig) == 0
    assert is_anonymous(rig, browser)

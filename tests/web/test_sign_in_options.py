"""GET /sign-in-options: what a sign-in may be asked for, explained before the browser leaves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.doubles.browser import Browser
from tests.rig import Rig, rigged
from webapp.views.page import LANGUAGES

JSON = {"Accept": "application/json"}
MADE_ANEW = {"state", "nonce", "code_challenge"}


@pytest.fixture
def rig_with_providers(tmp_path: Path) -> Iterator[Rig]:
    """The application with two external providers."""
    with rigged(tmp_path, COGNITO_IDENTITY_PROVIDERS="Okta,Work Co") as made:
        made.services.signing_keys.warm()
        yield made


def _browser(rig: Rig) -> Browser:
    browser = rig.browser()
    browser.session_cookies = frozenset({"portico"})  # an attempt under way is no session
    return browser


def _told(browser: Browser, query: str) -> dict[str, Any]:
    answer = browser.get(f"/sign-in-options?{query}", headers=JSON)
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    "query",
    [
        "",
        "prompt=none",
        "prompt=login&lang=fr&login_hint=ana%2Bx%40example.com",
        "provider=Okta",
        "provider=Work+Co&lang=de",
        "provider=Okta&prompt=none",
        "screen=sign-up&lang=de&login_hint=new%40example.com",
        "screen=sign-up&prompt=login&provider=Okta",
        "screen=elsewhere&prompt=none+login&lang=xx&provider=Evil&login_hint=%22&scope=admin",
        "next=%2Fsession&prompt=login",
    ],
)
def test_FL_12_what_is_explained_is_what_is_sent(rig_with_providers: Rig, query: str) -> None:
    """The parts on the page are exactly those of the address that /login then leaves for."""
    browser = _browser(rig_with_providers)
    told = _told(browser, query)
    location = urlsplit(browser.get(told["leave"]).location or "")
    assert browser.get(f"/login?{query}").status == 302
    sent = dict(parse_qsl(location.query))
    shown = {part["name"]: part["value"] for part in told["parts"]}
    assert {name for name, value in shown.items() if value is None} == MADE_ANEW
    assert shown | {name: sent[name] for name in MADE_ANEW} == sent
    assert told["address"] == f"{location.scheme}://{location.netloc}{location.path}"
    assert location.path.endswith("/signup" if "screen=sign-up" in query else "/oauth2/authorize")
    assert all(part["meaning"] and part["read"]["url"] for part in told["parts"])


def test_leaving_keeps_the_aim(rig_with_providers: Rig) -> None:
    """Where the person was heading goes along; a foreign address does not."""
    browser = _browser(rig_with_providers)
    assert "next=%2Fsession" in _told(browser, "next=%2Fsession")["leave"]
    assert _told(browser, "next=%2F%2Fevil.example")["leave"] == "/login"


def test_every_way_is_offered(rig_with_providers: Rig) -> None:
    """As usual, silently, by force, as somebody new, and by each provider; all languages."""
    page = rig_with_providers.browser().get("/sign-in-options")
    assert page.status == 200
    assert page.header_values("Set-Cookie") == []
    links = page.page.links
    for way in ("", "?prompt=none", "?prompt=login", "?screen=sign-up", "?provider=Okta"):
        assert any(link.endswith(f"/login{way}") for link in links), way
        assert any(link.endswith(f"/sign-in-options{way}#address") for link in links), way
    for code, name in LANGUAGES:
        assert f'<option value="{code}"' in page.text
        assert name in page.text
    assert "made anew when you leave" in page.text


def test_FL_10_nothing_is_begun_by_looking(rig: Rig) -> None:
    """The page makes no attempt and shows none of the secrets that leaving makes."""
    browser = _browser(rig)
    for _ in range(3):
        page = browser.get("/sign-in-options?prompt=login")
        assert page.header_values("Set-Cookie") == []
    assert browser.cookies.history == []
    challenge = dict(parse_qsl(urlsplit(browser.start()).query))["code_challenge"]
    assert challenge not in browser.get("/sign-in-options").text


def test_OU_01_what_was_asked_is_text(rig: Rig) -> None:
    """A hint of the address is put into the form as text, or left out."""
    page = rig.browser().get("/sign-in-options?login_hint=a%26b%27c%7B%7B7*7%7D%7D")
    assert "a&amp;b&#39;c{{7*7}}" in page.text
    page = rig.browser().get("/sign-in-options?login_hint=%22%3E%3Cscript%3E")
    assert "<script>" not in page.text


def test_sign_up_comes_back_as_any_sign_in(rig: Rig) -> None:
    """Who began at the form for new people comes back to the same callback and is signed in."""
    browser = rig.browser()
    location = browser.get("/login?screen=sign-up&next=/session").location or ""
    assert urlsplit(location).path == "/signup"
    authorize = location.replace("/signup?", "/oauth2/authorize?")
    callback = rig.cognito.issuer.approve(authorize, rig.cognito.user("viewer"))
    landed = browser.finish(callback)
    assert (landed.status, landed.location) == (303, f"{rig.base_url}/session")
    assert browser.me()["email"] == "viewer@example.com"


def test_signed_in_people_may_look(rig: Rig) -> None:
    """The page is for everybody; somebody signed in keeps their session."""
    browser = rig.signed_in("admin")
    assert browser.get("/sign-in-options").status == 200
    assert browser.me()["signed_in"] is True

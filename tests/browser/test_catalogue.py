"""Rows of the security catalogue that only a real browser can prove."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request

from tests.browser.conftest import ARGUMENTS, NewVisitor
from tests.browser.demo import Demo
from tests.browser.foreign import ForeignSite
from tests.browser.visitor import Visitor
from tests.parts import program


@pytest.fixture
def foreign() -> Iterator[ForeignSite]:
    """Somebody else's web site, on a site of its own."""
    with ForeignSite() as site:
        yield site


@pytest.fixture
def with_memory(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium that keeps left pages alive for the Back button, as people's browsers do."""
    browser = playwright.chromium.launch(
        executable_path=program("browser"),
        args=ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    browser.close()


def test_OU_13_the_whole_journey_needs_no_script(new_visitor: NewVisitor) -> None:
    """One person, no script: in, claims, userInfo, refresh, keys, a call, and out."""
    visitor = new_visitor(scripts=False)
    visitor.go("/")
    visitor.press("Sign in")
    visitor.enter(visitor.demo.person("admin"))
    visitor.go("/session")
    visitor.press("Ask userInfo now")
    visitor.press("Refresh now")
    visitor.go("/credentials")
    assert "portico-admin" in visitor.text
    assert visitor.call("vip", "user") == 200
    visitor.sign_out("cognito")
    assert visitor.signed_in_as() is None


def test_CS_13_first_page_after_the_callback_is_signed_in(visitor: Visitor) -> None:
    """Coming back from another site, the session cookie is there on the very first page."""
    visitor.go("/login?next=/session")
    visitor.visited.clear()
    visitor.enter(visitor.demo.person("viewer"))
    hops = [line.partition("?")[0] for line in visitor.visited]
    application, login = visitor.demo.application, visitor.demo.managed_login
    assert hops == [
        f"302 {login}/login",
        f"303 {application}/callback",
        f"200 {application}/session",
    ]
    assert visitor.signed_in_as() == "viewer@example.com"


def test_the_cookie_is_out_of_a_scripts_reach(new_visitor: NewVisitor) -> None:
    """The browser holds one HttpOnly session cookie of ours, and no page script sees any."""
    visitor = new_visitor()
    visitor.sign_in(visitor.demo.person("viewer"))
    ours: list[Any] = visitor.context.cookies(visitor.demo.application)
    assert [(one["name"], one["httpOnly"], one["sameSite"]) for one in ours] == [
        ("portico", True, "Lax")
    ]
    assert visitor.page.evaluate("document.cookie") == ""
    assert visitor.page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_SO_03_back_button_shows_nothing_private(demo: Demo, with_memory: Browser) -> None:
    """After signing out, Back leads to no page that somebody signed in had seen."""
    context = with_memory.new_context()
    visitor = Visitor(context, demo, "desktop-script")
    person = demo.new_person("Viewer")  # nobody whom the sign-in page lists for everybody
    visitor.sign_in(person, path="/login?next=/session")
    visitor.go("/credentials")
    visitor.sign_out("cognito")
    # /credentials, /session and the form of before: each asks who is there.
    for step in range(3):
        visitor.page.go_back(wait_until="load")
        visitor.shot(f"5-back-{step + 1}")
        assert visitor.asked_to_sign_in
        assert person.email not in visitor.page.content()
    context.close()


def test_CS_11_a_foreign_opener_holds_nothing(
    new_visitor: NewVisitor, foreign: ForeignSite
) -> None:
    """A window that another site opened on us cannot be reached from there, nor looks back."""
    visitor = new_visitor()
    visitor.page.goto(f"{foreign.origin}/")
    with visitor.context.expect_page() as opened:
        visitor.page.evaluate("url => { window.ours = window.open(url) }", demo_home(visitor))
    ours = opened.value
    ours.wait_for_load_state()
    assert ours.url == demo_home(visitor)
    assert ours.evaluate("window.opener") is None
    assert visitor.page.evaluate("window.ours.closed") is True


def test_CS_11_a_foreign_page_loads_none_of_ours(
    new_visitor: NewVisitor, foreign: ForeignSite
) -> None:
    """Pictures load across origins as they do, but ours do not, and our pages fill no frame."""
    visitor = new_visitor()
    visitor.go("/")
    icon = visitor.page.locator("link[rel=icon]").get_attribute("href")
    window = visitor.context.new_page()
    window.goto(f"{foreign.origin}/")
    assert _loads_picture(window, f"{foreign.other_origin}/picture.svg")
    assert not _loads_picture(window, f"{visitor.demo.application}{icon}")
    assert _loads_frame(window, f"{foreign.other_origin}/")
    assert not _loads_frame(window, demo_home(visitor))


def test_HD_18_nothing_secret_leaves_the_callback(visitor: Visitor) -> None:
    """No code, state or token goes on in an address, a Referer or a page after the callback."""
    asked: list[Request] = []
    visitor.context.on("request", lambda request: asked.append(request))
    visitor.sign_in(visitor.demo.person("admin"), path="/login?next=/session")
    callback = next(one for one in asked if urlsplit(one.url).path == "/callback")
    query = parse_qs(urlsplit(callback.url).query)
    secrets = (*query["code"], *query["state"])
    answer = callback.response()
    assert answer is not None
    assert answer.status == 303
    assert answer.all_headers()["referrer-policy"] == "no-referrer"

    for path in ("/", "/credentials", "/api"):
        visitor.go(path)
        assert not [one for one in secrets if one in visitor.page.content()]
    visitor.call("vip", "user")
    visitor.sign_out("cognito")
    later = asked[asked.index(callback) + 1 :]
    assert len(later) > 8
    for request in later:
        seen = f"{request.url} {request.all_headers().get('referer', '')}"
        assert not [one for one in (*secrets, "eyJ", "code=", "state=") if one in seen], seen


def test_HD_18_a_link_to_others_says_nothing(new_visitor: NewVisitor) -> None:
    """Who follows a link out of the application brings no Referer along."""
    visitor = new_visitor()
    visitor.sign_in(visitor.demo.person("viewer"), path="/login?next=/session")
    caught = _catch(visitor.context, re.compile(r"^https://docs\.aws\.amazon\.com/"))
    visitor.page.get_by_role("contentinfo").get_by_role("link").last.click()
    visitor.page.wait_for_url("https://docs.aws.amazon.com/**")
    assert caught
    assert "referer" not in caught[0].all_headers()


def demo_home(visitor: Visitor) -> str:
    """Return the address of the application's home page, with its slash."""
    return f"{visitor.demo.application}/"


def _catch(context: BrowserContext, pattern: re.Pattern[str]) -> list[Request]:
    """Answer requests to other people's addresses ourselves and keep them."""
    caught: list[Request] = []

    def answer(route: Any) -> None:
        caught.append(route.request)
        route.fulfill(status=200, content_type="text/html", body="<title>elsewhere</title>")

    context.route(pattern, answer)
    return caught


def _loads_picture(window: Page, url: str) -> bool:
    script = """url => new Promise((done) => {
      const picture = new Image();
      picture.onload = () => done(true);
      picture.onerror = () => done(false);
      picture.src = url;
    })"""
    return bool(window.evaluate(script, url))


def _loads_frame(window: Page, url: str) -> bool:
    script = """url => new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.onload = done;
      frame.src = url;
      document.body.append(frame);
    })"""
    window.evaluate(script, url)
    return window.frames[-1].url == url

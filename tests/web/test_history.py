"""The last calls of a session, and two of them beside each other."""

import re

import pytest

from tests.doubles.browser import Browser
from tests.doubles.response import text_of
from tests.rig import Rig

COOKIE = "portico-signin"


def _page_call(browser: Browser, endpoint: str, identity: str) -> str:
    """Press a button of the console; return the text of the answer's page."""
    form = browser.get("/api").page.form("/api/call", endpoint=endpoint)
    response = browser.post("/api/call", form.fields | {"identity": identity})
    assert response.status == 200
    return response.text


def _numbers(browser: Browser, path: str = "/api") -> list[str]:
    """The numbers of the calls that a page offers to compare."""
    return re.findall(r'name="a" value="(\d+)"', browser.get(path).text)


def test_the_last_ten_calls(rig: Rig) -> None:
    """The console shows the last ten calls, the newest first; so does the page of an answer."""
    browser = rig.signed_in("admin")
    assert _numbers(browser) == []
    for _ in range(6):
        _page_call(browser, "vip", "user")
        last = _page_call(browser, "test-plain", "nobody")
    assert _numbers(browser) == [str(number) for number in range(12, 2, -1)]
    assert 'value="12"' in last


def test_two_calls_beside_each_other(rig: Rig) -> None:
    """The comparison tells facts and reasons of both, and marks what differs."""
    browser = rig.signed_in("viewer")
    rig.cognito.api["vip"].answer(403, {"message": "Forbidden"})
    _page_call(browser, "vip", "user")
    _page_call(browser, "protected", "bearer-access")
    page = browser.get("/api/compare?a=2&b=1").page
    text = text_of(page.root)
    for told in (
        "GET /vip", "GET /protected", "signed-in user", "bearer access token",
        "no policy of the role allows", "accepted issuer", "differs",
    ):  # fmt: skip
        assert told in text, told
    assert text.count("differs") >= 4
    same = browser.get("/api/compare?a=1&b=1").text
    assert "differs" not in same


@pytest.mark.parametrize("query", ["", "?a=1", "?a=1&b=99", "?a=x&b=%3Cscript%3E", "?a=1&a=2"])
def test_calls_that_are_not_there(rig: Rig, query: str) -> None:
    """Numbers of no call of the list lead to the list."""
    browser = rig.signed_in("viewer")
    _page_call(browser, "test-plain", "nobody")
    response = browser.get(f"/api/compare{query}")
    assert response.status == 200
    assert "Choose two calls" in response.text
    assert "<script>" not in response.text


def test_nothing_to_compare(rig: Rig) -> None:
    """Somebody who made no call, or is nobody, is told so and gets no cookie."""
    stranger = rig.browser()
    assert "No call was made in this session" in stranger.get("/api/compare").text
    _page_call(stranger, "test-plain", "nobody")
    assert stranger.cookies.names == []
    assert "No call was made" in rig.signed_in("admin").get("/api/compare").text


def test_a_guest_has_calls_too(rig: Rig) -> None:
    """A guest's calls are kept from the first one on, and signing in forgets them."""
    browser = rig.browser()
    _page_call(browser, "test-public", "guest")
    _page_call(browser, "test-plain", "nobody")
    assert _numbers(browser) == ["2", "1"]
    browser.sign_in(rig.cognito.user("admin"))
    assert _numbers(browser) == []
    assert _numbers(browser, "/api/compare") == []


def test_a_script_leaves_no_trace(rig: Rig) -> None:
    """A call that is answered in JSON sets no cookie and is in no list."""
    browser = rig.signed_in("admin")
    before = len(browser.cookies.history)
    assert browser.call("vip", "user").status == 200
    assert len(browser.cookies.history) == before
    assert _numbers(browser) == []


def test_CR_14_signed_out_and_forgotten(rig: Rig) -> None:
    """Signing out takes the calls away; who signs in after that finds none."""
    browser = rig.signed_in("admin")
    _page_call(browser, "vip", "user")
    assert COOKIE in browser.cookies.names
    browser.sign_out("app")
    browser.get("/")  # takes the word about the sign-out
    assert COOKIE not in browser.cookies.names
    browser.sign_in(rig.cognito.user("viewer"))
    assert _numbers(browser) == []


def test_FL_24_second_user_in_the_same_browser(rig: Rig) -> None:
    """Who signs in over somebody else's session sees none of that person's calls."""
    browser = rig.signed_in("admin")
    _page_call(browser, "vip", "user")
    browser.sign_in(rig.cognito.user("viewer"))
    assert _numbers(browser) == []


def test_a_sign_in_begun_meanwhile_goes_on(rig: Rig) -> None:
    """Calls and sign-ins under way share a cookie, and neither takes the other's place."""
    browser = rig.signed_in("admin")
    _page_call(browser, "vip", "user")
    away = browser.start("/session")
    assert _numbers(browser) == ["1"]
    _page_call(browser, "vip", "user")
    back = browser.finish(rig.cognito.issuer.approve(away, rig.cognito.user("admin")))
    assert back.location.endswith("/session")


def test_the_kept_facts_cost_the_store_nothing(rig: Rig) -> None:
    """A page of the console writes nothing to the store, however many calls it tells of."""
    browser = rig.signed_in("admin")
    _page_call(browser, "vip", "user")
    before = rig.store_path.read_bytes()
    for _ in range(3):
        _page_call(browser, "vip", "user")
        browser.get("/api/compare?a=1&b=2")
    assert rig.store_path.read_bytes() == before


def test_a_word_for_the_home_page_waits(rig: Rig) -> None:
    """A guest's call between a sign-out and the home page takes nothing away that this one says."""
    browser, twin = rig.signed_in("admin"), rig.signed_in("admin")
    fields = {"csrf_token": rig.browser().csrf(), "endpoint": "test-public", "identity": "guest"}
    told = []
    for one in (twin, browser):
        one.sign_out("app")
        if one is browser:
            assert one.post("/api/call", fields).status == 200
        home = one.get("/").text
        told.append([line for line in home.splitlines() if "signed out" in line.lower()])
    assert told[0]
    assert told[0] == told[1]
    assert _numbers(browser) == ["1"]

"""The pages in the language that a person chose, and nothing else of theirs changed by it."""

import json
import re

import pytest

from tests.doubles.response import Response
from tests.rig import Rig
from webapp.words import say


def test_a_person_chooses_a_language(rig: Rig) -> None:
    """The form in the frame needs no script; the choice lives in a cookie of its own for a year."""
    browser = rig.browser()
    assert _lang(browser.get("/api")) == "en"
    form = browser.responses[-1].page.form("/language")
    response = browser.post("/language", form.fields | {"lang": "de"})
    assert (response.status, response.header("Location")) == (303, "/api")
    (cookie,) = response.header_values("Set-Cookie")
    name, _, attributes = cookie.partition("; ")
    assert re.fullmatch(r"portico-signin=de\.[0-9a-f]{8}\.", name)
    assert attributes == "Max-Age=31536000; HttpOnly; Path=/; SameSite=Lax"
    answer = browser.get("/api")
    assert _lang(answer) == "de"
    page = answer.page
    assert any(one.get("aria-label") == "Sprache dieser Seiten" for one in page.elements("div"))
    chosen = [one.get("value") for one in page.elements("button") if one.get("aria-current")]
    assert chosen == ["de"]
    assert _lang(browser.get("/nowhere")) == "de"


def test_a_choice_comes_back_to_what_was_asked(rig: Rig) -> None:
    """A page that a query makes is the same afterwards; a callback's query is in no page."""
    browser = rig.browser()
    for there in ("/sign-in-options?lang=fr&login_hint=ann%40example.com", "/sign-in-options"):
        form = browser.get(there).page.form("/language")
        answer = browser.post("/language", form.fields | {"lang": "de"})
        assert answer.header("Location") == there
    odd = browser.get("/sign-in-options?login_hint=%00").page.form("/language")
    assert odd.fields["next"] == "/sign-in-options"
    refused = browser.get("/callback?code=SECRET-CODE&state=x")
    assert refused.page.form("/language").fields["next"] == "/"
    assert "SECRET-CODE" not in refused.text


def test_the_choice_is_managed_logins_too(rig: Rig) -> None:
    """A sign-in goes on in the chosen language, unless another or none is asked for there."""
    assert "lang=" not in (rig.browser().get("/login").header("Location") or "")
    browser = rig.browser()
    form = browser.get("/").page.form("/language")
    browser.post("/language", form.fields | {"lang": "fr"})
    assert "lang=fr" in (browser.get("/login").header("Location") or "")
    assert "lang=ja" in (browser.get("/login?lang=ja").header("Location") or "")
    assert "lang=" not in (browser.get("/login?lang=").header("Location") or "")


def test_over_https_the_cookie_is_bound_to_the_host(secure_rig: Rig) -> None:
    """It is Secure and has the prefix that keeps other hosts from planting one."""
    browser = secure_rig.browser()
    https = {"X-Forwarded-Proto": "https"}
    form = browser.get("/", headers=https).page.form("/language")
    response = browser.post("/language", form.fields | {"lang": "de"}, headers=https)
    cookie = response.header("Set-Cookie") or ""
    assert cookie.startswith("__Host-portico-signin=de.")
    assert "; Max-Age=31536000; Secure; HttpOnly; Path=/" in cookie


@pytest.mark.parametrize("wrong", ["", "xx", "de;", "../de", "DE", "ja"])
def test_other_languages_are_refused(rig: Rig, wrong: str) -> None:
    """What is not on the list is a 400, and sets nothing."""
    browser = rig.browser()
    form = browser.get("/").page.form("/language")
    response = browser.post("/language", form.fields | {"lang": wrong})
    assert (response.status, response.header_values("Set-Cookie")) == (400, [])


def test_a_choice_needs_proof_and_stays_here(rig: Rig) -> None:
    """Another site can neither choose for a person nor send them on."""
    browser = rig.browser()
    assert browser.post("/language", {"lang": "de"}).status == 403
    form = browser.get("/").page.form("/language").fields | {"lang": "de"}
    foreign = {"Origin": "https://evil.example"}
    assert browser.post("/language", form, headers=foreign).status == 403
    assert browser.post("/language", form | {"next": "//evil.example"}).header("Location") == "/"


@pytest.mark.parametrize(
    "planted", ["xx.1.", "", "de.1.; portico-signin=fr.1.", '"><b>', "DE.1.", "de.."]
)
def test_a_strange_cookie_means_english(rig: Rig, planted: str) -> None:
    """A cookie that is not exactly one known code is as good as none."""
    browser = rig.browser()
    answer = browser.get("/", headers={"Cookie": f"portico-signin={planted}"})
    assert _lang(answer) == "en"


def test_a_choice_asks_no_store(rig: Rig) -> None:
    """With the choice alone a visitor's page needs no session and sets no cookie."""
    browser = rig.browser()
    answer = browser.get("/", headers={"Cookie": "portico-signin=fr.1."})
    assert _lang(answer) == "fr"
    assert answer.header_values("Set-Cookie") == []


def test_the_choice_outlives_a_sign_in(rig: Rig) -> None:
    """It stays when sign-ins begin, end and are forgotten, and keeps none of them longer."""
    browser = rig.browser()
    form = browser.get("/").page.form("/language")
    browser.post("/language", form.fields | {"lang": "fr"})
    browser.sign_in(rig.cognito.user("viewer"))
    assert _lang(browser.get("/session")) == "fr"
    browser.sign_out()
    assert _lang(browser.get("/")) == "fr"
    browser.get("/login?next=/api")
    assert rig.log.count('"attempt"') > 0
    rig.clock.advance(3601)
    assert _lang(browser.get("/")) == "fr"
    late = browser.get("/callback?code=x&state=y")
    assert "est en cours dans ce navigateur" in late.page.text
    assert _lang(late) == "fr"


def test_a_saying_is_english_for_programs() -> None:
    """JSON gets the whole English sentence; what a value was is not in the repr."""
    saying = say("Asked by %(who)s.", who="admin")
    assert json.dumps({"why": saying}) == '{"why": "Asked by admin."}'
    assert saying == "Asked by admin."
    assert "admin" not in repr(saying)


def _lang(answer: Response) -> str | None:
    return next(answer.page.elements("html")).get("lang")

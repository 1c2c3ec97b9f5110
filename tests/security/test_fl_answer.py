"""FL-13 to FL-19: answers that are doubled, refused, unsolicited, mixed up or hostile."""

from urllib.parse import quote

from tests.rig import Rig
from tests.security.outcomes import Watch, is_anonymous, query_of, restart_link

EVIL_TEXT = "Call+555-0100+now+%3Cb%3E"
ANNOUNCED = "authorization_response_iss_parameter_supported"


REPEATED = (
    "code=a&code={code}&state={state}",
    "code={code}&code={code}&state={state}",
    "code={code}&state={state}&state={state}",
    "code={code}&state=x&state={state}",
    "code={code}&state={state}&state=",
    "code={code}&state={state}&iss={iss}&iss={iss}",
    "error=a&error=b&state={state}",
)


def test_FL_13_repeated_parameters(rig: Rig) -> None:
    """A parameter that comes twice is refused, and the code is not spent by it."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    fields = query_of(callback) | {"iss": quote(rig.cognito.issuer.issuer)}
    for change in REPEATED:
        watch = Watch(rig)
        response = browser.finish("/callback?" + change.format(**fields))
        assert watch.denied(response, hidden=[fields["code"]]) == "repeated", change
    assert browser.finish(callback).status == 303
    assert browser.me()["email"] == "admin@example.com"


def test_FL_14_code_and_error_together(rig: Rig) -> None:
    """An answer with code and error is an error: the code is never sent."""
    for extra in ("&error=access_denied", "&error=", "&error=made_up&error_description=x"):
        browser = rig.browser()
        callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
        watch = Watch(rig)
        watch.denied(browser.finish(callback + extra), hidden=["made_up"])
        assert is_anonymous(rig, browser)


def test_FL_15_user_declines(rig: Rig) -> None:
    """Somebody who declines reads so in plain words and can start again towards the same page."""
    browser = rig.browser()
    location = browser.start("/session?x=1")
    callback = rig.cognito.issuer.decline(location, "access_denied", "Call 555-0100")
    watch = Watch(rig)
    response = browser.finish(callback)
    assert watch.denied(response, hidden=["555-0100"]) == "declined"
    assert "You declined to sign in" in response.page.text
    again = browser.get(restart_link(response), site="same-origin").location
    landed = browser.finish(rig.cognito.issuer.approve(again, rig.cognito.user("admin")))
    assert landed.header("Location") == "/session?x=1"


def test_FL_16_unsolicited_error_link(rig: Rig) -> None:
    """A stranger's error link shows none of its text, and the session survives it."""
    link = f"/callback?error=x&error_description={EVIL_TEXT}&error_uri=https://evil.example"
    for browser in (rig.signed_in("admin"), rig.browser()):
        before = browser.cookies.save()
        for state in ("", "&state=", "&state=unknown", "&state=a&state=b", "&code=c&state=x"):
            watch = Watch(rig)
            response = browser.finish(link + state)
            watch.denied(response, hidden=["555-0100", "evil.example"])
            assert "555-0100" not in rig.log
            assert browser.cookies.save() == before
            assert browser.me().get("signed_in") is ("portico" in before)


def test_FL_17_wrong_issuer(rig: Rig) -> None:
    """An answer that names another issuer is refused before any token request."""
    issuer = rig.cognito.issuer
    wrong = ("https://evil.example", f"{issuer.issuer}/", issuer.issuer[:-1], "", "%00")
    for iss in (*wrong, issuer.issuer.upper(), f"{issuer.issuer}%00"):
        browser = rig.browser()
        callback = issuer.approve(browser.start(), rig.cognito.user("admin"))
        watch = Watch(rig)
        response = browser.finish(f"{callback}&iss={quote(iss, safe='%')}")
        assert watch.denied(response, hidden=["evil.example"]) == "wrong_issuer", iss
        assert is_anonymous(rig, browser)


def test_FL_17_right_or_absent_issuer(rig: Rig) -> None:
    """The right issuer is accepted, and none where the metadata does not announce one."""
    issuer = rig.cognito.issuer
    for extra in ("", f"&iss={quote(issuer.issuer, safe='')}"):
        browser = rig.browser()
        callback = issuer.approve(browser.start(), rig.cognito.user("admin"))
        assert browser.finish(callback + extra).status == 303
        assert browser.me()["email"] == "admin@example.com"


def test_FL_17_announced_but_absent(rig: Rig) -> None:
    """Where the metadata announces the parameter, an answer without it is refused."""
    issuer = rig.cognito.issuer
    issuer.discovery.alter(lambda document: document.update({ANNOUNCED: True}))
    browser = rig.browser()
    callback = issuer.approve(browser.start(), rig.cognito.user("admin"))
    before = browser.cookies.save()
    watch = Watch(rig)
    assert watch.denied(browser.finish(callback)) == "wrong_issuer"
    browser.cookies.restore(before)
    complete = f"{callback}&iss={quote(issuer.issuer, safe='')}"
    assert browser.finish(complete).status == 303
    assert browser.me()["email"] == "admin@example.com"


def test_FL_18_wrong_method(rig: Rig) -> None:
    """Anything but GET on the callback is a 405, and the code is still there to be spent."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    watch = Watch(rig)
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE"):
        response = browser.request(method, callback)
        assert response.status == 405, method
        assert watch.token_requests == 0, method
        watch.no_session(response)
    assert browser.finish(callback).status == 303
    assert (watch.token_requests, watch.new_sessions) == (1, 1)


HOSTILE = {
    "64 KiB": "a" * 65536,
    "NUL": "c%00de",
    "CR LF": "c%0d%0aAuthorization:%20Basic%20x",
    "LF": "c%0a",
    "TAB": "%09c",
    "invalid UTF-8": "c%ff%fe",
    "surrogate": "%ed%a0%80",
    "blank": "c%20d",
    "plus": "c+d",
    "not ASCII": "%c3%a9",
    "DEL": "c%7f",
    "empty": "",
}


def test_FL_19_hostile_code(rig: Rig) -> None:
    """A code that is no visible ASCII of sane length never leaves, and spends nothing."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    code = query_of(callback)["code"]
    for name, hostile in HOSTILE.items():
        watch = Watch(rig)
        response = browser.finish(callback.replace(code, hostile))
        assert watch.denied(response, hidden=[hostile or "code="]) == "bad_code", name
    state = query_of(callback)["state"]
    watch = Watch(rig)
    assert watch.denied(browser.finish(f"/callback?state={state}")) == "bad_code"
    assert browser.finish(callback).status == 303


def test_FL_19_nothing_injected_outbound(rig: Rig) -> None:
    """A code full of separators goes to the pool as one value and changes no other field."""
    hostile = "c&grant_type=refresh_token&client_id=x;a=b#?%2500+='\"\\{}"
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    code = query_of(callback)["code"]
    watch = Watch(rig)
    response = browser.finish(callback.replace(code, quote(hostile, safe="")))
    assert watch.denied(response, hidden=[hostile], token_requests=1) == "code_refused"
    form = rig.cognito.issuer.token.last.form()
    verifier = form.pop("code_verifier")
    assert len(verifier) == 43
    assert form == {
        "grant_type": "authorization_code",
        "code": hostile,
        "redirect_uri": f"{rig.base_url}/callback",
    }
    assert rig.cognito.issuer.token.last.target == "/oauth2/token"

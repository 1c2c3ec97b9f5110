"""The browser in small behaves like a browser, over both transports."""

import threading
from collections.abc import Iterator
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

import flask
import pytest

from tests.doubles import Browser, Cognito
from tests.doubles.cookies import parse
from tests.unit.doubles.test_page import GOOD, POLICY
from tests.unit.doubles.walk import Walk

SAFE = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Vary": "Cookie"}


def toy(cognito: Cognito) -> flask.Flask:
    """An application of a few lines that signs in at the fake issuer, and echoes."""
    app = flask.Flask(__name__)
    walk = Walk(cognito)

    @app.after_request
    def safe(response: flask.Response) -> flask.Response:
        response.headers.update(SAFE)
        return response

    @app.get("/")
    def home() -> str:
        return GOOD

    @app.get("/login")
    def login() -> flask.Response:
        answer = flask.Response(status=302, headers={"Location": walk.location()})
        answer.set_cookie("next", flask.request.args["next"], httponly=True)
        return answer

    @app.get("/callback")
    def callback() -> flask.Response:
        code = flask.request.args["code"]
        assert walk.exchange(code).status_code == 200
        answer = flask.Response(status=303, headers={"Location": flask.request.cookies["next"]})
        answer.delete_cookie("next")
        answer.set_cookie("session", "s", httponly=True)
        return answer

    @app.get("/me")
    def me() -> tuple[dict[str, object], int]:
        signed_in = "session" in flask.request.cookies
        return {"csrf_token": "t" if signed_in else None}, 200 if signed_in else 401

    @app.route("/echo", methods=["GET", "POST"])
    @app.post("/api/call")
    def echo() -> dict[str, object]:
        headers = {key: value for key, value in flask.request.headers if key != "Cookie"}
        return {
            "headers": headers,
            "form": flask.request.form.to_dict(),
            "query": flask.request.query_string.decode(),
            "cookies": sorted(flask.request.cookies),
        }

    @app.get("/bad")
    def bad() -> str:
        return "<p>no page at all"

    @app.get("/away")
    def away() -> flask.Response:
        return flask.Response(status=302, headers={"Location": "//evil.example/"})

    return app


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture(params=["in process", "over http"])
def browser(request: pytest.FixtureRequest, cognito: Cognito) -> Iterator[Browser]:
    """A browser at the toy, by either transport."""
    app = toy(cognito)
    if request.param == "in process":
        yield Browser.for_app(app, issuer=cognito.issuer)
        return
    with make_server("127.0.0.1", 0, app, handler_class=_Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Browser.over_http(f"http://localhost:{server.server_port}", issuer=cognito.issuer)
        server.shutdown()
        thread.join(5)


def test_walk_of_a_sign_in(browser: Browser, cognito: Cognito) -> None:
    """Sign-in leads over the pool back to the page that was wanted, with the new cookie alone."""
    base = browser.base_url
    cognito.environment(base)
    query = urlencode({"x": "1&2"})
    assert browser.me() == {"csrf_token": None}
    callback = cognito.issuer.approve(browser.start(next=f"/echo?{query}"), cognito.user("admin"))
    answer = browser.finish(callback.replace("http://localhost:8000", base))
    response = browser.follow(answer)
    assert response.json()["query"] == query
    assert response.json()["cookies"] == ["session"]
    assert browser.csrf() == "t"
    assert [cookie.name for cookie in browser.cookies.history] == ["next", "next", "session"]


def test_sign_in_at_once(cognito: Cognito) -> None:
    """One call signs a person in and returns the page behind the callback."""
    browser = Browser.for_app(toy(cognito), issuer=cognito.issuer)
    assert browser.sign_in(cognito.user("viewer"), next="/").page.heading == "Welcome"


def test_headers_of_a_browser(browser: Browser) -> None:
    """A form goes out with Origin and Sec-Fetch headers, which can be overridden or left out."""
    sent = browser.post("/echo", {"a": "b c&d"}).json()
    assert sent["form"] == {"a": "b c&d"}
    assert sent["headers"]["Origin"] == browser.base_url
    assert sent["headers"]["Sec-Fetch-Site"] == "same-origin"
    evil = browser.post("/echo", headers={"Origin": "https://evil", "Sec-Fetch-Mode": None}).json()
    assert evil["headers"]["Origin"] == "https://evil"
    assert "Sec-Fetch-Mode" not in evil["headers"]
    browser.fetch_metadata = False
    old = browser.post("/echo").json()["headers"]
    assert not {"Origin", "Sec-Fetch-Site"} & set(old)


def test_call_of_an_endpoint(browser: Browser) -> None:
    """A call carries endpoint, identity, parameters and the CSRF token, and asks for JSON."""
    browser.cookies["session"] = "s"
    sent = browser.call("secure", "user", id="7").json()
    assert sent["form"] == {
        "endpoint": "secure",
        "identity": "user",
        "csrf_token": "t",
        "id": "7",
    }
    assert sent["headers"]["Accept"] == "application/json"


def test_csrf_token_of_a_page(browser: Browser) -> None:
    """Signed out, the token is taken from a form of the page."""
    assert browser.csrf() == "abc"


def test_bad_page_fails_wherever_it_is_fetched(browser: Browser) -> None:
    """A page with faults fails the test that fetches it, unless inspection is off."""
    with pytest.raises(AssertionError, match="the page has faults"):
        browser.get("/bad")
    browser.inspect_pages = False
    assert browser.get("/bad").status == 200


def test_redirect_that_leads_away_is_not_followed(browser: Browser) -> None:
    """Following an open redirect fails."""
    with pytest.raises(AssertionError, match="leads away"):
        browser.follow(browser.get("/away"))


def test_raw_target_arrives(browser: Browser) -> None:
    """A target with two slashes or odd encoding is sent as it stands."""
    browser.inspect_pages = False
    assert browser.get("//evil.example/echo").status == 404
    assert browser.get("/%65cho?x=%2F").json()["query"] == "x=%2F"


def test_jar_is_strict_about_prefixes(browser: Browser) -> None:
    """A __Host- cookie that a browser would refuse fails the test."""
    browser.cookies.take("__Host-a=1; Path=/; Secure; HttpOnly")
    assert "__Host-a" in browser.cookies
    with pytest.raises(AssertionError, match="refuses"):
        browser.cookies.take("__Host-b=1; Path=/; HttpOnly")
    browser.cookies.take("__Host-a=; Path=/; Secure; Max-Age=0")
    assert browser.cookies.names == []


def test_jar_can_be_rolled_back_and_stolen(browser: Browser) -> None:
    """A saved jar can be put back, and a twin holds its own copy."""
    browser.cookies["session"] = "s"
    saved = browser.cookies.save()
    thief = browser.twin()
    browser.cookies.clear()
    assert thief.me() == {"csrf_token": "t"}
    browser.cookies.restore(saved)
    assert browser.cookies["session"] == "s"


def test_cookie_attributes_are_read() -> None:
    """A Set-Cookie is read with its attributes and its end."""
    cookie = parse("a=b=c; Path=/x; Max-Age=60; SameSite=Lax; Secure")
    assert (cookie.name, cookie.value, cookie.path) == ("a", "b=c", "/x")
    assert cookie.attributes["samesite"] == "Lax"
    assert cookie.expires_at(100) == 160

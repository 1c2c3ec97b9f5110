"""A walk that brings every status that the application has, and rooms that fail unforeseen."""

import sqlite3
from contextlib import closing, redirect_stderr
from dataclasses import replace
from typing import Any

from tests.doubles import Browser, Response
from tests.rig import Rig
from webapp.api.client import ApiClient
from webapp.app import create_app
from webapp.outbound import Outbound
from webapp.services import Services

TICKETS = frozenset({"portico", "__Host-portico"})
STATUSES = {200, 302, 303, 308, 400, 401, 403, 404, 405, 413, 415, 500, 502, 503, 504}
CANARY = "SELECT canary FROM people; /etc/canary.key; db.canary.internal"
FORM = "application/x-www-form-urlencoded"


class Broken:
    """A room in which whatever is asked for fails in a way that nobody foresaw."""

    def __getattr__(self, name: str) -> Any:
        def fail(*_: object, **__: object) -> Any:
            raise RuntimeError(CANARY)

        return fail


def broken_rig(rig: Rig, *rooms: str) -> Rig:
    """The same application on the same store, with these rooms broken."""
    broken: dict[str, Any] = {room: Broken() for room in rooms}
    return _joined(rig, replace(rig.services, **broken))


def _joined(rig: Rig, services: Services) -> Rig:
    # Making an application points the log at the error stream of the moment.
    with redirect_stderr(rig.log_stream):
        app = create_app(rig.settings, services, now=rig.clock)
    return replace(rig, app=app, services=services)


def every_answer(rig: Rig) -> list[Response]:
    """One of each status in every form it has, as somebody signed in and as nobody."""
    nobody, somebody = rig.browser(), rig.signed_in("admin", next="/session")
    for browser in (nobody, somebody):
        browser.session_cookies = TICKETS
        _good(browser)
        _refused(browser)
    broken, hasty = broken_rig(rig, "journey", "wallet", "api"), _hasty(rig)
    answers = [*nobody.responses, *somebody.responses]
    for other in (broken, hasty):
        for before in (nobody, somebody):
            browser = other.browser()
            browser.cookies = before.cookies.copy()
            browser.session_cookies = TICKETS
            _troubled(browser, rig)
            answers += browser.responses
    _behind_http(rig, answers)
    _ended(rig, answers)
    return answers


def _good(browser: Browser) -> None:
    for path in (
        "/",
        "/me",
        "/session",
        "/credentials",
        "/api",
        "/how-it-works",
        "/sign-in-options",
        "/login",
        "/healthz",
        "/readyz",
    ):
        browser.get(path)
        browser.request("HEAD", path)
    sheet = next(e.get("href") or "" for e in browser.get("/").page.elements("link"))
    browser.get(sheet)
    for json in (True, False):
        browser.call("test-plain", "nobody", json=json)
        browser.call("secure", "user", json=json)


def _refused(browser: Browser) -> None:
    for accept in ("text/html", "application/json"):
        headers = {"Accept": accept}
        browser.get("/nowhere", headers=headers)
        browser.get("/callback?code=c&state=s", headers=headers)
        browser.get("/logout", headers=headers)
        browser.get("/", headers=headers | {"Host": "evil.example"})
        browser.post("/api/call", {"endpoint": "secure"}, headers=headers)
        browser.post("/session/refresh", {}, headers=headers)
        browser.post("/logout", headers=headers | {"Content-Type": "text/plain"})
        large = {"csrf_token": "x" * 100_000}
        browser.post("/api/call", large, headers=headers)
        browser.request("OPTIONS", "/", headers=headers)


def _hasty(rig: Rig) -> Rig:
    api = ApiClient(
        Outbound(),
        base=rig.settings.api_endpoint,
        region=rig.settings.aws_region,
        deadline=0.2,
    )
    return _joined(rig, replace(rig.services, api=api))


def _troubled(browser: Browser, rig: Rig) -> None:
    """Broken rooms give 500; a hasty one gives 502 and 504; a store that is away gives 503."""
    for accept in ("text/html", "application/json"):
        headers = {"Accept": accept}
        browser.get("/login", headers=headers)
        form = {"endpoint": "test-plain", "identity": "nobody", "csrf_token": browser.csrf()}
        rig.cognito.api["test-plain"].for_next(2).reset()
        browser.post("/api/call", form, headers=headers)
        rig.cognito.api["test-plain"].heal()
        rig.cognito.api["test-plain"].once.hang()
        browser.post("/api/call", form, headers=headers)
        rig.cognito.api["test-plain"].heal()
        for path in ("/", "/session", "/nowhere", "/me"):
            # A table that is missing is a store that does not answer, for every connection at once.
            _rename(rig, "sessions", "hidden")
            try:
                browser.get(path, headers=headers)
            finally:
                _rename(rig, "hidden", "sessions")


def _rename(rig: Rig, name: str, other: str) -> None:
    with closing(sqlite3.connect(rig.store_path)) as connection:
        connection.execute(f"ALTER TABLE {name} RENAME TO {other}")


def _behind_http(rig: Rig, answers: list[Response]) -> None:
    if not rig.settings.trusted_proxy_hops:
        return
    browser = rig.browser()
    browser.inspect_pages = False
    for method in ("GET", "HEAD", "POST"):
        browser.request(method, "/session?x=1", headers={"X-Forwarded-Proto": "http"})
    answers += browser.responses


def _ended(rig: Rig, answers: list[Response]) -> None:
    """Ended by the provider, pool and provider out of reach, and signed out."""
    ended, leaving = rig.signed_in("viewer"), rig.signed_in("manager")
    rig.cognito.pool.get_credentials.once.aws_error("InvalidIdentityPoolConfigurationException")
    leaving.get("/credentials")
    rig.cognito.issuer.pool.revoke_all(rig.cognito.user("viewer"))
    ended.post("/session/refresh", {"csrf_token": ended.csrf()})
    rig.cognito.issuer.token.once.answer(503)
    leaving.post("/session/refresh", {"csrf_token": leaving.csrf()})
    leaving.sign_out("cognito")
    answers += [*ended.responses, *leaving.responses]

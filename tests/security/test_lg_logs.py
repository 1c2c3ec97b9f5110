"""LG: one event, one line, no secret; and enough in it to tell what happened."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path

import pytest

from tests.doubles import Browser
from tests.rig import SECURE_URL, Rig, rigged
from tests.security.answers import CANARY, TICKETS, every_answer
from tests.security.events import event_lines
from tests.security.rows import dump
from tests.security.served import Served
from webapp.observe import LONGEST_VALUE, configure, event

NASTY = (
    "a\r\nINJECTED: 1",
    'b\n{"event":"signed_in","subject":"admin"}',
    "\x1b[2J\x1b[31mred",
    "c\u2028d\u2029e\x85f",
    "\u202eexe.gnp",
    "g\x00h\x0bi\x7f",
    "\ud800",
    "x" * 1_000_000,
    '","event":"forged',
)


@contextmanager
def _logging_anew() -> Iterator[StringIO]:
    """Events and library lines as a fresh process would write them."""
    root, stream = logging.getLogger(), StringIO()
    held, root.handlers = root.handlers, []
    try:
        with redirect_stderr(stream):
            configure("DEBUG", "json")
        yield stream
    finally:
        root.handlers = held
        configure("WARNING", "json")


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: ascii(text[:12]))
def test_LG_01_one_event_is_one_line(nasty: str) -> None:
    """Whatever a fact holds, its event is one line of JSON, printable and cut."""
    with _logging_anew() as stream:
        event(
            "probe", text=nasty, parts=[nasty, {"x": nasty}], raw=nasty.encode("utf-8", "replace")
        )
        logging.getLogger("urllib3.connectionpool").warning("pool is full: %s", nasty)
        try:
            raise RuntimeError(CANARY + nasty)
        except RuntimeError:
            logging.getLogger("webapp").exception("Exception on %s", nasty)
    lines = event_lines(stream.getvalue())
    assert [line["event"] for line in lines] == ["probe", "library", "library"]
    assert len(stream.getvalue()) < 5 * LONGEST_VALUE * 6
    for line in lines:
        for value in line.values():
            assert not set(str(value)) & set("\r\n\x1b\u2028\u2029\u202e\x00\x85"), line
    assert lines[2]["error"] == "RuntimeError"
    assert "canary" not in stream.getvalue()


def test_LG_01_through_every_input(rig: Rig) -> None:
    """Nothing that comes with a request or from the pool makes a line of its own."""
    browser = rig.signed_in()
    token = browser.csrf()
    for nasty in NASTY:
        text = nasty[:2000].encode("utf-8", "replace").decode()
        header = text.encode("ascii", "replace").decode().replace("\r", "").replace("\n", "")
        for path in ("/callback", "/login", "/", "/nowhere"):
            names = ("code", "state", "error", "next", "login_hint", text[:9])
            query = dict.fromkeys(names, text)
            browser.get(path, query, headers={"User-Agent": header, "Referer": header})
        browser.post("/logout", {"csrf_token": token, "depth": text})
        browser.post("/api/call", {"csrf_token": token, "endpoint": text, "identity": text})
        browser.finish(rig.cognito.issuer.decline(browser.start(), text))
        rig.cognito.issuer.token.once.answer(400, {"error": text})
        browser.post("/session/refresh", {"csrf_token": token})
    events = {line["event"] for line in event_lines(rig.log)}
    assert {"refused", "request"} <= events
    assert not events & {"forged", "INJECTED"}
    assert max(len(line) for line in rig.log.splitlines()) < 4_000


def _secrets_of(rig: Rig, browsers: list[Browser]) -> dict[str, set[str]]:
    """Everything of the walk that nobody else may have, by kind."""
    issuer, vault = rig.cognito.issuer, rig.cognito.vault
    grants = issuer.grants()
    starts = [request.query_fields() for request in issuer.authorize.requests]
    cookies = {cookie.value for browser in browsers for cookie in browser.cookies.history}
    found = {
        "code": {grant["code"] for grant in grants if "code" in grant},
        "verifier": {grant["code_verifier"] for grant in grants if "code_verifier" in grant},
        "state": {start["state"] for start in starts},
        "nonce": {start["nonce"] for start in starts},
        "token": {*issuer.mint.id_token.minted, *issuer.mint.access_token.minted},
        "refresh token": set(issuer.pool.refresh_tokens),
        "AWS secret": {keys.secret_key for keys in vault.issued},
        "AWS session token": {keys.session_token for keys in vault.issued},
        "cookie": cookies - {""},
        "client secret": {"canary+client/secret=7f3a", "canary%2Bclient%2Fsecret%3D7f3a"},
        "key": {rig.settings.secret_key.decode()},
        "CSRF token": {str(b.me()["csrf_token"]) for b in browsers if b.me()["signed_in"]},
    }
    # Parts betray as much as the whole: signatures, and the beginning of what is long.
    found["token"] |= {part for token in found["token"] for part in token.split(".")[1:]}
    for kind in ("refresh token", "AWS session token", "cookie"):
        found[kind] |= {text[:40] for text in found[kind] if len(text) > 40}
    assert all(found.values()), [kind for kind, values in found.items() if not values]
    return found


def test_LG_02_canary_secrets(tmp_path: Path) -> None:
    """After a broad walk at DEBUG no secret is in the log, on a page or in the store."""
    libraries = StringIO()
    handler = logging.StreamHandler(libraries)
    root = logging.getLogger()
    level = root.level
    with rigged(
        tmp_path,
        base_url=SECURE_URL,
        client_secret="canary+client/secret=7f3a",
        TRUSTED_PROXY_HOPS="1",
    ) as rig:
        # As an operator would who turns everything up, libraries included.
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            answers = every_answer(rig)
            walkers = _broad_walk(rig)
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        answers += [answer for walker in walkers for answer in walker.responses]
        secrets = _secrets_of(rig, walkers)
        log, store = rig.log + libraries.getvalue(), dump(rig.store_path)
    assert '"level": "debug"' in log
    assert len(store) > 8192
    for kind, values in secrets.items():
        for value in values:
            assert value not in log, f"{kind} in the log"
            assert value.encode() not in store, f"{kind} in the store"
    for name in (b"admin@example.com", b"eyJ", b"ASIA"):
        assert name not in store
    hidden = secrets.keys() - {"CSRF token"}  # a form needs it
    for answer in answers:
        for kind in hidden:
            assert not [v for v in secrets[kind] if v in answer.text], f"{kind} in {answer}"


def _broad_walk(rig: Rig) -> list[Browser]:
    """Sign-in, refresh, calls, sign-outs, and failures of each part."""
    issuer, walkers = rig.cognito.issuer, []
    for user in ("admin", "both"):
        browser = rig.browser()
        browser.session_cookies = TICKETS
        walkers.append(browser)
        browser.get(issuer.decline(browser.start()), site="cross-site")
        issuer.token.once.answer(400, {"error": "invalid_grant", "error_description": "canary"})
        browser.finish(issuer.approve(browser.start(), rig.cognito.user(user)))
        issuer.token.once.answer(500, "<html>canary")
        browser.finish(issuer.approve(browser.start(), rig.cognito.user(user)))
        issuer.mint.id_token(lambda _, claims: claims.update(aud="stranger"), times=1)
        browser.finish(issuer.approve(browser.start(), rig.cognito.user(user)))
        browser.sign_in(rig.cognito.user(user), next="/session")
        form = {"csrf_token": browser.csrf()}
        browser.post("/session/refresh", form)
        browser.post("/session/userinfo", form)
        for identity in ("nobody", "guest", "user", "bearer-access", "bearer-id"):
            browser.call("whoami", identity)
            browser.call("protected", identity, json=False)
        rig.cognito.pool.get_credentials.once.aws_error("NotAuthorizedException", "Token canary")
        rig.clock.advance(1700)
        browser.call("secure", "user")
        issuer.revoke.once.answer(503)
        browser.get("/credentials")
        if user == "admin":
            browser.sign_out("everywhere")
            browser.sign_in(rig.cognito.user(user))
            issuer.user_info.once.answer(401)
            browser.post("/session/userinfo", {"csrf_token": browser.csrf()})
            browser.sign_in(rig.cognito.user(user))
    return walkers


def test_LG_03_query_of_the_callback(served: Served) -> None:
    """Neither gunicorn nor the application writes the query, or any path, of a request."""
    browser = served.browser()
    callback = served.cognito.issuer.approve(browser.start(), served.cognito.user("admin"))
    assert browser.finish(callback).status == 303
    for target in ("/callback?code=canary1&state=canary2", "/login?login_hint=canary3@example.com"):
        browser.get(target)
    browser.get("/canary4?canary5")
    code, state = (part.partition("=")[2] for part in callback.partition("?")[2].split("&"))
    for text in (code, state, "canary1", "canary2", "canary3", "canary4", "canary5"):
        assert text not in served.log
    assert '"signed_in"' in served.log

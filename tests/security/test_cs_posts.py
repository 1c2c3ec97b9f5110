"""CS: forms that another site, another session or another method sends."""

from urllib.parse import urlencode

import pytest

from tests.doubles import Browser
from tests.rig import Rig
from tests.security.rows import living

POSTS = ("/logout", "/api/call", "/session/refresh", "/session/userinfo")
CALL = {"endpoint": "secure", "identity": "user", "depth": "everywhere"}


def _nothing_happened(rig: Rig, browser: Browser) -> None:
    """No sign-out, no call, no refresh, no userInfo: nothing left this server."""
    issuer = rig.cognito.issuer
    assert rig.cognito.api.calls == []
    assert issuer.grants("refresh_token") == []
    assert issuer.revoke.count == issuer.global_sign_out.count == issuer.user_info.count == 0
    assert rig.cognito.pool.get_id.count == 0
    assert living(rig.store_path, rig.clock()) >= 1
    assert browser.me()["signed_in"] is True


@pytest.mark.parametrize("destination", ["document", "image"])
def test_CS_01_sign_out_by_another_method(rig: Rig, destination: str) -> None:
    """Only a post signs out: a link, an image or a prefetch leaves the session alive."""
    browser = rig.signed_in()
    headers = {"Sec-Fetch-Dest": destination, "Sec-Fetch-Site": "cross-site"}
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
        for query in ("", "?depth=everywhere", f"?csrf_token={browser.csrf()}&depth=app"):
            answer = browser.request(method, f"/logout{query}", headers=headers)
            assert answer.status == 405
            assert answer.header("Set-Cookie") is None
    _nothing_happened(rig, browser)


def test_CS_02_no_token(rig: Rig) -> None:
    """A valid cookie without the form's token, or with it twice or empty, is 403 without effect."""
    browser = rig.signed_in()
    token = browser.csrf()
    fields = list(CALL.items())
    for path in POSTS:
        for extra in ([], [("csrf_token", "")], [("csrf_token", token)] * 2, [("csrf", token)]):
            assert browser.post(path, [*fields, *extra]).status == 403
        # Elsewhere than in the form it does not count.
        assert browser.post(f"{path}?csrf_token={token}", CALL).status == 403
        assert browser.post(path, CALL, headers={"X-CSRF-Token": token}).status == 403
    _nothing_happened(rig, browser)


CROSS: dict[str, dict[str, str | None]] = {
    "evil": {"Origin": "https://evil.example"},
    "null": {"Origin": "null"},
    "empty": {"Origin": ""},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "cross-site without Origin": {"Origin": None, "Sec-Fetch-Site": "cross-site"},
    "evil of an old browser": {"Origin": "https://evil.example", "Sec-Fetch-Site": None},
    "other port": {"Origin": "http://localhost:8001"},
    "other scheme": {"Origin": "https://localhost:8000"},
    "other name": {"Origin": "http://127.0.0.1:8000"},
    "suffix": {"Origin": "http://localhost:8000.evil.example"},
    "path": {"Origin": "http://localhost:8000/"},
    "list": {"Origin": "http://localhost:8000, https://evil.example"},
    "odd site": {"Sec-Fetch-Site": "same-origin, cross-site"},
}


def test_CS_03_another_origin(rig: Rig) -> None:
    """With valid cookie and token, a post from another origin is 403 and does nothing."""
    browser = rig.signed_in()
    form = CALL | {"csrf_token": browser.csrf()}
    for name, headers in CROSS.items():
        for path in POSTS:
            assert browser.post(path, form, headers=headers).status == 403, name
    _nothing_happened(rig, browser)


def test_CS_04_sibling_subdomain(secure_rig: Rig) -> None:
    """A post from a sibling subdomain is as foreign as any other."""
    browser = secure_rig.signed_in()
    form = CALL | {"csrf_token": browser.csrf()}
    sibling = "https://blog.example.com"
    for headers in (
        {"Origin": sibling, "Sec-Fetch-Site": "same-site"},
        {"Origin": None, "Sec-Fetch-Site": "same-site"},
        {"Origin": sibling, "Sec-Fetch-Site": None},
    ):
        for path in POSTS:
            assert browser.post(path, form, headers=headers).status == 403
    _nothing_happened(secure_rig, browser)


def test_CS_05_token_of_elsewhere(rig: Rig) -> None:
    """Another session's token, one of before the sign-in, or a damaged one is 403."""
    browser, guest = rig.browser(), rig.browser()
    before = browser.csrf()
    browser.sign_in(rig.cognito.user("admin"))
    first = browser.csrf()
    browser.sign_in(rig.cognito.user("admin"))
    guest.call("test-public", "guest")
    for double in (rig.cognito.issuer.revoke, rig.cognito.pool.get_id):
        double.forget()
    rig.cognito.api.calls.clear()
    good = browser.csrf()
    foreign = {
        "of nobody, before the sign-in": before,
        "of the session before": first,
        "of another person": rig.signed_in("viewer").csrf(),
        "of another session of this person": rig.signed_in("admin").csrf(),
        "of a guest": guest.csrf(),
        "truncated": good[:-1],
        "longer": good + "0",
        "other case": good.upper(),
        "one character off": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "not ASCII": "\u00e4" * 43,
        "the ticket": browser.cookies["portico"],
    }
    for name, token in foreign.items():
        for path in POSTS:
            assert browser.post(path, CALL | {"csrf_token": token}).status == 403, name
    _nothing_happened(rig, browser)


def test_CS_05_token_of_before_rotation(rig: Rig) -> None:
    """When a change of groups brings a new ticket, the old ticket's token is worth nothing."""
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = 600
    browser = rig.signed_in("viewer")
    old, ticket = browser.csrf(), browser.cookies["portico"]
    rig.cognito.user("viewer").groups = ["Manager"]
    rig.clock.advance(595)
    assert browser.me()["groups"] == ["Manager"]
    assert browser.cookies["portico"] != ticket
    assert browser.post("/logout", {"csrf_token": old}).status == 403
    assert browser.me()["signed_in"] is True
    assert browser.post("/logout", {"csrf_token": browser.csrf()}).status == 303


def test_CS_05_signed_in_page_of_before_is_worth_nothing_after(rig: Rig) -> None:
    """The token of a session that ended is no token of nobody's either."""
    browser = rig.signed_in()
    old = browser.csrf()
    browser.sign_out("app")
    form = {"endpoint": "test-plain", "identity": "nobody", "csrf_token": old}
    assert browser.post("/api/call", form).status == 403
    assert rig.cognito.api.calls == []


def test_CS_06_old_client(rig: Rig) -> None:
    """A client without Origin and Sec-Fetch works with the token, and is 403 without it."""
    browser = rig.signed_in()
    browser.fetch_metadata = False
    for path in POSTS:
        assert browser.post(path, CALL).status == 403
    _nothing_happened(rig, browser)
    assert browser.call("secure", "user").json()["status"] == 200
    assert browser.sign_out("app").status == 303
    assert browser.me()["signed_in"] is False


TYPES = (
    "application/json", "text/plain", "multipart/form-data; boundary=x", "application/xml", "",
    "application/x-www-form-urlencoded-x", "text/html", "multipart/form-data", "*/*",
)  # fmt: skip


def test_CS_07_odd_content_type(rig: Rig) -> None:
    """Only an ordinary form is read; whatever else carries the fields is 415."""
    browser = rig.signed_in()
    token = browser.csrf()
    form = CALL | {"csrf_token": token}
    json_like = b'{"csrf_token":"%s","endpoint":"secure"}' % token.encode()
    parts = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form.items()
    )
    bodies = (urlencode(form).encode(), json_like, parts + b"--x--\r\n")
    for content_type in TYPES:
        for body, path in ((body, path) for body in bodies for path in POSTS):
            headers = {"Content-Type": content_type, "Origin": rig.base_url}
            answer = browser.request("POST", path, headers=headers, body=body)
            assert answer.status == 415, content_type
    _nothing_happened(rig, browser)


def test_CS_07_method_override(rig: Rig) -> None:
    """The method is the request's own: no header and no field makes it another."""
    browser = rig.signed_in()
    token = browser.csrf()
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        for path in POSTS:
            target = f"{path}?_method=POST&csrf_token={token}"
            assert browser.get(target, headers={header: "POST"}).status == 405
        for path in ("/session", "/credentials", "/me", "/"):
            form = {"_method": "GET", "csrf_token": token}
            assert browser.post(path, form, headers={header: "GET"}).status == 405
    _nothing_happened(rig, browser)


def test_CS_08_api_call_by_get(rig: Rig) -> None:
    """GET calls nothing: 405, and neither the API nor the identity pool hears of it."""
    browser = rig.signed_in()
    for identity in ("nobody", "guest", "user", "bearer-access", "bearer-id"):
        query = {"endpoint": "secure", "identity": identity, "csrf_token": browser.csrf()}
        for method in ("GET", "HEAD"):
            assert browser.request(method, f"/api/call?{urlencode(query)}").status == 405
    _nothing_happened(rig, browser)

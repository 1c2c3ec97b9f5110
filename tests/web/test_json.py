"""What programs get: /me, POST /api/call and errors as JSON, exactly."""

import re
import sqlite3
from contextlib import closing

import pytest

from tests.doubles.users import ADMIN_ROLE
from tests.rig import Rig

JSON = {"Accept": "application/json"}


def test_me_signed_out(rig: Rig) -> None:
    """/me of nobody is 401 and holds the proof for a stranger's forms."""
    response = rig.browser().get("/me", headers=JSON)
    assert response.status == 401
    assert set(response.json()) == {"signed_in", "csrf_token"}
    assert response.json()["signed_in"] is False
    assert response.header_values("Set-Cookie") == []


def test_me_signed_in(rig: Rig) -> None:
    """/me of somebody says who it is, with which rights and how long yet, and no token."""
    browser = rig.signed_in("admin")
    response = browser.get("/me", headers=JSON)
    assert response.status == 200
    user = rig.cognito.user("admin")
    me = response.json()
    assert re.fullmatch(r"[0-9a-f]{43}", me.pop("csrf_token"))
    left = me.pop("seconds_left")
    assert me == {
        "signed_in": True,
        "sub": user.sub,
        "username": user.username,
        "email": "admin@example.com",
        "groups": ["Admin"],
        "role": ADMIN_ROLE,
    }
    assert set(left) == {"token", "credentials", "session"}
    assert 3590 < left["token"] <= 3600
    assert left["credentials"] is None
    assert 1790 < left["session"] <= 1800
    assert "eyJ" not in response.text
    assert "no-store" in (response.header("Cache-Control") or "")
    browser.call("whoami", "user")
    assert 3590 < browser.me()["seconds_left"]["credentials"] <= 3600


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json", None])
def test_me_is_always_json(rig: Rig, accept: str | None) -> None:
    """/me is JSON whatever the client takes: signed in, out, or with the store out of order."""
    browser = rig.signed_in("viewer")
    assert browser.get("/me", headers={"Accept": accept}).json()["signed_in"] is True
    assert rig.browser().get("/me", headers={"Accept": accept}).json()["signed_in"] is False
    with closing(sqlite3.connect(rig.store_path)) as store:
        store.execute("ALTER TABLE sessions RENAME TO away")
    broken = browser.get("/me", headers={"Accept": accept})
    assert broken.status == 503
    assert broken.json()["error"] == "store_unavailable"


def test_guest_is_not_signed_in(rig: Rig) -> None:
    """A guest who has a session is nobody to /me, and its proof is that of the guest's session."""
    browser = rig.browser()
    browser.call("test-public", "guest")
    assert "portico" in browser.cookies
    response = browser.get("/me", headers=JSON)
    assert (response.status, response.json()["signed_in"]) == (401, False)
    form = {"csrf_token": response.json()["csrf_token"]}
    call = form | {"endpoint": "test-public", "identity": "guest"}
    assert browser.post("/api/call", call, json=True).status == 200


def test_call(rig: Rig) -> None:
    """A call answers 200 with all that the API said, whatever its status, secrets cut."""
    browser = rig.signed_in("admin")
    response = browser.call("vip", "user")
    assert response.status == 200
    answer = response.json()
    assert set(answer) == {
        "endpoint", "identity", "status", "reason", "ok", "expected", "milliseconds", "headers",
        "body", "body_kind", "cut", "request_id", "role", "request", "explanation", "split", "rule",
    }  # fmt: skip
    assert (answer["endpoint"], answer["identity"]) == ("vip", "user")
    assert (answer["status"], answer["ok"], answer["expected"]) == (200, True, 200)
    assert answer["body"]["caller"]["role"] == answer["role"] == ADMIN_ROLE
    assert (answer["body_kind"], answer["cut"]) == ("JSON", False)
    assert answer["request_id"]
    assert answer["milliseconds"] > 0
    assert answer["request"]["method"] == "GET"
    assert answer["request"]["url"] == f"{rig.cognito.api.url}/vip"
    sent = dict(answer["request"]["headers"])
    assert "eyJ" not in response.text
    assert "AWS4-HMAC-SHA256" in sent["Authorization"]
    keys = rig.cognito.vault.issued[-1]
    assert keys.secret_key not in response.text
    assert keys.session_token not in response.text
    assert [line["about"] for line in answer["explanation"]][:2] == [
        "Who asked",
        "Under which role",
    ]


CALLS = (
    (None, "test-plain", "nobody", 200),
    (None, "test-public", "nobody", 403),
    (None, "test-public", "guest", 200),
    (None, "test-auth", "guest", 403),
    ("viewer", "vip", "user", 403),
    ("viewer", "secure", "user", 200),
    ("viewer", "protected", "bearer-access", 200),
    ("viewer", "protected", "bearer-id", 403),
    ("viewer", "protected", "nobody", 401),
    ("nobody", "test-auth", "user", 200),
    ("both", "whoami", "user", 200),
)


def test_calls(rig: Rig) -> None:
    """Each identity gets what the catalogue expects, and the answer says so."""
    for user, endpoint, identity, status in CALLS:
        browser = rig.signed_in(user) if user else rig.browser()
        answer = browser.call(endpoint, identity).json()
        assert (answer["status"], answer["expected"]) == (status, status), (endpoint, identity)
        assert answer["ok"] is (status == 200)


def test_parameters(rig: Rig) -> None:
    """An endpoint's parameter arrives as one value, and a bad one is refused before the call."""
    browser = rig.browser()
    answer = browser.call("test-plain", "nobody", note="a&b=c d").json()
    assert answer["body"]["query"] == "note=a%26b%3Dc%20d"
    calls = len(rig.cognito.api.calls)
    refused = browser.call("test-plain", "nobody", note="é")
    assert (refused.status, refused.json()["error"]) == (400, "bad_input")
    assert len(rig.cognito.api.calls) == calls


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"endpoint": "nowhere"}, 400, "bad_input"),
        ({"identity": "root"}, 400, "bad_input"),
        ({"endpoint": ""}, 400, "bad_input"),
        ({"csrf_token": "x"}, 403, "csrf"),
        ({"identity": "user"}, 401, "signed_out"),
    ],
)
def test_refused_calls(rig: Rig, change: dict[str, str], status: int, error: str) -> None:
    """What is refused comes as JSON with a code, a sentence and the request's number."""
    browser = rig.browser()
    form = {"csrf_token": browser.csrf(), "endpoint": "test-plain", "identity": "nobody"} | change
    response = browser.post("/api/call", form, json=True)
    assert response.status == status
    refusal = response.json()
    assert set(refusal) == {"error", "message", "signed_in", "request_id"}
    assert refusal["error"] == error
    assert refusal["message"].endswith(".")
    assert refusal["signed_in"] is (False if status == 401 else None)
    assert refusal["request_id"] in rig.log
    assert rig.cognito.api.calls == []


ACCEPTED = {
    "application/json": True,
    "application/json, text/plain, */*": True,
    "application/json;q=0.9, text/html;q=0.8": True,
    "text/html;q=0.8, application/json": True,
    "text/html, application/json;q=0.9": False,
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": False,
    "*/*": False,
    "": False,
    "application/json;q=0": False,
    "nonsense json": False,
}


def test_who_gets_json(rig: Rig) -> None:
    """JSON comes to those who prefer it to a page; everybody else gets a page."""
    for accept, is_json in ACCEPTED.items():
        response = rig.browser().get("/no-such-page", headers={"Accept": accept})
        assert response.status == 404
        assert response.is_html is not is_json, accept
        if is_json:
            assert response.json()["error"] == "not_found"


ERRORS = [("GET", "/nowhere", 404), ("DELETE", "/", 405), ("POST", "/me", 405)]


def test_error_pages(rig: Rig) -> None:
    """Every error is ours, as a page with one heading and a number, or as JSON with the same."""
    for method, path, status in [*ERRORS, ("GET", "/logout", 405)]:
        for wants in ("text/html", "application/json"):
            response = rig.browser().request(method, path, headers={"Accept": wants})
            assert response.status == status
            if wants == "application/json" or path == "/me":
                number = response.json()["request_id"]
            else:
                assert response.page.heading
                number = next(response.page.elements("code")).text or ""
            assert re.fullmatch(r"[0-9a-f]{16}", number)
            assert (response.header("Allow") is not None) is (status == 405)


def test_unforeseen(rig: Rig) -> None:
    """A fault of ours is a plain 500 with a number; what broke stands in the log alone."""

    def broken() -> str:
        raise RuntimeError("a secret detail")

    rig.app.view_functions["home.home"] = broken
    page = rig.browser().get("/")
    assert page.status == 500
    assert "secret detail" not in page.text
    answer = rig.browser().get("/", headers=JSON)
    assert (answer.status, answer.json()["error"]) == (500, "internal_server_error")
    assert "RuntimeError" in rig.log
    assert "secret detail" not in rig.log

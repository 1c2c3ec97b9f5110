"""OU-14: a fault that nobody foresaw, on every route."""

import re

import pytest

from tests.doubles import Browser, Response
from tests.rig import Rig
from tests.security.answers import CANARY, broken_rig

BREAKS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("GET", "/login", ("journey",)),
    ("GET", "/callback?code=c&state=STATE", ("journey",)),
    ("GET", "/", ("vault",)),
    ("GET", "/me", ("vault",)),
    ("GET", "/session", ("vault",)),
    ("GET", "/credentials", ("wallet",)),
    ("GET", "/api", ("vault",)),
    ("GET", "/readyz", ("store",)),
    ("POST", "/logout", ("sign_out",)),
    ("POST", "/api/call", ("calling",)),
    ("GET", "/api/compare", ("vault",)),
    ("POST", "/session/refresh", ("freshness",)),
)


@pytest.mark.parametrize(("method", "path", "rooms"), BREAKS, ids=lambda p: str(p).strip("/"))
def test_OU_14_unforeseen(rig: Rig, method: str, path: str, rooms: tuple[str, ...]) -> None:
    """A fault that nobody foresaw gives a page with a number alone, on every route."""
    held = rig.signed_in()
    form = {"csrf_token": held.csrf(), "endpoint": "test-plain", "identity": "nobody"}
    browser = broken_rig(rig, *rooms).browser()
    browser.cookies = held.cookies.copy()
    for accept in ("text/html", "application/json"):
        answer = _asked(browser, method, path, form, accept)
        assert answer.status == 500, str(answer)
        numbers = re.findall(r"\b[0-9a-f]{16}\b", answer.text)
        assert numbers
        # The number finds the moment in the log, and neither says what broke inside.
        assert any(number in rig.log for number in numbers)
        for telling in (
            *CANARY.split(),
            "Traceback",
            "RuntimeError",
            ".py",
            "site-packages",
            "/work",
        ):
            assert telling not in answer.text, telling
        assert answer.header("Content-Security-Policy") is not None
        assert answer.header("Set-Cookie") is None
    assert CANARY not in rig.log
    assert "Traceback" not in rig.log
    assert held.me()["signed_in"] is True


def test_OU_14_trouble_within_an_error_page(rig: Rig) -> None:
    """An error page that cannot have the session goes without it, and keeps its status."""
    browser = broken_rig(rig, "vault").browser()
    browser.cookies = rig.signed_in().cookies
    for path, status in (("/nowhere", 404), ("/logout", 405), ("/callback", 400)):
        answer = browser.get(path)
        assert answer.status in (status, 500)
        assert answer.status == status or path == "/callback"
        assert CANARY not in answer.text
    assert CANARY not in rig.log
    assert "Traceback" not in rig.log


def _asked(browser: Browser, method: str, path: str, form: dict[str, str], accept: str) -> Response:
    headers = {"Accept": accept}
    return (
        browser.post(path, form, headers=headers)
        if method == "POST"
        else browser.get(path, headers=headers)
    )

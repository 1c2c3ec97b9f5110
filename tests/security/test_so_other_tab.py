"""A page that was open when another tab's request changed the ticket can still sign out."""

import pytest

from tests.doubles.browser import Browser
from tests.rig import Rig
from tests.security.outcomes import is_anonymous, living_sessions

TICKET = "portico"


def _regrouped(rig: Rig) -> tuple[Browser, Browser, str]:
    """A browser whose ticket changed, a copy with the old ticket, and an old page's token."""
    browser = rig.signed_in("viewer")
    token, old = browser.csrf(), browser.twin()
    rig.cognito.user("viewer").groups = ["Manager"]
    assert browser.post("/session/refresh", {"csrf_token": token}).status == 303
    assert browser.cookies[TICKET] != old.cookies[TICKET]
    return browser, old, token


@pytest.mark.parametrize("depth", ["app", "cognito", "everywhere", "switch"])
def test_SO_07_from_a_page_of_before(rig: Rig, depth: str) -> None:
    """The old page's button, on its way with the old ticket, ends the session under its new one."""
    browser, old, token = _regrouped(rig)
    response = old.post("/logout", {"csrf_token": token, "depth": depth})
    assert response.status == 303
    assert TICKET not in old.cookies
    assert living_sessions(rig) == 0
    assert is_anonymous(rig, browser)
    assert rig.cognito.issuer.pool.occasions[-1].revoked is (depth != "app")


def test_CS_05_an_old_page_with_the_new_ticket(rig: Rig) -> None:
    """Where the browser shows the new ticket already, the old page's token is worth nothing."""
    browser, _, token = _regrouped(rig)
    assert browser.post("/logout", {"csrf_token": token}).status == 403
    assert browser.me()["signed_in"] is True


@pytest.mark.parametrize("in_flight", [True, False])
def test_SO_07_a_foreign_token_signs_nobody_out(rig: Rig, in_flight: bool) -> None:
    """The proof of intent must be of this session's own past: another person's is refused."""
    browser, old, _ = _regrouped(rig)
    pressed = old if in_flight else browser
    for token in (rig.signed_in("admin").csrf(), "", "x"):
        assert pressed.post("/logout", {"csrf_token": token}).status == 403
    assert browser.me()["email"] == "viewer@example.com"


def test_SE_17_an_old_page_does_nothing_else(rig: Rig) -> None:
    """An old page's token is good for nothing but signing out."""
    browser, _, token = _regrouped(rig)
    before = rig.cognito.issuer.token.count
    assert browser.post("/session/refresh", {"csrf_token": token}).status == 403
    form = {"csrf_token": token, "endpoint": "test-plain", "identity": "nobody"}
    assert browser.post("/api/call", form).status == 403
    assert rig.cognito.issuer.token.count == before


def test_SE_17_an_old_ticket_opens_nothing(rig: Rig) -> None:
    """By the old ticket nobody sees a page or is handed the new ticket, not even a moment later."""
    browser, old, _ = _regrouped(rig)
    for page in ("/", "/session", "/me", "/credentials", "/sessions"):
        response = old.get(page)
        assert browser.cookies[TICKET] not in repr(response.headers) + response.text
        assert "viewer@example.com" not in response.text
    assert is_anonymous(rig, old)

"""The first walk: look in from outside, as nobody and as a guest."""

from tests.browser.visitor import Visitor


def test_the_home_page_says_what_this_is(visitor: Visitor) -> None:
    """Somebody unknown finds one big way in, a way to try, and nobody's name."""
    assert visitor.go("/") == 200
    visitor.shot("1-home")
    assert visitor.signed_in_as() is None
    assert visitor.page.get_by_role("main").get_by_role("link", name="Sign in").first.is_visible()
    visitor.press("Try as a guest")
    assert visitor.path == "/api"


def test_nobody_and_guest_get_as_far_as_they_may(visitor: Visitor) -> None:
    """Open answers nobody, public answers the guest, and the third tells the guest why not."""
    visitor.go("/api")
    visitor.shot("1-console")
    assert visitor.call("test-plain", "nobody") == 200
    visitor.shot("1-nobody")
    assert visitor.call("test-public", "nobody") == 403
    assert visitor.call("test-public", "guest") == 200
    assert "portico-guest" in visitor.text
    visitor.shot("1-guest")

    assert visitor.call("test-auth", "guest") == 403
    visitor.shot("1-guest-refused")
    assert "as expected" in visitor.text
    assert "Why the answer was no" in visitor.text
    assert "guest" in visitor.page.locator(".why").inner_text()


def test_a_guest_cannot_press_what_needs_a_sign_in(visitor: Visitor) -> None:
    """Three identities are shut, the page says why, and offers to sign in."""
    visitor.go("/api")
    door = visitor.page.locator("#secure")
    for identity, shut in (("guest", False), ("user", True), ("bearer-access", True)):
        assert door.locator(f"button[value={identity}]").is_disabled() is shut
    assert "Sign in first." in visitor.text
    visitor.press("Sign in")
    assert visitor.asked_to_sign_in


def test_an_address_that_is_none(visitor: Visitor) -> None:
    """An unknown address is a page with a way home, with nothing of the address in it."""
    assert visitor.go("/nowhere-at-all") == 404
    visitor.shot("1-missing")
    assert "nowhere-at-all" not in visitor.page.content()
    visitor.press("To the home page")
    assert visitor.path == "/"

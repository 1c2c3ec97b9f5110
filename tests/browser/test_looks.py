"""Every page as a phone and as a dark screen show it; the pictures are there to be looked at."""

from typing import Any

import pytest

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import PHONE, Visitor

LOOKS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": PHONE, "has_touch": True},
    "dark": {"color_scheme": "dark"},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_in_another_light(new_visitor: NewVisitor, look: str) -> None:
    """All pages, signed out and signed in, stand on a narrow or a dark screen."""
    visitor = new_visitor(folder=look, **LOOKS[look])
    _signed_out(visitor)
    _at_managed_login(visitor)
    _signed_in(visitor)
    if "dark" in look:
        assert _brightness(visitor) < 80
    else:
        assert _brightness(visitor) > 200


def test_forced_colours_and_reduced_motion(new_visitor: NewVisitor) -> None:
    """With reduced motion and forced colours the pages are still whole."""
    visitor = new_visitor(folder="forced-colours", forced_colors="active", reduced_motion="reduce")
    visitor.go("/")
    visitor.shot("1-home")
    visitor.call("test-auth", "guest")
    visitor.shot("1-guest-refused")


@pytest.mark.parametrize("path", ["/tour", "/how-it-works", "/access"])
def test_on_paper(new_visitor: NewVisitor, path: str) -> None:
    """A presenter prints the page: no frame, nothing to press, black on white, no wider than A4."""
    visitor = new_visitor(folder="paper", viewport={"width": 794, "height": 1123})
    visitor.go(path)
    visitor.page.emulate_media(media="print", color_scheme="dark")
    assert visitor.page.get_by_role("main").is_visible()
    for gone in ("header nav", "header .who", ".demo-strip", ".tour", "main .button"):
        assert not visitor.page.locator(gone).filter(visible=True).count(), gone
    assert _brightness(visitor) == 255
    visitor.inspect()
    visitor.shot(f"paper{path.replace('/', '-')}")


def _signed_out(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.shot("1-home")
    visitor.page.get_by_text("Sign-in options").click()
    visitor.inspect()
    visitor.shot("1-home-options")
    visitor.go("/api")
    visitor.shot("1-console")
    visitor.call("test-auth", "guest")
    visitor.shot("1-guest-refused")
    visitor.go("/nowhere")
    visitor.shot("1-missing")
    visitor.go("/callback?error=access_denied")
    visitor.shot("1-refused")


def _at_managed_login(visitor: Visitor) -> None:
    visitor.go("/login")
    visitor.shot("2-managed-login")
    visitor.press("Create an account")
    visitor.shot("2-sign-up")
    visitor.go("/login")
    visitor.press("Forgot your password?")
    visitor.shot("2-forgot")


def _signed_in(visitor: Visitor) -> None:
    visitor.sign_in(visitor.demo.person("admin"))
    visitor.go("/session")
    visitor.press("Ask userInfo now")
    visitor.press("Refresh now")
    visitor.shot("3-session")
    visitor.go("/credentials")
    visitor.shot("3-credentials")
    visitor.go("/")
    visitor.shot("2-home")
    visitor.open_menu()
    visitor.inspect()
    visitor.shot("5-menu")
    visitor.go("/api")
    visitor.shot("4-console")
    assert visitor.call("vip", "user") == 200
    visitor.shot("4-vip")


def _brightness(visitor: Visitor) -> float:
    """Return how bright the page's ground is, from 0 to 255."""
    colour = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (float(part) for part in colour.strip("rgba()").split(",")[:3])
    return (red + green + blue) / 3

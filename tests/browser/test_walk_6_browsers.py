"""The sixth walk: one person in two browsers, one of which is ended from the other."""

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor


def _entered(new_visitor: NewVisitor, scripts: bool, agent: str | None = None) -> Visitor:
    visitor = new_visitor(scripts, **({"user_agent": agent} if agent else {}))
    visitor.sign_in(visitor.demo.person("manager"), path="/login?next=/sessions")
    return visitor


def test_SE_14_one_browser_ended_from_the_other(new_visitor: NewVisitor, scripts: bool) -> None:
    """The list names the other browser; ended, it has lost its session at its next click."""
    other = _entered(new_visitor, scripts, "Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0")
    visitor = _entered(new_visitor, scripts)
    visitor.shot("6-browsers")
    entry = visitor.page.locator(".device", has_text="Firefox on Linux").first
    assert visitor.page.locator(".device-mine").count() == 1
    visitor.press(entry.get_by_role("button"))
    assert "That session has ended." in visitor.text
    other.go("/")
    assert other.signed_in_as() is None
    assert visitor.signed_in_as() == "manager@example.com"


def test_SE_14_all_others_ended(new_visitor: NewVisitor, scripts: bool) -> None:
    """One button ends every other session; the page then says that there is none."""
    others = [_entered(new_visitor, scripts) for _ in range(2)]
    visitor = _entered(new_visitor, scripts)
    visitor.press("End all others")
    assert "Every other session has ended." in visitor.text
    assert "Nowhere else" in visitor.text
    visitor.shot("6-alone")
    for other in others:
        other.go("/")
        assert other.signed_in_as() is None
    visitor.go("/sessions")
    assert visitor.page.locator(".device").count() == 1

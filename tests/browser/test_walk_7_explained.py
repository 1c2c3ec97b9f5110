"""The seventh walk: how it works, and what a sign-in may be asked for before leaving."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import PHONE, Visitor


def test_a_stranger_sees_an_example(new_visitor: NewVisitor) -> None:
    """Without a session and without scripts the whole way stands there, marked as an example."""
    visitor = new_visitor(scripts=False)
    visitor.go("/how-it-works")
    assert "An example" in visitor.text
    drawing = visitor.page.locator(".sequence svg")
    expect(drawing).to_be_visible()
    visitor.shot("7-example")
    drawing.get_by_role("link", name=re.compile("^5 ")).locator(".seq-message").click()
    expect(visitor.page).to_have_url(re.compile("#step-5$"))
    expect(visitor.page.locator("#step-5")).to_be_in_viewport()


def test_ones_own_way_step_by_step(visitor: Visitor) -> None:
    """After a sign-in, keys and a refresh, the steps stand there with what they took."""
    visitor.sign_in(visitor.demo.person("admin"), path="/credentials")
    visitor.go("/session")
    visitor.press("Refresh now")
    visitor.page.get_by_role("navigation", name="Main").get_by_text("How it works").click()
    visitor.inspect()
    rows = visitor.page.locator("table.steps tbody tr")
    told = [" ".join(row.inner_text().split()) for row in rows.all()]
    assert len(told) == 13
    assert "POST /oauth2/token" in told[4]
    assert " ms " in told[4]
    assert "portico-admin" in told[9]
    assert "rotated" not in told[10]
    assert visitor.page.locator("table.checks:not(.steps) tbody tr").count() == 12
    visitor.shot("7-own-way")


def test_the_way_on_a_phone(new_visitor: NewVisitor) -> None:
    """The drawing scrolls inside itself; the page is no wider than the window."""
    visitor = new_visitor(viewport=PHONE)
    visitor.go("/how-it-works")
    drawing = visitor.page.locator(".sequence")
    assert drawing.evaluate("one => one.scrollWidth > one.clientWidth")
    visitor.shot("7-example-phone")


@pytest.mark.parametrize("scripts", [True, False])
def test_the_address_is_explained_before_leaving(new_visitor: NewVisitor, scripts: bool) -> None:
    """A way is chosen, its address read part by part, and then the browser leaves for just that."""
    visitor = new_visitor(scripts=scripts)
    visitor.go("/sign-in-options")
    visitor.fill(login_hint="viewer@example.com")
    visitor.page.get_by_label("Language of the sign-in page").select_option("fr")
    visitor.press("Explain the address")
    parts = visitor.page.locator("table.parts tbody tr")
    told = {row.locator("th").inner_text(): row.inner_text() for row in parts.all()}
    assert "viewer@example.com" in told["login_hint"]
    assert "made anew" in told["state"]
    visitor.shot("7-options")
    visitor.page.get_by_role("link", name="Leave for this address").click()
    assert visitor.page.locator("html").get_attribute("lang") == "fr"
    assert visitor.page.locator("[name=username]").input_value() == "viewer@example.com"


def test_new_people_begin_at_their_form(new_visitor: NewVisitor) -> None:
    """Managed Login's form for new people opens at once, and leads back into the sign-in."""
    visitor = new_visitor()
    visitor.go("/sign-in-options")
    visitor.page.get_by_role("link", name=re.compile("^Go.*I am new")).click()
    assert "/signup?" in visitor.page.url
    assert visitor.page.locator("[name=email]").is_visible()
    visitor.shot("7-sign-up")

"""Everything can be reached and done with the keyboard, and one sees where one is."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.visitor import Visitor

# What has the focus: its words, and whether a ring is drawn around it.
_FOCUS = """
() => {
  const here = document.activeElement;
  const style = getComputedStyle(here);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  return {
    words: (here.innerText || here.labels?.[0]?.innerText || "").trim().replace(/\\s+/g, " "),
    name: here.name || "",
    ring: ring || style.boxShadow !== "none",
    inMain: here.closest("main") !== null,
  };
}
"""


def test_sign_in_and_out_without_a_mouse(visitor: Visitor) -> None:
    """Tab reaches the big button with a visible ring, Enter goes on, up to the way out."""
    page = visitor.page
    person = visitor.demo.person("viewer")
    visitor.go("/")
    _tab_to(page, "Sign in", in_main=True)
    visitor.shot("6-focus-sign-in")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    _tab_to(page, "Email")
    page.keyboard.type(person.email)
    _tab_to(page, "Password")
    page.keyboard.type(person.password)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert visitor.signed_in_as() == person.email

    _tab_to(page, person.email)
    page.keyboard.press("Enter")
    expect(page.locator("header details")).to_have_attribute("open", "")
    _tab_to(page, "Cognito too")
    visitor.shot("6-focus-sign-out")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert visitor.path == "/"
    assert visitor.signed_in_as() is None


def test_the_first_tab_skips_to_the_content(visitor: Visitor) -> None:
    """The skip link comes first, shows itself, and leads past the frame."""
    visitor.go("/api")
    found = _tab_to(visitor.page, "Skip to the content", most=1)
    assert found["ring"]
    assert visitor.page.get_by_role("link", name="Skip to the content").is_visible()
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate(_FOCUS)["inMain"]


def test_an_endpoint_is_called_without_a_mouse(visitor: Visitor) -> None:
    """The console's buttons take Tab and Enter like any other."""
    visitor.go("/api")
    visitor.page.locator("#test-public").scroll_into_view_if_needed()
    visitor.page.locator("#test-plain button[value=guest]").focus()
    _tab_to(visitor.page, "nobody")
    _tab_to(visitor.page, "guest")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    visitor.inspect()
    assert visitor.title.startswith("200")
    assert "/test/public" in visitor.text


def test_escape_closes_the_menu(visitor: Visitor, scripts: bool) -> None:
    """With scripts Escape closes the account menu and gives the focus back."""
    visitor.sign_in(visitor.demo.person("viewer"))
    visitor.account.focus()
    visitor.page.keyboard.press("Enter")
    menu = visitor.page.locator("header details")
    expect(menu).to_have_attribute("open", "")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Escape" if scripts else "Shift+Tab")
    if not scripts:
        visitor.page.keyboard.press("Enter")
    expect(menu).not_to_have_attribute("open", "")
    assert visitor.page.evaluate(_FOCUS)["words"].endswith("viewer@example.com")


def _tab_to(page: Page, *words: str, in_main: bool = False, most: int = 40) -> dict[str, Any]:
    """Press Tab until something with these words has the focus; it must be seen to have it."""
    passed = []
    for _ in range(most):
        page.keyboard.press("Tab")
        found: dict[str, Any] = page.evaluate(_FOCUS)
        passed.append(found["words"][:40])
        if _is_one_of(found["words"], words) and (found["inMain"] or not in_main):
            assert found["ring"], f"no visible focus on {words}"
            return found
    raise AssertionError(f"Tab does not reach {words}: {passed}")


def _is_one_of(found: str, words: tuple[str, ...]) -> bool:
    # Buttons may be written in another case than they are shown.
    found = found.casefold()
    wanted = [one.casefold() for one in words]
    return any(found.startswith(one) or found.endswith(one) for one in wanted)

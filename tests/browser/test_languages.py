"""A person chooses another language at the foot of a page, with and without scripts."""

import pytest

from tests.browser.visitor import Visitor


@pytest.mark.parametrize(
    ("name", "code", "heading", "sign_in"),
    [
        ("Deutsch", "de", "Amazon Cognito bei der Arbeit", "Anmelden"),
        ("Français", "fr", "Voyez Amazon Cognito", "Se connecter"),
    ],
)
def test_our_pages_and_managed_login_speak_it(
    visitor: Visitor, name: str, code: str, heading: str, sign_in: str
) -> None:
    """The same page comes back in that language, and the sign-in goes on in it."""
    visitor.go("/how-it-works")
    foot = visitor.page.get_by_role("contentinfo")
    visitor.press(foot.get_by_role("button", name=name))
    assert visitor.path == "/how-it-works"
    assert visitor.page.locator("html").get_attribute("lang") == code
    visitor.go("/")
    assert visitor.title.replace("\u00a0", " ").startswith(heading)
    visitor.shot(f"1-home-{code}")
    visitor.press(sign_in)
    assert visitor.page.url.startswith(visitor.demo.managed_login)
    assert visitor.page.locator("html").get_attribute("lang") == code
    person = visitor.demo.person("viewer")
    visitor.fill(username=person.email, password=person.password)
    visitor.press(visitor.page.locator("main button[type=submit]"))
    assert visitor.signed_in_as() == person.email
    assert visitor.page.locator("html").get_attribute("lang") == code

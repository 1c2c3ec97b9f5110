"""The second walk: come in through Managed Login, in every way that it offers."""

import secrets
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor, totp
from tests.stack.offline import User

OWN_PASSWORD = "Portico-mine-2"


# The walks run on a desktop with scripts and on a phone without; these take turns.
@pytest.mark.parametrize(
    ("name", "groups", "scripts"),
    [
        ("admin", "Admin", True),
        ("admin", "Admin", False),
        ("manager", "Manager", True),
        ("viewer", "Viewer", False),
        ("nobody", "none", True),
        ("both", "TeamA TeamB", False),
    ],
)
def test_each_of_the_demos_people_comes_in(visitor: Visitor, name: str, groups: str) -> None:
    """From the home page to the home page, which now says who they are and in which groups."""
    person = visitor.demo.person(name)
    visitor.go("/")
    visitor.press("Sign in")
    if name == "admin":
        visitor.shot("2-managed-login")
    visitor.enter(person)
    assert visitor.path == "/"
    assert visitor.signed_in_as() == person.email
    facts = visitor.page.locator(".facts").inner_text()
    assert f"Groups {groups}" in " ".join(facts.split())
    visitor.shot(f"2-home-{name}")


def test_they_come_back_to_the_page_they_wanted(visitor: Visitor) -> None:
    """A page that needs a sign-in asks for one and is there afterwards."""
    visitor.sign_in(visitor.demo.person("viewer"), path="/credentials")
    assert visitor.path == "/credentials"
    assert "portico-viewer" in visitor.text


def test_a_wrong_password_is_said_and_can_be_mended(visitor: Visitor) -> None:
    """The form comes back with a reason that does not tell whether the person exists."""
    person = visitor.demo.person("manager")
    visitor.sign_in(User(person.email, "not-the-password"))
    assert "Incorrect username or password." in visitor.text
    visitor.shot("2-wrong-password")
    visitor.enter(person)
    assert visitor.signed_in_as() == person.email


def test_sign_up_with_a_mailed_code(visitor: Visitor) -> None:
    """A new person makes an account, reads the code in the offline mailbox, and is in."""
    person = User(f"sign-up-{secrets.token_hex(4)}@example.com", OWN_PASSWORD)
    visitor.go("/login?next=/session")
    visitor.press("Create an account")
    visitor.fill(email=person.email, name="Sam Sign-Up", password="short")
    visitor.press("Create account")
    assert "The password does not meet the rules below." in visitor.text
    visitor.shot("2-sign-up")
    visitor.fill(password=person.password)
    visitor.press("Create account")
    visitor.shot("2-sign-up-code")
    visitor.fill(code=_code_from_the_mailbox(visitor))
    visitor.press("Confirm account")
    assert visitor.path == "/session"
    assert visitor.signed_in_as() == person.email


def test_a_forgotten_password_is_replaced(visitor: Visitor) -> None:
    """The mailed code opens the way to a new password, and that one signs in."""
    person = visitor.demo.new_person("Viewer")
    visitor.go("/login")
    visitor.press("Forgot your password?")
    visitor.shot("2-forgot")
    visitor.fill(username=person.email)
    visitor.press("Mail me a code")
    code = _code_from_the_mailbox(visitor)
    visitor.shot("2-forgot-code")
    visitor.fill(code=code, new_password=OWN_PASSWORD)
    visitor.press("Change password")
    assert "Your password is changed." in visitor.text
    visitor.enter(User(person.email, OWN_PASSWORD))
    assert visitor.signed_in_as() == person.email


def test_a_temporary_password_must_be_replaced(visitor: Visitor) -> None:
    """The first sign-in asks for a password of one's own before it goes on."""
    person = visitor.demo.new_person(temporary=True)
    visitor.sign_in(person)
    assert visitor.title == "Choose your own password"
    visitor.shot("2-new-password")
    visitor.fill(new_password=OWN_PASSWORD)
    visitor.press("Save and go on")
    assert visitor.path == "/"
    assert visitor.signed_in_as() == person.email


def test_an_authenticator_app_is_set_up_and_asked_for(visitor: Visitor) -> None:
    """After the set-up a sign-in takes the password and the app's six digits."""
    person = visitor.demo.new_person("Manager")
    visitor.sign_in(person)
    visitor.page.goto(f"{visitor.demo.managed_login}/mfa/setup")
    visitor.inspect()
    visitor.shot("2-totp-set-up")
    secret = visitor.page.locator("#totp-secret").inner_text()
    visitor.fill(code=totp(secret))
    visitor.press("Turn on")
    assert visitor.title == "Your app is set up"

    visitor.go("/")
    visitor.sign_out("cognito")
    visitor.sign_in(person, path="/login?next=/credentials")
    assert visitor.title == "One more step"
    visitor.fill(code="000000")
    visitor.press("Go on")
    assert "That code is not right." in visitor.text
    visitor.shot("2-totp-wrong")
    visitor.fill(code=totp(secret))
    visitor.press("Go on")
    assert visitor.path == "/credentials"
    assert visitor.signed_in_as() == person.email


def test_somebody_who_declines_is_told_so_and_may_start_again(visitor: Visitor) -> None:
    """An answer of access_denied is a page in plain words that still knows where they wanted to."""
    visitor.go("/session")
    state = parse_qs(urlsplit(visitor.page.url).query)["state"][0]
    assert visitor.go(f"/callback?error=access_denied&state={state}") == 400
    assert "You declined to sign in" in visitor.text
    visitor.shot("2-declined")
    visitor.press("Start again")
    visitor.enter(visitor.demo.person("viewer"))
    assert visitor.path == "/session"


def test_a_silent_sign_in_without_a_session_is_explained(new_visitor: NewVisitor) -> None:
    """With 'ask nothing' Cognito sends a stranger straight back, and the page says why."""
    visitor = new_visitor(scripts=False)
    visitor.go("/")
    visitor.page.get_by_text("Sign-in options").click()
    visitor.page.get_by_label("If Cognito already knows you").select_option("none")
    visitor.shot("2-options")
    visitor.press("Sign in this way")
    assert visitor.path.startswith("/callback?")
    assert "Cognito has no sign-in of yours in this browser" in visitor.text
    visitor.shot("2-silent-refused")


def test_the_options_reach_managed_login(new_visitor: NewVisitor) -> None:
    """The name is filled in and the page speaks the language that was chosen."""
    visitor = new_visitor()
    visitor.go("/")
    visitor.page.get_by_text("Sign-in options").click()
    visitor.fill(login_hint="viewer@example.com")
    visitor.page.get_by_label("Language of the sign-in page").select_option("de")
    visitor.press("Sign in this way")
    assert visitor.page.locator("html").get_attribute("lang") == "de"
    assert visitor.page.locator("[name=username]").input_value() == "viewer@example.com"
    visitor.shot("2-in-german")


def _code_from_the_mailbox(visitor: Visitor) -> str:
    """Open the mailbox in a second window, as the page offers, and read the newest code."""
    with visitor.context.expect_page() as opened:
        visitor.page.get_by_role("link", name="read the code in the offline mailbox").click()
    window = opened.value
    code = window.locator(".mailed-code strong").first.inner_text()
    window.close()
    return code

"""The fifth walk: leave, in four depths; the next sign-in shows how deep it was."""

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor


def test_app_leaves_cognitos_session_alive(visitor: Visitor) -> None:
    """After the shallowest way out the next sign-in asks for nothing."""
    person = visitor.demo.person("viewer")
    visitor.sign_in(person)
    visitor.open_menu()
    visitor.shot("5-menu")
    visitor.sign_out("app")
    _is_out(visitor)
    assert not any("/logout?" in line for line in visitor.visited)
    assert "Cognito still knows you" in visitor.text
    visitor.shot("5-out-app")

    visitor.press("Sign in")
    assert visitor.path == "/"
    assert visitor.signed_in_as() == person.email


def test_app_asks_again_when_wanted(new_visitor: NewVisitor) -> None:
    """The living session of Cognito is passed over when the person wants to be asked."""
    visitor = new_visitor(scripts=False)
    visitor.sign_in(visitor.demo.person("viewer"))
    visitor.sign_out("app")
    visitor.page.get_by_text("Sign-in options").click()
    visitor.page.get_by_label("If Cognito already knows you").select_option("login")
    visitor.press("Sign in this way")
    assert visitor.asked_to_sign_in


def test_CS_12_cognito_ends_its_own_session_too(visitor: Visitor) -> None:
    """The form's redirect reaches Cognito's /logout and comes back; the next sign-in asks."""
    visitor.sign_in(visitor.demo.person("viewer"))
    visitor.visited.clear()
    visitor.sign_out("cognito")
    _is_out(visitor)
    hops = [line.partition("?")[0] for line in visitor.visited]
    application, login = visitor.demo.application, visitor.demo.managed_login
    assert hops == [f"303 {application}/logout", f"302 {login}/logout", f"200 {application}/"]
    assert "You are signed out here and at Cognito in this browser." in visitor.text
    visitor.shot("5-out-cognito")

    visitor.press("Sign in")
    assert visitor.asked_to_sign_in
    visitor.shot("5-asked-again")


def test_everywhere_reaches_a_second_browser(
    visitor: Visitor, new_visitor: NewVisitor, scripts: bool
) -> None:
    """The deepest way out ends the same person's session in another browser as well."""
    person = visitor.demo.new_person("Manager")
    other = new_visitor(scripts)
    other.sign_in(person)
    visitor.sign_in(person)
    visitor.sign_out("everywhere")
    _is_out(visitor)
    assert "Portico's sessions elsewhere have ended" in visitor.text
    other.go("/")
    _is_out(other)
    other.shot("5-out-everywhere-second-browser")
    visitor.press("Sign in")
    assert visitor.asked_to_sign_in
    # GlobalSignOut ends tokens; the other browser's own session at Cognito lives on.
    other.press("Sign in")
    assert other.signed_in_as() == person.email


def test_cognito_leaves_a_second_browser_alone(new_visitor: NewVisitor) -> None:
    """The usual way out is this browser's alone."""
    visitor, other = new_visitor(), new_visitor()
    person = visitor.demo.person("manager")
    other.sign_in(person)
    visitor.sign_in(person)
    visitor.sign_out("cognito")
    other.go("/session")
    assert other.path == "/session"
    assert other.signed_in_as() == person.email


def test_switch_asks_for_somebody_else(visitor: Visitor) -> None:
    """The way out leads straight to the sign-in form, and another person comes in."""
    visitor.sign_in(visitor.demo.person("viewer"))
    visitor.sign_out("switch")
    assert visitor.asked_to_sign_in
    visitor.shot("5-switch")
    other = visitor.demo.person("manager")
    visitor.enter(other)
    assert visitor.path == "/"
    assert visitor.signed_in_as() == other.email
    assert "signed out" not in visitor.text


def test_switch_says_at_home_how_far_it_went(new_visitor: NewVisitor) -> None:
    """Who goes home in place of signing in reads that both sessions of this browser ended."""
    visitor = new_visitor()
    visitor.sign_in(visitor.demo.person("viewer"))
    visitor.sign_out("switch")
    visitor.go("/")
    _is_out(visitor)
    assert "You are signed out here and at Cognito in this browser." in visitor.text


def _is_out(visitor: Visitor) -> None:
    """Fail unless the window shows the home page of somebody unknown."""
    assert visitor.path.partition("?")[0] == "/"
    assert visitor.signed_in_as() is None
    assert "example.com" not in visitor.text

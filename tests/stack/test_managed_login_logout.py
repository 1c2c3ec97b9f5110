"""/logout of the offline Managed Login: both forms, and what they refuse."""

import pytest

from tests.stack.login_site import HOME, PASSWORD, Site, Visitor, callback_of, path_of
from tests.stack.world import CALLBACK, Offline

NOT_PRESENT = "Required String parameter 'redirect_uri' is not present"


@pytest.fixture
def site(mended_aws: Offline) -> Site:
    """A user pool of this test's own."""
    return Site(mended_aws)


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """A person who is signed in at Managed Login."""
    visitor = site.visitor()
    callback_of(visitor.enter(site.add_user()))
    return visitor


def test_logout_uri_ends_the_session_and_leaves(site: Site, visitor: Visitor) -> None:
    """client_id and logout_uri end the browser session and lead to logout_uri, byte for byte."""
    answer = visitor.browser.get("/logout", {"client_id": site.client_id, "logout_uri": HOME})
    assert answer.status == 302
    assert answer.header("Location") == HOME
    assert callback_of(visitor.ask(prompt="none"))["error"] == "login_required"


def test_old_cookie_is_worth_nothing_after_logout(site: Site, visitor: Visitor) -> None:
    """The server forgets the session; a kept copy of the cookie does not bring it back."""
    thief = visitor.browser.twin()
    visitor.browser.get("/logout", {"client_id": site.client_id, "logout_uri": HOME})
    visitor.browser = thief
    assert path_of(visitor.ask()) == "/login"


@pytest.mark.parametrize(
    "changed",
    [
        {"logout_uri": f"{HOME}elsewhere"},
        {"logout_uri": "https://evil.example/"},
        {"logout_uri": CALLBACK},
        {"post_logout_redirect_uri": HOME},
        {},
    ],
)
def test_wrong_logout_is_answered_as_aws_does(
    site: Site, visitor: Visitor, changed: dict[str, str]
) -> None:
    """An unregistered or missing logout_uri is a 400 about redirect_uri, and nothing ends."""
    answer = visitor.browser.get("/logout", {"client_id": site.client_id, **changed})
    assert answer.status == 400
    assert NOT_PRESENT in answer.page.text
    assert "code" in callback_of(visitor.ask(prompt="none"))


@pytest.mark.parametrize("client", [{}, {"client_id": "nobody"}])
def test_logout_needs_a_client(visitor: Visitor, client: dict[str, str]) -> None:
    """Without a registered client_id there is no sign-out."""
    answer = visitor.browser.get("/logout", {**client, "logout_uri": HOME})
    assert answer.status == 400


def test_redirect_uri_signs_out_and_asks_again(site: Site, visitor: Visitor) -> None:
    """The other form ends the session and leads, as /oauth2/authorize does, to a fresh form."""
    answer = visitor.ask("/logout", state="switch-1")
    assert path_of(answer) == "/login"
    page = visitor.browser.follow(answer)
    other = site.add_user("bob")
    back = visitor.fill(page, "/login", username=other, password=PASSWORD)
    assert callback_of(back)["state"] == "switch-1"


def test_redirect_uri_ends_the_session_at_once(visitor: Visitor) -> None:
    """Whoever turns away from the form is signed out all the same."""
    visitor.ask("/logout")
    assert callback_of(visitor.ask(prompt="none"))["error"] == "login_required"


def test_redirect_uri_must_be_registered(visitor: Visitor) -> None:
    """An unregistered redirect_uri is a 400 and nothing ends."""
    assert visitor.ask("/logout", redirect_uri="https://evil.example/").status == 400
    assert "code" in callback_of(visitor.ask(prompt="none"))


def test_global_sign_out_leaves_the_browser_session(site: Site, visitor: Visitor) -> None:
    """GlobalSignOut ends tokens, not Managed Login's cookie: only /logout does."""
    site.idp.admin_user_global_sign_out(UserPoolId=site.pool_id, Username=site.address())
    assert "code" in callback_of(visitor.ask(prompt="none"))

"""The pinned release still lacks what the offline Managed Login brings.

Each of these fails when a gap closes upstream: then the part of ours that fills it can go.
"""

import pytest

from tests.stack.login_site import PASSWORD, Site, Visitor
from tests.stack.world import Offline


@pytest.fixture
def site(plain_aws: Offline) -> Site:
    """A user pool on the release as it is."""
    return Site(plain_aws)


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """A browser at the release's own pages, which do not pass our inspection."""
    visitor = site.visitor()
    visitor.browser.inspect_pages = False
    return visitor


def test_gap_no_browser_session(site: Site, visitor: Visitor) -> None:
    """A sign-in sets no cookie, so the next one asks again."""
    form = visitor.ask()
    done = visitor.fill(form, "/login", username=site.add_user(), password=PASSWORD)
    assert "code=" in done.location
    assert done.header("Set-Cookie") is None
    assert visitor.ask().status == 200


@pytest.mark.parametrize(
    "parameter", [{"prompt": "none"}, {"prompt": "always"}, {"lang": "de"}, {"login_hint": "hint"}]
)
def test_gap_parameters_are_ignored(visitor: Visitor, parameter: dict[str, str]) -> None:
    """prompt, lang and login_hint change nothing about the form."""
    assert visitor.ask(**parameter).text == visitor.ask().text


def test_gap_cognito_is_no_provider(visitor: Visitor) -> None:
    """identity_provider=COGNITO does not lead to the pool's own form."""
    assert visitor.ask(identity_provider="COGNITO").status != 200


def test_gap_one_page_only(visitor: Visitor) -> None:
    """There is no way from the form to a sign-up, a confirmation or a forgotten password."""
    page = visitor.ask().page
    assert page.links == []
    assert [form.action.rpartition("/")[2] for form in page.forms] == ["login"]


def test_gap_no_forgery_protection(visitor: Visitor) -> None:
    """The form carries no token of its own."""
    assert not {"csrf_token", "_csrf"} & visitor.ask().page.form("/login").fields.keys()


def test_gap_no_authenticator_code(site: Site, visitor: Visitor) -> None:
    """Somebody with an authenticator app gets in with the password alone."""
    email = site.add_user()
    site.idp.admin_set_user_mfa_preference(
        UserPoolId=site.pool_id,
        Username=email,
        SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True},
    )
    done = visitor.fill(visitor.ask(), "/login", username=email, password=PASSWORD)
    assert "code=" in done.location


def test_gap_logout_knows_one_form(visitor: Visitor) -> None:
    """/logout with redirect_uri is refused, and not in AWS's words."""
    answer = visitor.ask("/logout")
    assert answer.status == 400
    assert "logout_uri is required" in answer.text


def test_gap_codes_are_fixed(site: Site) -> None:
    """Everybody gets the same confirmation code and the same reset code, time and again."""
    email = site.address("new")
    public = site.aws.public("cognito-idp")
    public.sign_up(ClientId=site.client_id, Username=email, Password=PASSWORD)
    public.confirm_sign_up(ClientId=site.client_id, Username=email, ConfirmationCode="123456")
    public.forgot_password(ClientId=site.client_id, Username=email)
    public.confirm_forgot_password(
        ClientId=site.client_id, Username=email, ConfirmationCode="654321", Password=PASSWORD
    )


def test_gap_confirmation_proves_no_address(site: Site) -> None:
    """A confirmed person's address does not count as verified."""
    email = site.address("new")
    public = site.aws.public("cognito-idp")
    public.sign_up(ClientId=site.client_id, Username=email, Password=PASSWORD)
    public.confirm_sign_up(ClientId=site.client_id, Username=email, ConfirmationCode="123456")
    user = site.idp.admin_get_user(UserPoolId=site.pool_id, Username=email)
    names = {attribute["Name"] for attribute in user["UserAttributes"]}
    assert "email_verified" not in names


def test_gap_case_always_matters(site: Site) -> None:
    """CaseSensitive=False is stored, and capitals are another person all the same."""
    email = site.add_user()
    with pytest.raises(site.idp.exceptions.UserNotFoundException):
        site.idp.admin_get_user(UserPoolId=site.pool_id, Username=email.upper())


def test_gap_reset_for_a_temporary_password(site: Site) -> None:
    """ForgotPassword mails a code to somebody who must still replace a temporary password."""
    email = site.add_user(temporary=True)
    public = site.aws.public("cognito-idp")
    public.forgot_password(ClientId=site.client_id, Username=email)
    public.confirm_forgot_password(
        ClientId=site.client_id, Username=email, ConfirmationCode="654321", Password=PASSWORD
    )

"""Sign-up, confirmation, forgotten password and the offline mailbox, over HTTP."""

import pytest

from tests.doubles import Response
from tests.stack.login_site import (
    OTHER_PASSWORD,
    PASSWORD,
    TEMPORARY,
    Site,
    Visitor,
    callback_of,
    path_of,
)
from tests.stack.world import Offline, claims_of


@pytest.fixture
def site(mended_aws: Offline) -> Site:
    """A user pool of this test's own."""
    return Site(mended_aws)


def test_sign_up_leads_to_the_application(site: Site) -> None:
    """Sign up, read the code in the mailbox, confirm: the application gets its code and state."""
    visitor, email = site.visitor(), site.address("new")
    page = _sign_up(visitor, email, name="Ada Lovelace")
    assert page.page.heading == "Check your mail"
    assert email in page.page.text
    done = callback_of(visitor.fill(page, "/confirmUser", code=_code(site, email)))
    assert done["state"] == "st-1"
    claims = claims_of(site.redeem(done["code"]).json()["id_token"])
    assert claims["email"] == email
    assert str(claims["email_verified"]).lower() == "true"
    assert "code" in callback_of(visitor.ask(prompt="none"))


def test_weak_password_is_explained(site: Site) -> None:
    """The sign-up form says which rules a password breaks, and keeps what was typed."""
    visitor, email = site.visitor(), site.address("new")
    form = visitor.browser.get(_link(visitor.form(), "/signup"))
    answer = visitor.fill(form, "/signup", email=email, name="Ada", password="alllowercase1")
    assert answer.status == 400
    assert "an upper case letter (missing)" in answer.page.text
    assert "a symbol, such as - ! ? # @ (missing)" in answer.page.text
    assert "a digit (missing)" not in answer.page.text
    fields = answer.page.form("/signup").fields
    assert (fields["email"], fields["name"], fields["password"]) == (email, "Ada", "")


@pytest.mark.parametrize("email", ["", "nobody", "@example.com", "a b@example.com"])
def test_sign_up_needs_an_address(site: Site, email: str) -> None:
    """What is no mail address is refused with an example of one."""
    answer = _send_sign_up(site.visitor(), email)
    assert answer.status == 400
    assert "such as name@example.com" in answer.page.text


def test_address_is_taken_once(site: Site) -> None:
    """A second account for an address is refused, in whatever case it is typed."""
    email = site.add_user()
    for typed in (email, email.upper()):
        answer = _send_sign_up(site.visitor(), typed)
        assert answer.status == 400
        assert "already exists" in answer.page.text


def test_sign_up_can_be_closed(mended_aws: Offline) -> None:
    """Where administrators alone create accounts, there is neither link nor form."""
    site = Site(mended_aws, only_admins_create=True)
    visitor = site.visitor()
    assert not [link for link in visitor.form().page.links if "/signup" in link]
    assert visitor.ask("/signup").status == 403


def test_wrong_confirmation_code_can_be_mended(site: Site) -> None:
    """A wrong code is refused; a new one can be asked for, and the old one is void then."""
    visitor, email = site.visitor(), site.address("new")
    page = _sign_up(visitor, email)
    old = _code(site, email)
    wrong = visitor.fill(page, "/confirmUser", code="000000")
    assert wrong.status == 400
    again = visitor.next_page(wrong, "/resendCode")
    assert "A new code is on its way." in again.page.text
    new = _code(site, email)
    assert new != old
    assert visitor.fill(again, "/confirmUser", code=old).status == 400
    assert "code" in callback_of(visitor.fill(again, "/confirmUser", code=new))


def test_unconfirmed_person_is_led_to_the_confirmation(site: Site) -> None:
    """Who left before confirming signs in later and is asked for the code, then gets in."""
    email = site.address("new")
    _sign_up(site.visitor(), email)
    visitor = site.visitor()
    page = visitor.browser.follow(visitor.enter(email, state="later"))
    assert page.page.heading == "Check your mail"
    done = visitor.fill(page, "/confirmUser", code=_code(site, email))
    assert callback_of(done)["state"] == "later"


def test_forgotten_password_is_replaced(site: Site) -> None:
    """Ask for a code, set a new password, sign in with it: the same sign-in goes on."""
    visitor, email = site.visitor(), site.add_user()
    page = _forgot(visitor, email)
    weak = visitor.fill(
        page, "/confirmForgotPassword", code=_code(site, email), new_password="short"
    )
    assert weak.status == 400
    assert "at least 12 characters (missing)" in weak.page.text
    form = visitor.next_page(
        page, "/confirmForgotPassword", code=_code(site, email), new_password=OTHER_PASSWORD
    )
    assert "Your password is changed." in form.page.text
    done = visitor.fill(form, "/login", username=email, password=OTHER_PASSWORD)
    assert callback_of(done)["state"] == "st-1"
    assert visitor.enter(email, PASSWORD, prompt="login").status == 400


def test_reset_code_is_for_one_use(site: Site) -> None:
    """A code that changed a password changes no second one."""
    visitor, email = site.visitor(), site.add_user()
    page = _forgot(visitor, email)
    fields = {"code": _code(site, email), "new_password": OTHER_PASSWORD}
    visitor.fill(page, "/confirmForgotPassword", **fields)
    again = _forgot(visitor, email)
    assert visitor.fill(again, "/confirmForgotPassword", **fields).status == 400


def test_recovery_does_not_tell_who_exists(site: Site) -> None:
    """The pages for a known and an unknown address differ in nothing, and only one gets mail."""
    known, unknown = site.add_user(), site.address("eve")
    texts = []
    visitor = site.visitor()
    for email in (known, unknown):
        page = _forgot(visitor, email)
        fields = {"code": "000000", "new_password": OTHER_PASSWORD}
        wrong = visitor.fill(page, "/confirmForgotPassword", **fields)
        assert wrong.status == 400
        pair = (page.text + wrong.text).replace(email.replace("@", "%40"), "X")
        texts.append(pair.replace(email, "X"))
    assert texts[0] == texts[1]
    assert len(site.mails(known)) == 1
    assert site.mails(unknown) == []


def test_no_reset_code_where_aws_refuses_one(site: Site) -> None:
    """Who is disabled or still has the temporary password gets no mail."""
    disabled, fresh = site.add_user("gone"), site.add_user("fresh", temporary=True)
    site.disable(disabled)
    for email in (disabled, fresh):
        _forgot(site.visitor(), email)
        assert site.mails(email) == []
    assert path_of(site.visitor().enter(fresh, TEMPORARY)) == "/newPassword"


def test_reset_by_an_administrator_leads_to_a_new_password(site: Site) -> None:
    """After AdminResetUserPassword the old password opens the reset page, with the code mailed."""
    visitor, email = site.visitor(), site.add_user()
    site.idp.admin_reset_user_password(UserPoolId=site.pool_id, Username=email)
    page = visitor.browser.follow(visitor.enter(email))
    assert page.page.heading == "Choose a new password"
    form = visitor.next_page(
        page, "/confirmForgotPassword", code=_code(site, email), new_password=OTHER_PASSWORD
    )
    assert "code" in callback_of(
        visitor.fill(form, "/login", username=email, password=OTHER_PASSWORD)
    )


def test_mailbox_shows_the_code(site: Site) -> None:
    """The mailbox page lists the mails to one address or to all, with the code in them."""
    visitor, email = site.visitor(), site.address("new")
    _sign_up(visitor, email)
    for query in ({"to": email}, {}):
        page = visitor.browser.get("/mailbox", query).page
        assert email in page.text
        assert _code(site, email) in page.text


def test_mailbox_escapes_what_it_shows(site: Site) -> None:
    """Markup in a mail is shown as text."""
    site.aws.client("ses").verify_email_identity(EmailAddress="a@example.com")
    site.aws.client("ses").send_email(
        Source="a@example.com",
        Destination={"ToAddresses": ["a@example.com"]},
        Message={"Subject": {"Data": "<b>hi"}, "Body": {"Html": {"Data": "<script>1</script>"}}},
    )
    page = site.visitor().browser.get("/mailbox")
    assert "<script" not in page.text
    assert "<script>1</script>" in page.page.text


def test_mailbox_is_for_this_origin_alone(site: Site) -> None:
    """No other site's script may read the mails."""
    answer = site.visitor().browser.get("/mailbox.json", headers={"Origin": "https://evil.example"})
    assert answer.header("Access-Control-Allow-Origin") is None


def _sign_up(visitor: Visitor, email: str, name: str = "") -> Response:
    return visitor.browser.follow(_send_sign_up(visitor, email, name))


def _send_sign_up(visitor: Visitor, email: str, name: str = "") -> Response:
    form = visitor.browser.get(_link(visitor.form(), "/signup"))
    return visitor.fill(form, "/signup", email=email, name=name, password=PASSWORD)


def _forgot(visitor: Visitor, email: str) -> Response:
    form = visitor.browser.get(_link(visitor.form(prompt="login"), "/forgotPassword"))
    return visitor.next_page(form, "/forgotPassword", username=email)


def _link(page: Response, path: str) -> str:
    (found,) = (link for link in page.page.links if f"{path}?" in link and "lang=" not in link)
    return found


def _code(site: Site, email: str) -> str:
    return str(site.mails(email)[0]["code"])

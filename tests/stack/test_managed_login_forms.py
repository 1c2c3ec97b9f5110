"""The offline Managed Login's sign-in form: who gets in, who does not, and forged forms."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.doubles import Response
from tests.stack.login_site import (
    OTHER_PASSWORD,
    PASSWORD,
    TEMPORARY,
    Site,
    callback_of,
    path_of,
    totp,
)
from tests.stack.world import Offline, claims_of


@pytest.fixture
def site(mended_aws: Offline) -> Site:
    """A user pool of this test's own."""
    return Site(mended_aws)


def test_wrong_password_and_nobody_look_alike(site: Site) -> None:
    """The answer to a wrong password and to an unknown name differ in nothing."""
    visitor, known, unknown = site.visitor(), site.add_user("ada"), site.address("eve")
    wrong = visitor.enter(known, "Wrong-password-1")
    nobody = visitor.enter(unknown, "Wrong-password-1")
    assert wrong.status == nobody.status == 400
    assert wrong.text.replace(known, "X") == nobody.text.replace(unknown, "X")
    assert "Incorrect username or password." in wrong.page.text


def test_disabled_account_shows_only_after_the_right_password(site: Site) -> None:
    """Without the password nobody learns that an account is disabled."""
    visitor, email = site.visitor(), site.add_user()
    site.disable(email)
    assert "Incorrect username or password." in visitor.enter(email, "Wrong-password-1").page.text
    answer = visitor.enter(email)
    assert answer.status == 403
    assert answer.page.heading == "This account is disabled"


def test_id_token_names_who_signed_in(site: Site) -> None:
    """The tokens are those of the person who typed the password."""
    email = site.add_user()
    code = callback_of(site.visitor().enter(email))["code"]
    assert claims_of(site.redeem(code).json()["id_token"])["email"] == email


def test_empty_fields_are_named(site: Site) -> None:
    """An empty form says which fields are missing, and links to them."""
    answer = site.visitor().enter("", "")
    assert answer.status == 400
    assert {link.rpartition("#")[2] for link in answer.page.links} >= {"username", "password"}


def test_address_is_compared_without_case(site: Site) -> None:
    """In a pool that is not case sensitive, an address in capitals is the same person."""
    assert "code" in callback_of(site.visitor().enter(site.add_user().upper()))


def test_temporary_password_must_be_replaced(site: Site) -> None:
    """NEW_PASSWORD_REQUIRED: a weak one is explained, a good one leads to the application."""
    visitor, email = site.visitor(), site.add_user(temporary=True)
    page = visitor.browser.follow(visitor.enter(email, TEMPORARY))
    assert page.page.heading == "Choose your own password"
    weak = visitor.fill(page, "/newPassword", new_password="short")
    assert weak.status == 400
    assert "at least 12 characters (missing)" in weak.page.text
    assert "a lower case letter (missing)" not in weak.page.text
    done = callback_of(visitor.fill(weak, "/newPassword", new_password=OTHER_PASSWORD))
    assert done["state"] == "st-1"
    assert "code" in callback_of(site.visitor().enter(email, OTHER_PASSWORD))


def test_authenticator_code_is_asked_once_set_up(site: Site) -> None:
    """A person sets up an app while signed in; from then on its code follows the password."""
    email, secret = _with_authenticator(site)
    visitor = site.visitor()
    page = visitor.browser.follow(visitor.enter(email))
    assert page.page.heading == "One more step"
    wrong = visitor.fill(page, "/mfa", code=_wrong(totp(secret)))
    assert wrong.status == 400
    shown = f"{totp(secret)[:3]} {totp(secret)[3:]}"
    answer = callback_of(visitor.fill(wrong, "/mfa", code=shown))
    assert answer["state"] == "st-1"
    assert "id_token" in site.redeem(answer["code"]).json()


def test_authenticator_code_cannot_be_guessed_for_long(site: Site) -> None:
    """After five wrong codes the password is asked again."""
    email, secret = _with_authenticator(site)
    visitor = site.visitor()
    page = visitor.browser.follow(visitor.enter(email))
    for _ in range(4):
        page = visitor.fill(page, "/mfa", code=_wrong(totp(secret)))
    last = visitor.fill(page, "/mfa", code=_wrong(totp(secret)))
    assert path_of(last) == "/login"
    late = visitor.browser.post(page.page.form("/mfa").action, _fields(page, totp(secret)))
    assert path_of(late) == "/login"


def test_password_alone_is_no_session(site: Site) -> None:
    """Between password and authenticator code there is no browser session."""
    email, _secret = _with_authenticator(site)
    visitor = site.visitor()
    visitor.enter(email)
    assert callback_of(visitor.ask(prompt="none"))["error"] == "login_required"


def test_pool_that_requires_a_second_factor_sets_it_up(mended_aws: Offline) -> None:
    """MFA_SETUP: where the pool insists, the app is set up inside the sign-in."""
    site = Site(mended_aws, mfa="ON")
    visitor = site.visitor()
    page = visitor.browser.follow(visitor.enter(site.add_user()))
    secret = _secret_on(page)
    assert f"secret={secret}" in page.page.text
    assert "code" in callback_of(visitor.fill(page, "/mfa/setup", code=totp(secret)))


def test_set_up_needs_a_signed_in_person(site: Site) -> None:
    """Without a browser session there is nothing to set up."""
    assert site.visitor().browser.get("/mfa/setup").status == 401


def test_step_belongs_to_its_sign_in(site: Site) -> None:
    """A step of one sign-in does not open the same page of another one."""
    visitor = site.visitor()
    visitor.enter(site.add_user(temporary=True), TEMPORARY)
    assert path_of(visitor.ask("/newPassword", state="other")) == "/login"
    assert visitor.ask("/newPassword").page.heading == "Choose your own password"


def test_step_belongs_to_its_browser(site: Site) -> None:
    """Whoever knows the address of a step, but lacks its cookie, starts at the beginning."""
    site.visitor().enter(site.add_user(temporary=True), TEMPORARY)
    assert path_of(site.visitor().ask("/newPassword")) == "/login"


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_form_without_its_token_is_refused(site: Site, token: str) -> None:
    """A form that does not carry the page's token changes nothing."""
    visitor, email = site.visitor(), site.add_user()
    form = visitor.form().page.form("/login")
    fields = {"username": email, "password": PASSWORD, "csrf_token": token}
    assert visitor.browser.post(form.action, fields).status == 403
    assert callback_of(visitor.ask(prompt="none"))["error"] == "login_required"


def test_token_of_another_browser_or_sign_in_is_refused(site: Site) -> None:
    """The token fits one browser and one sign-in: login CSRF with one's own token fails."""
    victim, attacker, email = site.visitor(), site.visitor(), site.add_user()
    mine = victim.form().page.form("/login")
    fields = {"username": email, "password": PASSWORD}
    theirs = attacker.form().page.form("/login").fields["csrf_token"]
    elsewhere = victim.form(state="other").page.form("/login").fields["csrf_token"]
    for token in (theirs, elsewhere):
        forged = victim.browser.post(mine.action, {**fields, "csrf_token": token})
        assert forged.status == 403
    own = victim.browser.post(mine.action, {**fields, "csrf_token": mine.fields["csrf_token"]})
    assert "code" in callback_of(own)


def test_pages_guard_themselves(site: Site) -> None:
    """Pages are not stored, not framed, run nothing, and send forms to us and the app alone."""
    page = site.visitor().form()
    policy = page.header("Content-Security-Policy") or ""
    assert "form-action 'self' http://localhost:8000;" in policy
    assert "style-src 'self'" in policy
    assert "script" not in policy + page.text
    assert page.header("Cache-Control") == "no-store"
    assert page.header("X-Frame-Options") == "DENY"
    assert page.header("Referrer-Policy") == "same-origin"


def test_pages_say_that_they_are_not_aws(site: Site) -> None:
    """Every page says what it is, and leads to the offline mailbox."""
    page = site.visitor().form().page
    assert "offline stand-in of Managed Login, not AWS" in page.text
    assert f"{site.aws.endpoint}/mailbox" in page.links


def test_fields_help_a_password_manager(site: Site) -> None:
    """The fields say what they are for."""
    fields = site.visitor().form().page.elements("input")
    purposes = {field.get("name"): field.get("autocomplete") for field in fields}
    assert purposes["username"] == "username"
    assert purposes["password"] == "current-password"


def test_stylesheet_may_be_kept(site: Site) -> None:
    """The stylesheet's address names its content, so a browser need not ask again."""
    visitor = site.visitor()
    (link,) = visitor.form().page.elements("link")
    sheet = visitor.browser.get(str(link.get("href")))
    assert sheet.status == 200
    assert "immutable" in (sheet.header("Cache-Control") or "")


def test_blocked_cookies_are_named(site: Site) -> None:
    """A form that comes without our cookie is refused, with the cure; nothing is said of time."""
    form = site.visitor().form()
    other = site.visitor().browser
    answer = other.post(form.url, form.page.form("/login").fields)
    assert answer.status == 403
    assert answer.page.heading == "Your browser sent no cookie"


def test_a_pool_without_the_demos_people_shows_none(site: Site) -> None:
    """Passwords of the demo stand only where they let somebody in."""
    assert "Portico-demo-1" not in site.visitor().form().text


def test_unreadable_cookies_are_no_error(site: Site) -> None:
    """Whatever stands in the Cookie header, the form comes, and none of it is sent back."""
    browser = site.visitor().browser
    url = site.visitor().ask().location
    for cookie in ('offline_login_form="a\\015\\012X: y"', "a=b=c; ;;=", "[]{}=1"):
        page = browser.request("GET", url, headers={"Cookie": cookie})
        assert page.status == 200
        assert page.header("X") is None


def _with_authenticator(site: Site) -> tuple[str, str]:
    """Return a person whose authenticator app is set up, and the secret in it."""
    visitor, email = site.visitor(), site.add_user("totp")
    visitor.enter(email)
    page = visitor.browser.follow(visitor.browser.get("/mfa/setup"))
    secret = _secret_on(page)
    assert visitor.fill(page, "/mfa/setup", code=_wrong(totp(secret))).status == 400
    ready = visitor.next_page(page, "/mfa/setup", code=totp(secret))
    assert ready.page.heading == "Your app is set up"
    return email, secret


def _secret_on(page: Response) -> str:
    (address,) = (e for e in page.page.elements("code") if e.get("id") == "otpauth")
    return parse_qs(urlsplit(address.text or "").query)["secret"][0]


def _fields(page: Response, code: str) -> dict[str, str]:
    return {**page.page.form("/mfa").fields, "code": code}


def _wrong(code: str) -> str:
    return f"{(int(code) + 500_000) % 1_000_000:06d}"

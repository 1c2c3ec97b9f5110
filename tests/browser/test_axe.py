"""No page breaks a rule of WCAG 2.2 AA that axe can see; and no page can be forgotten here."""

import secrets
from pathlib import Path

from playwright.sync_api import Browser, Route

from tests.browser.axe import LOOKS, violations
from tests.browser.conftest import NewVisitor
from tests.browser.visitor import DESKTOP, Visitor, totp
from tests.rig import Rig, rigged

# Addresses of pages that anybody may see, and of those that want a sign-in.
OPEN = ("/", "/api", "/access", "/tour", "/how-it-works", "/sign-in-options")
CLOSED = ("/session", "/credentials", "/sessions", "/doctor")
# Pages that answer a form; the tests below send one.
ANSWERS = {"access.run", "console.call", "doctor.examine", "history.compare"}
# What is no page, and why.
NO_PAGES = {
    "assets.asset": "files",
    "auth.login": "leads to Managed Login",
    "auth.callback": "leads on; refused it is an error page, as any other",
    "auth.logout": "leads on",
    "health.healthz": "JSON",
    "health.readyz": "JSON",
    "language.choose": "leads back",
    "session.me": "JSON",
    "session.refresh": "leads back",
    "session.userinfo": "leads back",
    "credentials.choose": "leads back",
    "credentials.name": "leads back",
    "devices.end": "leads back",
    "devices.end_others": "leads back",
}
ERRORS = ("/nowhere", "/api/call", "/callback?error=access_denied", "/callback?code=a&state=b")
OWN_PASSWORD = "Portico-mine-2"


def test_every_page_is_looked_at(tmp_path: Path) -> None:
    """Each address of the application is a page on the lists above, or is none for a reason."""
    with rigged(tmp_path) as rig:
        rules = rig.app.url_map
        at = rules.bind("localhost")
        looked_at = {at.match(path.partition("?")[0])[0] for path in (*OPEN, *CLOSED)} | ANSWERS
        assert {rule.endpoint for rule in rules.iter_rules()} == looked_at | set(NO_PAGES)
        assert not looked_at & set(NO_PAGES)


def test_a_fault_is_seen(new_visitor: NewVisitor) -> None:
    """A page that is made bad is found out, in the look in which it is bad."""
    visitor = new_visitor()
    visitor.go("/")
    visitor.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    visitor.page.evaluate("document.querySelector('h1').style.color = '#444'")
    found = violations(visitor.page)
    assert sum("image-alt" in one for one in found) == 4
    assert {" dark " in one for one in found if "color-contrast" in one} == {True}


def test_signed_out(new_visitor: NewVisitor) -> None:
    """Pages for everybody, with what folds out of them; answers of the console; errors."""
    visitor = new_visitor()
    found = _looked_at(visitor, *OPEN, *ERRORS)
    for identity, endpoint in (("nobody", "test-plain"), ("guest", "test-auth")):
        visitor.go("/api")
        visitor.call(endpoint, identity)
        found += _opened(visitor)
    visitor.go("/access")
    visitor.press("Run all calls")
    found += _opened(visitor)
    assert found == []


def test_signed_in(new_visitor: NewVisitor) -> None:
    """The same for somebody signed in, and what is theirs alone."""
    visitor = new_visitor()
    visitor.sign_in(visitor.demo.person("admin"), path="/login?next=/session")
    visitor.press("Ask userInfo now")
    visitor.press("Refresh now")
    found = _opened(visitor)
    found += _looked_at(visitor, *OPEN, *CLOSED, "/nowhere")
    visitor.go("/doctor")
    visitor.press("Examine now")
    found += _opened(visitor)
    for identity, endpoint in (("user", "vip"), ("bearer-id", "protected")):
        visitor.go("/api")
        visitor.call(endpoint, identity)
        found += _opened(visitor)
    visitor.press("Lay the two beside each other")
    found += _opened(visitor)
    visitor.go("/access")
    visitor.press("Run all calls")
    found += _opened(visitor)
    assert found == []


def test_a_raw_token(tmp_path: Path, chromium: Browser) -> None:
    """The page that only a switch of the operator opens; here an application in this process."""
    with rigged(tmp_path, APP_SHOW_TOKENS="true") as rig:
        rules = rig.app.url_map.iter_rules()
        (address,) = {rule.rule for rule in rules if rule.endpoint.startswith("raw_token.")}
        browser = rig.signed_in("admin")
        browser.inspect_pages = False
        form = browser.get("/session").page.form(address)
        shown = browser.post(address, form.fields | {"token": "id"})
        assert shown.status == 200
        page = chromium.new_page(viewport=DESKTOP)
        page.route("**/*", lambda route: _answered(route, rig, shown.body))
        page.goto(f"{rig.base_url}{address}")
        assert page.get_by_role("heading", level=1).inner_text() == "ID token"
        assert violations(page) == []
        page.close()


def _answered(route: Route, rig: Rig, page: bytes) -> None:
    path = route.request.url.removeprefix(rig.base_url)
    if not path.startswith("/static/"):
        route.fulfill(body=page, content_type="text/html; charset=utf-8")
        return
    file = rig.browser().get(path)
    route.fulfill(body=file.body, content_type=file.header("Content-Type"))


def test_in_other_languages(new_visitor: NewVisitor) -> None:
    """Longer words break no layout; the page says which language it speaks."""
    visitor = new_visitor()
    found = []
    for language in ("Deutsch", "Français"):
        visitor.go("/")
        visitor.press(visitor.page.get_by_role("contentinfo").get_by_role("button", name=language))
        found += _looked_at(visitor, *OPEN, "/nowhere")
        visitor.shot(f"axe-{language}")
    assert found == []


def test_managed_login(new_visitor: NewVisitor) -> None:
    """The offline sign-in pages: each form, the complaints on it, the mailbox, an application."""
    visitor = new_visitor()
    found = []
    person = visitor.demo.new_person("Manager")
    visitor.go("/login")
    found += _opened(visitor)
    visitor.press("Create an account")
    visitor.fill(email="not-an-address", name="", password="short")
    visitor.press("Create account")
    found += _opened(visitor)
    visitor.fill(email=f"axe-{secrets.token_hex(4)}@example.com", password=OWN_PASSWORD)
    visitor.press("Create account")
    found += _opened(visitor)
    visitor.go("/login")
    visitor.press("Forgot your password?")
    found += _opened(visitor)
    visitor.fill(username=person.email)
    visitor.press("Mail me a code")
    found += _opened(visitor)
    login = visitor.demo.managed_login
    for path in ("/mailbox", "/mfa/setup", "/login?client_id=nobody", "/oauth2/authorize"):
        visitor.page.goto(f"{login}{path}")
        found += violations(visitor.page)
    assert found == []


def test_managed_login_in_steps(new_visitor: NewVisitor) -> None:
    """A password to be replaced, an application to be set up and asked for."""
    visitor = new_visitor()
    visitor.sign_in(visitor.demo.new_person(temporary=True))
    found = _opened(visitor)
    visitor.context.clear_cookies()
    person = visitor.demo.new_person("Manager")
    visitor.sign_in(person)
    visitor.page.goto(f"{visitor.demo.managed_login}/mfa/setup")
    found += _opened(visitor)
    visitor.fill(code=totp(visitor.page.locator("#totp-secret").inner_text()))
    visitor.press("Turn on")
    found += _opened(visitor)
    visitor.go("/")
    visitor.sign_out("cognito")
    visitor.sign_in(person)
    visitor.fill(code="000000")
    visitor.press("Go on")
    found += _opened(visitor)
    assert found == []


def _looked_at(visitor: Visitor, *paths: str) -> list[str]:
    found = []
    for path in paths:
        visitor.go(path)
        found += _opened(visitor)
    return found


def _opened(visitor: Visitor) -> list[str]:
    """What is wrong with the page as it came, and with everything on it folded out."""
    found = violations(visitor.page)
    folded = "main details:not([open]), header details:not([open])"
    if visitor.page.locator(folded).count():
        visitor.page.evaluate(
            f"for (const one of document.querySelectorAll({folded!r})) one.open = true"
        )
        found += violations(visitor.page, LOOKS[::2])
        visitor.inspect()
    return found

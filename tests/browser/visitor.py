"""A person with a browser: goes, reads, presses; every page is inspected, some are pictured."""

import base64
import hashlib
import hmac
import re
import struct
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, Response, ViewportSize

from tests.browser.demo import Demo
from tests.browser.inspection import Inspector
from tests.stack.offline import User

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
ARTEFACTS = Path(__file__).parents[1] / "artefacts" / "browser"

# The depths of signing out, as the account menu calls them.
DEPTHS = {
    "app": "This application",
    "cognito": "Cognito too",
    "everywhere": "Everywhere",
    "switch": "Switch account",
}
# The identities of the console, as its buttons call them.
IDENTITIES = {
    "nobody": "nobody",
    "guest": "guest",
    "user": "signed-in user",
    "bearer-access": "bearer access token",
    "bearer-id": "bearer ID token",
}


class Window:
    """One browser profile with one window at the application of this origin.

    `folder` is where its pictures go.
    """

    def __init__(
        self, context: BrowserContext, application: str, folder: Path, *, inspected: str = ""
    ) -> None:
        self.application = application
        self.context = context
        self.page: Page = context.new_page()
        self.visited: list[str] = []
        self._folder = folder
        self._inspector = Inspector(self.page, inspected)
        self.page.on("response", self._noted)

    # --- Moving -----------------------------------------------------------------------------

    def go(self, path: str) -> int:
        """Type an address of the application; return the status of the page it led to."""
        answer = self.page.goto(self.application + path)
        self.inspect()
        assert answer is not None
        return answer.status

    def press(self, target: str | Locator) -> None:
        """Press the button or link of this name in the page and wait for the page it leads to."""
        if isinstance(target, str):
            named = re.compile(rf"^{re.escape(target)}")
            main = self.page.get_by_role("main")
            target = main.get_by_role("button", name=named).or_(
                main.get_by_role("link", name=named)
            )
        with self.page.expect_navigation():
            target.first.click()
        self.inspect()

    def fill(self, **fields: str) -> None:
        """Fill in fields by their names."""
        for name, value in fields.items():
            self.page.locator(f"[name={name}]:visible").fill(value)

    # --- Looking ----------------------------------------------------------------------------

    def inspect(self) -> None:
        """Hold the page against what every page must keep."""
        self._inspector.check()

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self._folder / f"{name}.png", full_page=True)

    @property
    def path(self) -> str:
        """Where the window is in the application, with its query; fails anywhere else."""
        assert self.page.url.startswith(self.application), self.page.url
        return self.page.url.removeprefix(self.application)

    @property
    def title(self) -> str:
        """The page's first heading."""
        return " ".join(self.page.get_by_role("heading", level=1).inner_text().split())

    @property
    def text(self) -> str:
        """The page's content in words, without frame."""
        return " ".join(self.page.get_by_role("main").inner_text().split())

    @property
    def account(self) -> Locator:
        """The head of the account menu: there only when somebody is signed in."""
        return self.page.locator("header summary")

    def signed_in_as(self) -> str | None:
        """The name that the application knows this browser by, read from the page."""
        found = self.account
        return found.inner_text().split()[-1] if found.count() else None

    # --- Signing out -----------------------------------------------------------------------

    def open_menu(self) -> None:
        """Open the account menu."""
        if self.page.locator("header details[open]").count() == 0:
            self.account.click()

    def sign_out(self, depth: str) -> None:
        """Choose one of the four ways out in the account menu."""
        self.open_menu()
        button = self.page.get_by_role("button", name=re.compile(rf"^{DEPTHS[depth]}"))
        self.press(button)

    # --- The console ------------------------------------------------------------------------

    def call(self, endpoint: str, identity: str) -> int:
        """Call an endpoint with a button of the console or of the last answer's page."""
        form = self.page.locator(f'main form:has(input[name=endpoint][value="{endpoint}"])')
        if form.count() == 0:
            self.go("/api")
        self.press(form.locator(f'button[value="{identity}"]'))
        return int(self.title.split()[0])

    def _noted(self, answer: Response) -> None:
        if answer.request.resource_type == "document":
            self.visited.append(f"{answer.status} {answer.url}")


class Visitor(Window):
    """Somebody at the demo, whose people and whose sign-in pages are our own."""

    def __init__(self, context: BrowserContext, demo: Demo, folder: str) -> None:
        super().__init__(context, demo.application, ARTEFACTS / folder)
        self.demo = demo

    @property
    def asked_to_sign_in(self) -> bool:
        """Whether the sign-in form of Managed Login stands there."""
        here = self.page.url.startswith(f"{self.demo.managed_login}/login?")
        return here and self.page.get_by_label("Password").is_visible()

    def sign_in(self, person: User, path: str = "/login") -> None:
        """Go to an address that asks for a sign-in, and answer with name and password."""
        self.go(path)
        self.enter(person)

    def enter(self, person: User) -> None:
        """Fill in Managed Login's sign-in form."""
        assert self.asked_to_sign_in, self.page.url
        self.fill(username=person.email, password=person.password)
        self.press("Sign in")


def totp(secret: str) -> str:
    """Return the six digits that an authenticator app shows now (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"

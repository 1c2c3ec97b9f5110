"""A person with a browser before an account that is not ours, whose sign-in pages may be anybody's.

Only the application's own pages are inspected.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.browser.visitor import DESKTOP, Window
from tests.live.entrance import Entrance
from tests.live.people import Person
from tests.parts import program

ARTEFACTS = Path(__file__).parents[1] / "artefacts" / "live"
# AWS is farther away than this machine's own.
DEADLINE_MS = 20_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; Playwright's loop is gone afterwards, so that others may start one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("browser"), args=ARGUMENTS)
        yield browser
        browser.close()


class LiveVisitor(Window):
    """Somebody at the application of a real account, or of one that is taken for real."""

    def __init__(self, context: BrowserContext, application: str) -> None:
        super().__init__(context, application, ARTEFACTS, inspected=application)
        self._entrance = Entrance(self.page, application)

    @property
    def asked_to_sign_in(self) -> bool:
        """Whether the pool's pages ask for somebody."""
        return self._entrance.asks

    def sign_in(self, person: Person, path: str = "/login") -> None:
        """Go to an address that asks for a sign-in, and answer."""
        self.page.goto(self.application + path)
        self.enter(person)

    def enter(self, person: Person) -> None:
        """Answer the pool's pages until they lead back."""
        self._entrance.enter(person)
        self.inspect()

    def called(self, endpoint: str, identity: str, intent: str | None = None) -> dict[str, Any]:
        """Let the application call an endpoint, as a program asks it to; the answer as JSON.

        `intent` is what the page's forms carry, where it has been read before.
        """
        answer = self.context.request.post(
            f"{self.application}/api/call",
            form={
                "csrf_token": intent or self.intent(),
                "endpoint": endpoint,
                "identity": identity,
            },
            headers={"Accept": "application/json", "Origin": self.application},
        )
        assert answer.status == 200, f"{endpoint} as {identity}: {answer.status} {answer.text()}"
        told: dict[str, Any] = answer.json()
        return told

    def me(self) -> dict[str, Any]:
        """What the application tells a program about whoever is signed in."""
        answer: dict[str, Any] = self.context.request.get(f"{self.application}/me").json()
        return answer

    def leave(self) -> None:
        """Sign out of the application and close the window, so that nothing is left behind."""
        if self.me()["signed_in"]:
            self.context.request.post(
                f"{self.application}/logout",
                form={"csrf_token": self.intent(), "depth": "app"},
                headers={"Origin": self.application},
            )
        self.context.close()

    def intent(self) -> str:
        """What every form of this browser has to carry."""
        return str(self.me()["csrf_token"])


def new_visitor(browser: Browser, application: str) -> LiveVisitor:
    """Somebody with a fresh browser profile."""
    context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
    context.set_default_timeout(DEADLINE_MS)
    return LiveVisitor(context, application)

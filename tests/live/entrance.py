"""The sign-in pages of a pool, whoever made them: AWS's Managed Login, the classic pages, ours.

Their markup differs and may change, so fields are found by what a browser's own password manager
goes by: type, name, autocomplete. Name and password may stand on one page or on two, and the
classic pages hold each form twice, one of them hidden.
"""

import time
from collections.abc import Callable

from playwright.sync_api import Error, Locator, Page

from tests.live.people import Person

NAME = "input[name=username], input[autocomplete~=username], input[type=email]"
# Not the one that some pages keep off the screen for password managers, beside the name.
PASSWORD = "input[type=password]:not([aria-hidden=true], [tabindex='-1'])"
CODE = "input[autocomplete=one-time-code], input[name*=code i], input[name*=otp i]"
SUBMIT = "button[type=submit], input[type=submit], button:not([type])"
DEADLINE_SECONDS = 20.0
_POLL_MS = 50


class SignInFailed(AssertionError):
    """The pages did not lead back to the application; the text says what they showed instead."""


class Entrance:
    """The sign-in pages in this window; `application` is the origin that they lead back to."""

    def __init__(
        self, page: Page, application: str, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._page = page
        self._application = application
        self._seconds = deadline_seconds

    @property
    def asks(self) -> bool:
        """Whether the pages ask for somebody: waits for a page that draws itself by script."""
        self._until(lambda: self._is_back or self._seen(NAME) or self._seen(PASSWORD))
        return not self._is_back

    def enter(self, person: Person) -> None:
        """Give name and password, on one page or on two. Raises SignInFailed."""
        if not self.asks:
            raise SignInFailed("The application did not ask for a sign-in.")
        if self._seen(NAME):
            _fill(self._first(NAME), person, "email")
            if not self._seen(PASSWORD):
                self._send(self._first(NAME))
                self._until(lambda: self._seen(PASSWORD), person)
        before = self._first(PASSWORD)
        _fill(before, person, "password")
        self._send(before)
        self._until(lambda: self._is_back, person)
        self._page.wait_for_load_state()

    @property
    def _is_back(self) -> bool:
        return self._page.url.startswith(f"{self._application}/")

    def _first(self, selector: str) -> Locator:
        return self._page.locator(selector).locator("visible=true").first

    def _seen(self, selector: str) -> bool:
        return self._first(selector).count() > 0

    def _send(self, field: Locator) -> None:
        """Press the form's own button, or Enter where it has none."""
        form = field.locator("xpath=ancestor::form[1]")
        button = form.locator(SUBMIT).locator("visible=true").first
        if button.count():
            button.click()
        else:
            field.press("Enter")

    def _until(self, done: Callable[[], bool], person: Person | None = None) -> None:
        deadline = time.monotonic() + self._seconds
        while not self._holds(done):
            if time.monotonic() > deadline:
                raise SignInFailed(self._what_stands_there(person)) from None
            self._page.wait_for_timeout(_POLL_MS)

    @staticmethod
    def _holds(done: Callable[[], bool]) -> bool:
        try:
            return done()
        except Error:  # the page went away while it was read
            return False

    def _what_stands_there(self, person: Person | None) -> str:
        who = person.email if person else "anybody"
        host = self._page.url.partition("?")[0]
        if person and self._seen("input[autocomplete=new-password], input[name*=new_password i]"):
            return f"{who} has to choose a new password first: sign in once by hand."
        if person and self._seen(CODE):
            return f"{who} is asked for a code: the kit's people must have no second factor."
        words = " ".join(self._page.locator("body").inner_text().split())[:300]
        return f"{host} did not let {who} in. It shows: {words}"


def _fill(field: Locator, person: Person, what: str) -> None:
    # Playwright's own error would quote what was to be filled in.
    try:
        field.fill(getattr(person, what))
    except Error:
        raise SignInFailed(f"The field for the {what} of {person.email} takes no text.") from None

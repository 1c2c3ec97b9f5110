"""Everybody at one running application: people who signed in once, and strangers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser

from tests.live.account import Account
from tests.live.people import Person
from tests.live.visitor import LiveVisitor, new_visitor


@dataclass
class Crowd:
    """Visitors of one account; all have signed out and gone home at the end."""

    account: Account
    browser: Browser
    origin: str
    _known: dict[Person, LiveVisitor] = field(default_factory=dict)
    _all: list[LiveVisitor] = field(default_factory=list)

    def stranger(self) -> LiveVisitor:
        """Somebody with a fresh browser, who has not signed in."""
        visitor = new_visitor(self.browser, self.origin)
        self._all.append(visitor)
        return visitor

    def of(self, person: Person) -> LiveVisitor:
        """The browser that this person signed in with, the first time that it is asked for."""
        if person not in self._known:
            visitor = self.stranger()
            visitor.sign_in(person, path="/login?next=/api")
            assert visitor.path == "/api"
            self._known[person] = visitor
        return self._known[person]

    def go_home(self) -> None:
        """Sign everybody out and close every window."""
        for visitor in self._all:
            visitor.leave()


@contextmanager
def gathered(browser: Browser, account: Account, folder: Path) -> Iterator[Crowd]:
    """The application of this account, running, with nobody there yet."""
    with account.running(folder / "application.log") as origin:
        crowd = Crowd(account, browser, origin)
        try:
            yield crowd
        finally:
            crowd.go_home()

"""A real account is proved when it is asked for, `pytest -m live`, and never by the way."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.live.account import Account, real_account
from tests.live.people import PAGE, NotReady
from tests.live.visitor import chromium as started_chromium
from tests.parts import PARTS, program

_NOT_RUN = pytest.StashKey[int]()
_ACCOUNT = pytest.StashKey[Account]()
_WANTED = re.compile(r"(?<!not )\blive\b")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of a real account out, or refuse to run them without one."""
    live = [item for item in items if item.get_closest_marker("live")]
    if not live:
        return
    if _WANTED.search(config.option.markexpr or ""):
        config.stash[_ACCOUNT] = _ready()
        return
    config.stash[_NOT_RUN] = len(live)
    config.hook.pytest_deselected(items=live)
    items[:] = [item for item in items if item not in live]


def _ready() -> Account:
    try:
        account = real_account()
    except NotReady as problem:
        raise pytest.UsageError(str(problem)) from None
    if program("browser") is None:
        cure = next(part.cure for part in PARTS if part.marker == "browser")
        raise pytest.UsageError(f"A real account is proved with a browser: {cure}.")
    return account


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say in one sentence what was not run, and how it is."""
    if count := config.stash.get(_NOT_RUN, 0):
        sentence = f"{count} live tests prove a real account with `make live`; {PAGE} says how."
        terminalreporter.write_line(f"NOT RUN: {sentence}")


@pytest.fixture(scope="session")
def real(request: pytest.FixtureRequest) -> Account:
    """The account of the settings that the application here would read."""
    return request.config.stash[_ACCOUNT]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser for this folder."""
    with started_chromium() as browser:
        yield browser

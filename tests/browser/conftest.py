"""A real Chromium before the real demo.

The fixtures last for this folder, not for the whole run: Playwright's loop must not be there when
other tests start one of their own.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.browser.demo import Demo, started
from tests.browser.visitor import ARTEFACTS, DESKTOP, PHONE, Visitor
from tests.parts import program

# The machine's own user may be root in a container; the browser shall ask nobody for anything.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DEADLINE_MS = 10_000

_FAILED = pytest.StashKey[bool]()

NewVisitor = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.stack)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember that a test failed, so that its last pages are pictured."""
    if call.excinfo is not None:
        item.stash[_FAILED] = True
    return (yield)


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The offline AWS and the application, as `make demo` starts them."""
    with started(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright; the pictures of the last run are gone."""
    shutil.rmtree(ARTEFACTS, ignore_errors=True)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, or whatever this machine has."""
    browser = playwright.chromium.launch(executable_path=program("browser"), args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(params=[True, False], ids=["desktop-script", "phone-no-script"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Whether it is a desktop that runs scripts, or a phone that runs none."""
    return bool(request.param)


@pytest.fixture
def new_visitor(
    request: pytest.FixtureRequest, demo: Demo, chromium: Browser
) -> Iterator[NewVisitor]:
    """Make people, each with a browser profile of their own, closed after the test."""
    made: list[tuple[BrowserContext, Visitor]] = []

    def make(scripts: bool = True, folder: str = "", **options: Any) -> Visitor:
        usual = {"viewport": DESKTOP if scripts else PHONE, "reduced_motion": "reduce"}
        context = chromium.new_context(java_script_enabled=scripts, **(usual | options))
        context.set_default_timeout(DEADLINE_MS)
        folder = folder or ("desktop-script" if scripts else "phone-no-script")
        visitor = Visitor(context, demo, folder)
        made.append((context, visitor))
        return visitor

    yield make
    failed = request.node.stash.get(_FAILED, False)
    for number, (context, visitor) in enumerate(made, 1):
        if failed:
            visitor.shot(f"failed-{request.node.name}-{number}")
        context.close()


@pytest.fixture
def visitor(new_visitor: NewVisitor, scripts: bool) -> Visitor:
    """One person; each test runs once on a desktop with scripts, once on a phone without."""
    return new_visitor(scripts)

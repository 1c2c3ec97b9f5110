"""The proofs over a real account: `pytest -m live`, or `make live`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.live.account import Account
from tests.live.crowd import Crowd, gathered
from tests.live.proofs import AccountProofs

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def crowd(
    real: Account, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crowd]:
    """The application that the settings describe."""
    with gathered(chromium, real, tmp_path_factory.mktemp("live")) as everybody:
        yield everybody


class TestRealAccount(AccountProofs):
    """The account that the application's own settings name."""

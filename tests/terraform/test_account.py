"""The proofs of a real account over the stack that Terraform made, by its outputs alone.

The name comes before `test_apply`, whose last test destroys the stack.
"""

from collections.abc import Iterator

import pytest

from tests.live.crowd import Crowd, gathered
from tests.live.peopled import offline_account
from tests.live.proofs import AccountProofs
from tests.live.visitor import chromium
from tests.stack.offline import OfflineAws
from tests.terraform.conftest import Applied

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def crowd(
    applied: Applied, offline: OfflineAws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crowd]:
    """The application with the `.env` that an operator makes of the outputs."""
    folder = tmp_path_factory.mktemp("account")
    account = offline_account(offline.stack, applied.outputs, folder)
    with chromium() as browser, gathered(browser, account, folder) as everybody:
        yield everybody


class TestTerraformsStack(AccountProofs):
    """Terraform's stack, taken for a real account."""

    least_documents = 5

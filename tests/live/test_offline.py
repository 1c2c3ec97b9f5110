"""The same proofs over the stack that the offline provisioner makes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict

import pytest
from dotenv import dotenv_values
from playwright.sync_api import Browser

from infra.local.process import REPOSITORY, free_port, start_offline_aws
from infra.stack import load_stack
from tests.live.crowd import Crowd, gathered
from tests.live.peopled import offline_account
from tests.live.proofs import AccountProofs
from tests.stack.offline import OfflineAws
from tests.stack.world import Offline

pytestmark = [pytest.mark.browser, pytest.mark.stack]


@pytest.fixture(scope="module")
def crowd(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """A fresh offline AWS, provisioned, and the application with nothing but a .env."""
    folder, port, stack = tmp_path_factory.mktemp("offline"), free_port(), load_stack()
    child = start_offline_aws(port, folder / "aws")
    try:
        child.wait_until_healthy()
        here = Offline(f"http://127.0.0.1:{port}")
        made = OfflineAws.provisioned(here, stack, f"http://localhost:{free_port()}")
        outputs = {"settings": {"value": dict(made.environment)}, "secret_settings": {"value": {}}}
        with gathered(chromium, offline_account(stack, outputs, folder), folder) as everybody:
            yield everybody
    finally:
        child.stop()


class TestProvisionedStack(AccountProofs):
    """The stack of the demo, taken for a real account."""

    least_documents = 5


def test_asked_for_by_its_marker_it_proves_what_the_environment_names(crowd: Crowd) -> None:
    """`pytest -m live` takes settings and people from the environment, and prints no password."""
    account = crowd.account
    settings = {name: value or "" for name, value in dotenv_values(account.folder / ".env").items()}
    store = account.folder / "another.db"
    # The port of APP_BASE_URL is taken by the application of the other tests.
    own = {
        "APP_BASE_URL": f"http://localhost:{free_port()}",
        "SESSION_STORE_URL": f"sqlite:///{store}",
        "LIVE_PEOPLE": json.dumps([asdict(person) for person in account.people]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "live", "-k", "from_outside", "tests/live"],
        cwd=REPOSITORY,
        env={**account.environment, **settings, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert store.exists()
    assert account.people[0].password not in done.stdout + done.stderr

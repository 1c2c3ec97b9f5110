"""One application on doubles per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig import SECURE_URL, Rig, rigged
from tests.security.fleet import Fleet, fleet_of
from tests.security.fleet_stores import STORES
from tests.security.served import Served, served_by_gunicorn


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """The application on http loopback with a confidential client."""
    with rigged(tmp_path, client_secret="s3cret+with/odd=signs") as made:
        yield made


@pytest.fixture
def secure_rig(tmp_path: Path) -> Iterator[Rig]:
    """The application under an https address, behind one proxy."""
    with rigged(tmp_path, base_url=SECURE_URL, TRUSTED_PROXY_HOPS="1") as made:
        yield made


@pytest.fixture(scope="session", params=[True, False], ids=["our settings", "plain gunicorn"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The application under real gunicorn, with and without the settings file."""
    folder = tmp_path_factory.mktemp("served")
    with served_by_gunicorn(folder, with_conf=request.param) as made:
        yield made


@pytest.fixture(scope="session", params=STORES)
def standing_fleet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """Two hosts over one store, started once for all tests of that store."""
    proxied = request.param != "sqlite"
    folder = tmp_path_factory.mktemp("fleet")
    with fleet_of(folder, request.param, behind_proxy=proxied) as made:
        yield made


@pytest.fixture
def fleet(standing_fleet: Fleet) -> Iterator[Fleet]:
    """The fleet as new: healed, every host up, nothing counted. What a test takes down of the
    store it brings up again itself.
    """
    standing_fleet.reset()
    yield standing_fleet
    standing_fleet.cognito.heal()
    standing_fleet.cognito.assert_quiet()

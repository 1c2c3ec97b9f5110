"""The offline AWS, started for real, once for all tests of this folder.

- `mended_aws`: the server with our mends and pages, empty apart from what tests make;
- `plain_aws`: the pinned release as it is, to see that each gap is still there;
- `offline_aws`: the same server as `mended_aws`, provisioned from infra/stack.yaml.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.process import Child, free_port, start_offline_aws
from infra.stack import load_stack
from tests.stack.command_line import CommandLine
from tests.stack.offline import APP_BASE_URL, OfflineAws
from tests.stack.world import Offline, World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as a test of the offline AWS."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def mended_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offline]:
    """The offline AWS with all mends and the Managed Login pages."""
    yield from _running(tmp_path_factory.mktemp("mended"), plain=False)


@pytest.fixture(scope="session")
def plain_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offline]:
    """The pinned release alone."""
    yield from _running(tmp_path_factory.mktemp("plain"), plain=True)


@pytest.fixture(scope="session")
def offline_aws(mended_aws: Offline) -> OfflineAws:
    """The provisioned stack; a test that changes people makes its own with `new_user`."""
    return OfflineAws.provisioned(mended_aws, load_stack(), APP_BASE_URL)


@pytest.fixture
def mended(mended_aws: Offline) -> World:
    """A world of this test's own on the mended server."""
    return World(mended_aws)


@pytest.fixture
def plain(plain_aws: Offline) -> World:
    """A world of this test's own on the plain server."""
    return World(plain_aws)


def _running(folder: Path, *, plain: bool) -> Iterator[Offline]:
    port = free_port()
    child: Child = start_offline_aws(port, folder, plain=plain)
    try:
        child.wait_until_healthy()
        yield Offline(f"http://127.0.0.1:{port}")
    finally:
        child.stop()


@pytest.fixture(scope="session")
def command_line(offline_aws: OfflineAws, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The commands over the provisioned stack, in a folder of their own."""
    folder = tmp_path_factory.mktemp("commands")
    own = {
        "SECRET_KEY": "0123456789abcdef" * 2,
        "SESSION_STORE_URL": f"sqlite:///{folder}/sessions.db",
    }
    return CommandLine({**offline_aws.environment, **own}, folder)

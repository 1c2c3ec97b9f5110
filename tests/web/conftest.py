"""One application on doubles per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig import SECURE_URL, Rig, rigged


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

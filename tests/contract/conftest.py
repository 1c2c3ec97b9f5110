"""Every test of the contract runs once for each store."""

from pathlib import Path

import pytest

from tests.contract.stores import STORES, Backend
from webapp.store.base import Store


@pytest.fixture(params=STORES)
def backend(request: pytest.FixtureRequest) -> Backend:
    """One back end after the other."""
    found = request.param
    assert isinstance(found, Backend)
    return found


@pytest.fixture
def store(backend: Backend, tmp_path: Path) -> Store:
    """An empty store."""
    return backend.open(tmp_path)


@pytest.fixture
def other_host(backend: Backend, store: Store, tmp_path: Path) -> Store:
    """The same store as another process or host opens it."""
    del store  # made first
    return backend.open(tmp_path)

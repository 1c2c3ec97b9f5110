"""What the tests of the doubles share."""

from collections.abc import Iterator

import pytest

from tests.doubles import Clock, Cognito
from tests.unit.doubles.walk import APP, Walk


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock(1_800_000_000.0)


@pytest.fixture
def cognito(clock: Clock) -> Iterator[Cognito]:
    """A confidential client's Cognito; at the end it must have been quiet."""
    with Cognito(now=clock, client_secret="a-secret") as cognito:
        cognito.environment(APP)
        yield cognito


@pytest.fixture
def walk(cognito: Cognito) -> Walk:
    """A sign-in to be walked."""
    return Walk(cognito)

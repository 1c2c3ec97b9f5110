"""A server with one address, for what sends requests."""

from collections.abc import Iterator

import pytest

from tests.doubles.double import Double
from tests.doubles.endpoint import Endpoint
from tests.doubles.message import Answer


@pytest.fixture
def double() -> Iterator[Double]:
    """A server of this test."""
    with Double() as made:
        yield made


@pytest.fixture
def page(double: Double) -> Endpoint:
    """Its one address; true to itself it says `{"a": 1}`."""
    return double.serve("page", "GET POST", "/x", lambda _: Answer.of_json({"a": 1}))

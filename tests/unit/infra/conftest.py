"""The backend over a real key server."""

from collections.abc import Iterator

import pytest

from infra.functions.api.handler import Backend
from infra.functions.api.id_token import IdTokenVerifier
from infra.functions.api.keys import SigningKeys
from tests.unit.infra.pool import CLIENT_ID, ISSUER, NOW, UserPool, serving


class Clock:
    """Time that moves only when a test says so; seconds."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def pool() -> Iterator[UserPool]:
    with serving(UserPool()) as served:
        yield served


@pytest.fixture
def wall() -> Clock:
    return Clock(NOW)


@pytest.fixture
def ticks() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def backend(pool: UserPool, wall: Clock, ticks: Clock) -> Backend:
    keys = SigningKeys(pool.jwks_url, now=ticks)
    return Backend(IdTokenVerifier(issuer=ISSUER, client_id=CLIENT_ID, keys=keys, now=wall))

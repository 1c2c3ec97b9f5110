"""CR-01, CR-04, CR-05: an identity pool that is busy, in trouble, or forgets whom it knew."""

from collections.abc import Callable
from functools import partial
from typing import NoReturn

import pytest
from botocore.exceptions import ClientError

from tests.doubles.browser import Browser
from tests.doubles.endpoint import Endpoint
from tests.doubles.faults import Faults
from tests.doubles.identity_pool import FakeIdentityPool
from tests.rig import Rig
from tests.security.events import event_lines
from tests.security.outcomes import living_sessions
from webapp.credentials.pool import TRIES, IdentityPool
from webapp.errors import PoolUnavailable

GONE = "ResourceNotFoundException"
CONFLICT = "ResourceConflictException"
ENDPOINTS: dict[str, Callable[[FakeIdentityPool], Endpoint]] = {
    "GetId": lambda pool: pool.get_id,
    "GetCredentialsForIdentity": lambda pool: pool.get_credentials,
}
each_call = pytest.mark.parametrize("which", ENDPOINTS.values(), ids=ENDPOINTS)


def _with_keys(rig: Rig) -> Browser:
    """Somebody who has called the API once, and whose keys have ended since."""
    browser = rig.signed_in("admin")
    assert browser.call("vip", "user").json()["status"] == 200
    rig.clock.advance(1700)
    assert browser.get("/me").status == 200
    rig.clock.advance(1700)
    browser.me()
    rig.clock.advance(210)
    assert browser.me()["signed_in"] is True
    rig.cognito.pool.get_id.forget()
    rig.cognito.pool.get_credentials.forget()
    return browser


def _alarm(rig: Rig) -> dict[str, object]:
    found = [one for one in event_lines(rig.log) if one.get("code") == "identity_pool_refused"]
    assert found
    assert found[-1]["level"] == "error"
    return found[-1]


def test_CR_04_identity_deleted_at_the_pool(rig: Rig) -> None:
    """An identity that was deleted is asked for anew, once, and the person notices nothing."""
    browser = _with_keys(rig)
    before = set(rig.cognito.pool.identities)
    rig.cognito.pool.forget_identities()
    assert browser.call("vip", "user").json()["status"] == 200
    pool = rig.cognito.pool
    assert (pool.get_id.count, pool.get_credentials.count) == (1, 2)
    assert set(pool.identities).isdisjoint(before)
    browser.call("vip", "user")
    assert (pool.get_id.count, pool.get_credentials.count) == (1, 2)  # the new one is kept
    assert browser.me()["email"] == "admin@example.com"


def test_CR_04_login_linked_elsewhere(rig: Rig) -> None:
    """A login that the pool knows under another identity is asked for anew the same way."""
    browser = _with_keys(rig)
    rig.cognito.pool.get_credentials.once.aws_error(CONFLICT, "Logins don't match.")
    assert browser.call("vip", "user").json()["status"] == 200
    pool = rig.cognito.pool
    assert (pool.get_id.count, pool.get_credentials.count) == (1, 2)


@pytest.mark.parametrize("code", [GONE, CONFLICT])
@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_CR_04_for_ever(rig: Rig, known: bool, code: str) -> None:
    """When that does not help there is a page for the operator, no loop and no sign-out."""
    browser = _with_keys(rig) if known else rig.signed_in("admin")
    calls, pool = len(rig.cognito.api.calls), rig.cognito.pool
    pool.get_credentials.aws_error(code)
    response = browser.call("vip", "user", json=False)
    assert response.status == 502
    assert "operator" in response.page.text
    assert (pool.get_id.count, pool.get_credentials.count) == (1 if known else 2, 2)
    assert len(rig.cognito.api.calls) == calls
    assert _alarm(rig)["reason"] == code
    assert len(rig.cognito.issuer.grants("refresh_token")) == (1 if known else 0)
    assert living_sessions(rig) == 1
    assert browser.get("/credentials").status == 200
    rig.cognito.heal()
    assert browser.call("vip", "user").json()["status"] == 200


@pytest.mark.parametrize("code", [GONE, CONFLICT])
def test_CR_04_pool_that_names_nobody(rig: Rig, code: str) -> None:
    """A GetId that answers so is not repeated: the person and a guest both get the page."""
    browser = rig.signed_in("admin")
    rig.cognito.pool.get_id.aws_error(code)
    for asked, identity in enumerate(("user", "guest"), 1):
        response = browser.call("test-public", identity, json=False)
        assert response.status == 502
        assert "operator" in response.page.text
        assert rig.cognito.pool.get_id.count == asked
    assert browser.me()["email"] == "admin@example.com"


TROUBLE: dict[str, tuple[Callable[[Faults], object], int]] = {
    "busy": (lambda one: one.aws_error("TooManyRequestsException"), TRIES),
    "limit": (lambda one: one.aws_error("LimitExceededException"), TRIES),
    "internal": (lambda one: one.aws_error("InternalErrorException", status=500), TRIES),
    "external": (lambda one: one.aws_error("ExternalServiceException"), TRIES),
    "reset": (lambda one: one.reset(), 1),
    "cut": (lambda one: one.truncate(20), 1),
}


@each_call
@pytest.mark.parametrize(("trouble", "tries"), TROUBLE.values(), ids=TROUBLE)
def test_CR_05_each_call_in_trouble(
    rig: Rig,
    which: Callable[[FakeIdentityPool], Endpoint],
    trouble: Callable[[Faults], object],
    tries: int,
) -> None:
    """Either call in trouble is BUSY after three tries at most: nothing is sent, nobody is out."""
    browser = rig.signed_in("admin")
    ticket = browser.cookies["portico"]
    endpoint = which(rig.cognito.pool)
    trouble(endpoint)
    response = browser.call("vip", "user")
    assert response.status == 503
    assert int(response.header("Retry-After") or 0) > 0
    assert response.header_values("Set-Cookie") == []
    assert endpoint.count == tries
    assert rig.cognito.api.calls == []
    assert '"unforeseen"' not in rig.log
    assert (browser.cookies["portico"], living_sessions(rig)) == (ticket, 1)
    rig.cognito.heal()
    assert browser.call("vip", "user").json()["status"] == 200


@each_call
def test_CR_01_busy_for_a_moment(rig: Rig, which: Callable[[FakeIdentityPool], Endpoint]) -> None:
    """Two refusals for too many requests are waited out, and the call is made."""
    browser = rig.signed_in("admin")
    which(rig.cognito.pool).for_next(TRIES - 1).aws_error("TooManyRequestsException")
    assert browser.call("vip", "user").json()["status"] == 200
    assert which(rig.cognito.pool).count == TRIES


class _Busy:
    """An identity pool whose every answer is that too many ask."""

    def get_id(self, **_: object) -> NoReturn:
        """As boto3 raises it."""
        about = {"Error": {"Code": "TooManyRequestsException", "Message": ""}}
        raise ClientError(about, "GetId")

    get_credentials_for_identity = get_id


def test_CR_01_tries_are_apart_and_by_chance() -> None:
    """The pauses between tries grow, and differ by chance, so that no crowd comes back as one."""
    waited: dict[float, list[float]] = {0.0: [], 0.5: [], 1.0: []}
    for dice, pauses in waited.items():
        pool = IdentityPool(
            _Busy(),
            pool_id="us-east-1:pool",
            login_key="issuer",
            pause=pauses.append,
            dice=partial(float, dice),
        )
        with pytest.raises(PoolUnavailable):
            pool.keys()
    assert [len(pauses) for pauses in waited.values()] == [TRIES - 1] * 3
    for low, middle, high in zip(*waited.values(), strict=True):
        assert low == pytest.approx(middle / 2)
        assert high == pytest.approx(middle * 1.5)
    assert all(first < second < 1 for first, second in waited.values())

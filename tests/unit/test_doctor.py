"""The doctor's judgement where no emulator can be made sick enough."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from webapp.doctor import cognito, reach
from webapp.doctor.cognito import Wanted
from webapp.doctor.examination import Patient, examined
from webapp.errors import ProviderUnavailable
from webapp.outbound import OutboundFailed, Reply, Sender

NOW = 1_800_000_000.0
WANTED = Wanted(
    base_url="https://portal.example.com",
    client_id="c1",
    client_secret=None,
    scopes=("openid",),
    providers=(),
    login_key="cognito-idp.us-east-1.amazonaws.com/us-east-1_A",
)


class Answering:
    """Sends nothing, and answers with this Date, or not at all."""

    def __init__(self, date: str | None = None, status: int = 200, *, silent: bool = False) -> None:
        self._date, self._status, self._silent = date, status, silent

    def send(self, *_: Any, **__: Any) -> Reply:
        if self._silent:
            raise OutboundFailed("nobody", reason="ConnectionRefusedError")
        headers = (("Date", self._date),) if self._date else ()
        return Reply(self._status, "", headers, b"", False, 0.0)


def _clock(offset: float) -> str:
    date = format_datetime(datetime.fromtimestamp(NOW - offset, UTC), usegmt=True)
    sender = cast("Sender", Answering(date))
    return reach.clock(sender, "https://x", now=lambda: NOW).verdict


@pytest.mark.parametrize(
    ("offset", "verdict"),
    [(0, "fine"), (5, "fine"), (-5, "fine"), (40, "fine"), (90, "change"), (-3600, "change")],
)
def test_the_clock(offset: float, verdict: str) -> None:
    """A clock that is more than a minute away is to be set; less is tolerated."""
    assert _clock(offset) == verdict


@pytest.mark.parametrize(
    "answer", [Answering(None), Answering("yesterday"), Answering(silent=True)]
)
def test_a_clock_that_cannot_be_compared(answer: Answering) -> None:
    """Without a date to compare with nothing is said against the clock."""
    assert reach.clock(cast("Sender", answer), "https://x", now=lambda: NOW).verdict == "unknown"


def test_roles_and_domain_that_are_missing() -> None:
    """Missing roles, a missing mapping and a missing or classic domain are to be changed."""
    found = {one.about: one.verdict for one in cognito.roles({}, WANTED, guests=True)}
    assert set(found.values()) == {"change"}
    assert len(found) == 3
    found = {one.about: one.verdict for one in cognito.roles({}, WANTED, guests=False)}
    assert "identity pool: unauthenticated role" not in found
    assert [one.verdict for one in cognito.domain({})] == ["change"]
    classic = {"Domain": "d", "ManagedLoginVersion": 1}
    assert [one.verdict for one in cognito.domain(classic)] == ["change"]


def test_a_plan_without_managed_login() -> None:
    """The Lite plan cannot serve what this application takes."""
    assert [one.verdict for one in cognito.user_pool({"UserPoolTier": "LITE"})] == ["change"]


def test_groups_without_a_role() -> None:
    """A group without a role is named; no groups at all are fine."""
    (found,) = cognito.groups([{"GroupName": "A", "RoleArn": "r"}, {"GroupName": "B"}])
    assert found.verdict == "change"
    assert found.seen.startswith("B ")
    assert [one.verdict for one in cognito.groups([])] == ["fine"]


class Refusing:
    """An AWS client of which every call fails so."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_paginator(self, _: str) -> "Refusing":
        return self

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(**_: Any) -> Any:
            raise self._error

        return refuse


def _unavailable() -> None:
    raise ProviderUnavailable("The user pool does not answer.", reason="ConnectionRefusedError")


@pytest.mark.parametrize(
    ("error", "verdict", "word"),
    [
        (
            ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeUserPool"),
            "unknown",
            "may not look",
        ),
        (
            ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeUserPool"),
            "change",
            "none of this id",
        ),
        (
            ClientError({"Error": {"Code": "InternalError"}}, "DescribeUserPool"),
            "unknown",
            "InternalError",
        ),
        (EndpointConnectionError(endpoint_url="https://x"), "unknown", "EndpointConnectionError"),
    ],
)
def test_an_aws_that_does_not_tell(error: Exception, verdict: str, word: str) -> None:
    """What AWS does not let us see is said and not guessed, and nothing raises."""
    patient = Patient(
        wanted=WANTED,
        issuer="https://issuer",
        discovery_url="https://x",
        user_pool_id="us-east-1_A",
        identity_pool_id="us-east-1:x",
        api_endpoint="https://api",
        own={"session store": _unavailable},
        discovery=_unavailable,
        keys=_unavailable,
        sender=cast("Sender", Answering(silent=True)),
        idp=Refusing(error),
        identity=Refusing(error),
    )
    found = {one.about: one for one in examined(patient)}
    assert found["session store"].verdict == "change"
    assert found["user pool: discovery"].verdict == "change"
    assert found["API"].verdict == "change"
    for about in ("user pool", "identity pool"):
        assert found[about].verdict == verdict
        assert word in found[about].seen

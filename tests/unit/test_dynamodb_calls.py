"""Calls to DynamoDB: how often, how long, and when a write may be sent again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ChecksumError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
)

from webapp.errors import StoreUnavailable
from webapp.outbound import OutboundFailed, OutboundTimedOut
from webapp.services import open_store
from webapp.store.dynamodb.calls import START_SECONDS, Operation

ANSWER = {"ResponseMetadata": {"HTTPHeaders": {"content-type": "application/x-amz-json-1.0"}}}
Failure = Exception


def of_aws(code: str, status: int = 400) -> ClientError:
    """An error that AWS answered."""
    return ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "UpdateItem"
    )


BUSY = [
    of_aws("ThrottlingException"),
    of_aws("TransactionConflictException"),
    OutboundFailed("No.", reason="ConnectionRefusedError"),
    OutboundFailed("No.", reason="gaierror"),
]
UNCLEAR = [
    of_aws("InternalServerError", 500),
    of_aws("503", 503),
    OutboundTimedOut("No.", reason="TimeoutError"),
    OutboundFailed("No.", reason="ConnectionResetError"),
    OutboundFailed("No."),
]
FINAL = [
    of_aws("AccessDeniedException"),
    NoCredentialsError(),
    CredentialRetrievalError(provider="container-role", error_msg="secret"),
    ChecksumError(checksum_type="crc32", expected_checksum=1, actual_checksum=2),
]


class Time:
    """A clock that a test moves, and a pause that moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def pause(self, seconds: float) -> None:
        """Wait."""
        self.pauses.append(seconds)
        self.now += seconds


class Call:
    """A call of the client that fails with these in turn, each after `seconds`, then answers."""

    def __init__(self, at: Time, *errors: Failure, seconds: float = 0) -> None:
        self._at = at
        self._errors = list(errors)
        self._seconds = seconds
        self.times = 0

    def __call__(self, **arguments: Any) -> Any:
        self.times += 1
        self._at.now += self._seconds
        if self._errors:
            raise self._errors.pop(0)
        return ANSWER


def named(errors: list[Failure]) -> pytest.MarkDecorator:
    """One case for each error."""
    return pytest.mark.parametrize("error", errors, ids=lambda error: str(error)[:40])


@named(BUSY)
def test_what_was_not_done_is_sent_again(error: Failure) -> None:
    """Any call is sent again after a refusal, also a write that must not be done twice."""
    at = Time()
    call = Call(at, error, error)
    outcome = Operation(at.clock, at.pause).write(call, repeatable=False)
    assert (outcome.taken, outcome.unsure, call.times) == (True, False, 3)
    assert at.pauses == sorted(at.pauses)


@named(UNCLEAR)
def test_what_may_have_been_done(error: Failure) -> None:
    """A write without an answer is sent again only where that is harmless, and is marked."""
    at = Time()
    assert Operation(at.clock, at.pause).write(Call(at, error)).unsure
    once = Call(at, error)
    with pytest.raises(StoreUnavailable):
        Operation(at.clock, at.pause).write(once, repeatable=False)
    assert once.times == 1


@named(FINAL)
def test_what_does_not_get_better(error: Failure) -> None:
    """Where sending again does not help the operation ends at once, without the words of AWS."""
    at = Time()
    call = Call(at, error)
    with pytest.raises(StoreUnavailable) as caught:
        Operation(at.clock, at.pause).read(call)
    assert (call.times, at.pauses) == (1, [])
    assert caught.value.__context__ is None
    assert "secret" not in f"{caught.value} {caught.value.facts}"


@pytest.mark.parametrize(
    ("seconds", "times", "longest"),
    [(0.001, 8, START_SECONDS), (0.3, 2, 0.7), (0.7, 1, 0.7), (1.0, 1, 1.0)],
)
def test_an_operation_ends(seconds: float, times: int, longest: float) -> None:
    """However long one attempt takes, no other begins late: about a second in all."""
    at = Time()
    begun = at.now
    call = Call(at, *[of_aws("ThrottlingException")] * 99, seconds=seconds)
    with pytest.raises(StoreUnavailable):
        Operation(at.clock, at.pause).read(call)
    assert 1 <= call.times <= times
    assert at.now - begun <= longest + 1e-6


def test_a_second_call_does_not_begin_late() -> None:
    """The calls of one operation share its time."""
    at = Time()
    operation = Operation(at.clock, at.pause)
    operation.read(Call(at, seconds=START_SECONDS + 0.01))
    late = Call(at)
    with pytest.raises(StoreUnavailable) as caught:
        operation.read(late)
    assert late.times == 0
    assert caught.value.facts["reason"] == "too slow"


def test_a_condition_is_no_error() -> None:
    """A condition that does not hold is an answer, with what stood there."""
    at = Time()
    error = of_aws("ConditionalCheckFailedException")
    error.response["Item"] = {"version": {"N": "3"}}
    outcome = Operation(at.clock, at.pause).write(Call(at, error))
    assert (outcome.taken, outcome.item) == (False, {"version": {"N": "3"}})


@pytest.fixture
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """An environment in which AWS's libraries find nothing; called, it sets variables there."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def add(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return add


def test_no_start_without_credentials(bare_environment: Callable[..., None]) -> None:
    """A DynamoDB store without AWS credentials refuses at start, with the cure."""
    for variables in ({}, {"AWS_PROFILE": "nobody"}):
        bare_environment(**variables)
        with pytest.raises(StoreUnavailable, match="AWS_ACCESS_KEY_ID") as caught:
            open_store("dynamodb://portico-sessions", region="us-east-1")
        assert caught.value.__cause__ is None


def test_start_without_a_connection(bare_environment: Callable[..., None]) -> None:
    """Opening a DynamoDB store sends nothing, so that workers may be forked afterwards."""
    bare_environment(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y")
    assert open_store(
        "dynamodb://portico-sessions", region="us-east-1", dynamodb_endpoint="http://127.0.0.1:9"
    )

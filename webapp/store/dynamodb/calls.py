"""Calls to DynamoDB: sent again while that is safe and in time; no error of botocore goes further.

The client is handed in, sends through our own way out, and must not retry by itself: only here is
it known how much time is left, and whether a second sending could mistake its own first one for
somebody else's write.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from webapp.budget import Within
from webapp.deadlines import STORE_SECONDS, STORE_START_SECONDS
from webapp.errors import StoreUnavailable
from webapp.outbound import OutboundFailed, OutboundRefused
from webapp.store.dynamodb.items import Item

START_SECONDS = STORE_START_SECONDS
"""No call of an operation starts later; what is left is the longest that it may last."""
PAUSE_SECONDS = 0.025
MOST_PAUSE_SECONDS = 0.2

_CONDITION = "ConditionalCheckFailedException"
# Refused before anything was done.
_BUSY = {
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}
TOO_LARGE = "too large"
"""The reason where an item is larger than anything that we write."""
_UNREACHED = {"ConnectionRefusedError", "gaierror"}  # not even a connection
_CURES = {
    "AccessDeniedException": "let the application's role GetItem, PutItem, UpdateItem, DeleteItem,"
    " Query and BatchGetItem on the table",
    "ExpiredTokenException": "renew the AWS credentials of the application",
    "InvalidSignatureException": "check the AWS credentials and the clock of this host",
    "NoCredentialsError": "give the application AWS credentials of its own, best by a role",
    "ResourceNotFoundException": "check SESSION_STORE_URL and AWS_REGION: no such table",
    "UnrecognizedClientException": "check the AWS credentials of the application",
    "ValidationException": "check that the table has the keys k and s, both binary",
}


class DynamoApi(Protocol):
    """The calls of boto3's `dynamodb` client that are made."""

    def get_item(self, **arguments: Any) -> Any:
        """AWS: GetItem."""

    def put_item(self, **arguments: Any) -> Any:
        """AWS: PutItem."""

    def update_item(self, **arguments: Any) -> Any:
        """AWS: UpdateItem."""

    def delete_item(self, **arguments: Any) -> Any:
        """AWS: DeleteItem."""

    def query(self, **arguments: Any) -> Any:
        """AWS: Query."""

    def batch_get_item(self, **arguments: Any) -> Any:
        """AWS: BatchGetItem."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a conditional write came to.

    `item` is what stood there before, as far as DynamoDB told. `unsure` says that an earlier
    sending went unanswered and may have been the one that was taken.
    """

    taken: bool
    item: Item
    unsure: bool


class _Kind(Enum):
    BUSY = auto()  # not done, send it again
    UNCLEAR = auto()  # done or not
    FINAL = auto()  # not done, and sending it again does not help


class Operation:
    """The calls of one operation of the store; they share its time. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float], pause: Callable[[float], object]) -> None:
        self._clock = clock
        self._pause = pause
        self._begun = clock()
        self._pauses = 0
        self._unsure = False

    def read(self, call: Callable[..., Any], **arguments: Any) -> Any:
        """The answer. Raises StoreUnavailable."""
        return self._sent(call, arguments, repeatable=True)

    def write(
        self, call: Callable[..., Any], *, repeatable: bool = True, **arguments: Any
    ) -> Outcome:
        """Write if the condition holds, else see what stood there. Raises StoreUnavailable.

        A write that is not `repeatable` is not sent again where the first may have been taken.
        """
        self._unsure = False
        try:
            answer = self._sent(call, arguments, repeatable=repeatable)
        except ClientError as refused:  # the condition alone comes as this
            return Outcome(False, refused.response.get("Item") or {}, self._unsure)
        return Outcome(True, answer.get("Attributes") or {}, self._unsure)

    def wait(self, reason: str) -> None:
        """Pause before another call, longer each time. Raises StoreUnavailable when too late."""
        longest = min(MOST_PAUSE_SECONDS, PAUSE_SECONDS * 2**self._pauses)
        self._pauses += 1
        seconds = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, no secret
        if self._late(seconds):
            raise _unavailable(reason)
        self._pause(seconds)

    def _late(self, seconds: float = 0.0) -> bool:
        return self._clock() + seconds - self._begun > START_SECONDS

    def _sent(
        self, call: Callable[..., Any], arguments: dict[str, Any], *, repeatable: bool
    ) -> Any:
        if self._late():
            raise _unavailable("too slow")
        while True:
            try:
                with Within(STORE_SECONDS - (self._clock() - self._begun)):
                    return _genuine(call(**arguments))
            except (ClientError, BotoCoreError, OutboundFailed) as error:
                reason, kind = _sorted(error)
                if reason == _CONDITION:
                    raise
            # Out of the except block: botocore's errors may repeat the request's parameters.
            self._unsure |= kind is _Kind.UNCLEAR
            if kind is _Kind.FINAL or (kind is _Kind.UNCLEAR and not repeatable):
                raise _unavailable(reason)
            self.wait(reason)


def _genuine(answer: Any) -> Any:
    # botocore reads any other page with status 200 as an answer without content: "no such session".
    kind = str(answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", ""))
    if not kind.startswith("application/x-amz-json-1.0"):
        raise _unavailable("ForeignAnswer")
    return answer


def _sorted(error: ClientError | BotoCoreError | OutboundFailed) -> tuple[str, _Kind]:
    if isinstance(error, ClientError):
        reason = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if reason in _BUSY:
            return reason, _Kind.BUSY
        return reason, _Kind.UNCLEAR if status >= 500 else _Kind.FINAL
    if isinstance(error, OutboundFailed):
        reason = str(error.facts.get("reason", error.code))
        if reason == TOO_LARGE or isinstance(error, OutboundRefused):
            return reason, _Kind.FINAL
        return reason, _Kind.BUSY if reason in _UNREACHED else _Kind.UNCLEAR
    return type(error).__name__, _Kind.FINAL


def _unavailable(reason: str) -> StoreUnavailable:
    if reason in _BUSY:
        return StoreUnavailable("The session store asks for patience.", reason=reason)
    cure: dict[str, Any] = {"cure": _CURES[reason]} if reason in _CURES else {}
    return StoreUnavailable("The session store does not answer.", reason=reason, **cure)

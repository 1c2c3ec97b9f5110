"""Post confirmation: a record of the new person, and the group that everybody begins in.

Environment: USERS_TABLE, and DEFAULT_GROUP (empty: none). Cognito calls it again after an error, so
everything here may happen twice. An error is shown to a person who is confirmed already: what fails
is logged, and the person goes on.
"""

import functools
import logging
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .events import Event, attribute, audit

_log = logging.getLogger("portico.triggers")


class Desk(Protocol):
    """What is done for a new person."""

    def record(self, item: Mapping[str, Any]) -> None:
        """Keep the record unless there is one."""

    def join(self, user_pool_id: str, username: str, group: str) -> None:
        """Add a person to a group."""


def handle(event: Event, context: object) -> Event:
    """The entry point that Cognito calls."""
    return confirmed(event, _desk(), default_group=os.environ.get("DEFAULT_GROUP", ""))


def confirmed(
    event: Event, desk: Desk, *, default_group: str, now: Callable[[], float] = time.time
) -> Event:
    """The event as it came; the person is recorded and in the group. `now` in epoch seconds."""
    if event.get("triggerSource") != "PostConfirmation_ConfirmSignUp":
        return event  # a forgotten password makes nobody new
    item = {
        "sub": {"S": attribute(event, "sub")},
        "user_pool": {"S": event["userPoolId"]},
        "username": {"S": event["userName"]},
        "confirmed_at": {"N": str(int(now()))},
    }
    done = _tried("record", partial(desk.record, item))
    if default_group:
        join = partial(desk.join, event["userPoolId"], event["userName"], default_group)
        done = _tried("join", join) and done
    audit(event, "person_confirmed", complete=done, group=default_group or None)
    return event


def _tried(what: str, work: Callable[[], None]) -> bool:
    try:
        work()
    except (BotoCoreError, ClientError) as error:
        _log.warning("%s: %s", what, type(error).__name__)
        return False
    return True


class _Aws:
    def __init__(self, table: str) -> None:
        config = Config(connect_timeout=1, read_timeout=1.5, retries={"total_max_attempts": 1})
        self._tables = boto3.client("dynamodb", config=config)
        self._cognito = boto3.client("cognito-idp", config=config)
        self._table = table

    def record(self, item: Mapping[str, Any]) -> None:
        try:
            self._tables.put_item(
                TableName=self._table,
                Item=dict(item),
                ConditionExpression="attribute_not_exists(#sub)",
                ExpressionAttributeNames={"#sub": "sub"},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def join(self, user_pool_id: str, username: str, group: str) -> None:
        self._cognito.admin_add_user_to_group(
            UserPoolId=user_pool_id, Username=username, GroupName=group
        )


@functools.cache
def _desk() -> Desk:
    return _Aws(os.environ["USERS_TABLE"])

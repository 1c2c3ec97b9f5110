"""The shape of the DynamoDB tables in `stack.yaml`."""

from typing import Literal

from pydantic.dataclasses import dataclass

from infra.fact_kinds import FACTS, Name


@dataclass(frozen=True, kw_only=True, config=FACTS)
class SessionTable:
    """The DynamoDB table for sessions; both keys are binary, `ttl` holds epoch seconds."""

    partition_key: Name
    sort_key: Name
    ttl: Name
    billing: Literal["PAY_PER_REQUEST", "PROVISIONED"]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class PermissionsTable:
    """The DynamoDB table of documents and shares; all keys are text, `ttl` holds epoch seconds."""

    partition_key: Name
    sort_key: Name
    index: Name
    ttl: Name
    billing: Literal["PAY_PER_REQUEST", "PROVISIONED"]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class UsersTable:
    """The DynamoDB table of people who confirmed a sign-up; the key is text."""

    partition_key: Name
    billing: Literal["PAY_PER_REQUEST", "PROVISIONED"]

"""boto3 clients for the offline AWS, and the one way to find a resource by its name."""

from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

ACCOUNT = "000000000000"


@dataclass(frozen=True, kw_only=True)
class Clients:
    """One client for each service that the stack lives in."""

    cognito: Any
    identity: Any
    iam: Any
    functions: Any
    api: Any
    tables: Any


def connect(endpoint_url: str, region: str) -> Clients:
    """Return clients that speak to `endpoint_url` and to nothing else.

    The developer's own AWS set-up has no say: not his profile (it may not even exist on disk), not
    his keys, not his proxy.
    """
    core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    session = boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name=region,
        botocore_session=core,
    )
    config = Config(proxies={}, retries={"total_max_attempts": 2}, connect_timeout=2)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint_url, config=config)

    return Clients(
        cognito=client("cognito-idp"),
        identity=client("cognito-identity"),
        iam=client("iam"),
        functions=client("lambda"),
        api=client("apigatewayv2"),
        tables=client("dynamodb"),
    )


def named(client: Any, operation: str, name: str, *, key: str = "Name", **parameters: Any) -> Any:
    """Return the item of a listing whose `key` is `name`, or None."""
    for page in client.get_paginator(operation).paginate(**parameters):
        for items in page.values():
            if not isinstance(items, list):
                continue
            for item in items:
                if item.get(key) == name:
                    return item
    return None

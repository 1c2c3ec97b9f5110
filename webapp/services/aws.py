"""The two boto3 clients, both sent through our own way out: bounded, and nothing ambient."""

import logging
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader

from webapp.credentials.transport import through
from webapp.deadlines import STORE_ATTEMPT_SECONDS
from webapp.errors import StoreUnavailable
from webapp.outbound import Sender


class _WithoutTheList(Loader):  # type: ignore[misc] # botocore has no types
    """Reads botocore's data files, except its old list of every endpoint of AWS.

    Read, the list is seven megabytes for as long as the process lives; a service that brings rules
    of its own, as this one does, gets its address from them (botocore's endpoint-rule-set-1).
    """

    def load_data_with_path(self, name: str) -> Any:
        if name == "endpoints":
            path = Path(self.BUILTIN_DATA_PATH, name)
            return {"version": 3, "partitions": []}, str(path)
        return super().load_data_with_path(name)


def table_api(outbound: Sender, region: str | None, endpoint: str | None) -> Any:
    """The one client that signs as the application itself, by AWS's chain of credentials.

    It connects at the first operation and not here, and never over a fork (see Outbound).
    """
    logging.getLogger("botocore").setLevel(logging.WARNING)
    try:
        session = boto3.session.Session(region_name=region)
        known = session.get_credentials() is not None
    except BotoCoreError as error:  # such as a profile that is not there
        raise _no_credentials(type(error).__name__) from None
    if not known:
        raise _no_credentials("NoCredentialsError")
    # The store itself sends again: it knows the time that is left, and when not to.
    config = Config(retries={"total_max_attempts": 1}, user_agent="portico")
    client = session.client("dynamodb", endpoint_url=endpoint, config=config)
    client.meta.events.register("before-send.dynamodb", through(outbound, STORE_ATTEMPT_SECONDS))
    return client


def _no_credentials(reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        "A DynamoDB store needs AWS credentials, and none were found; give the application a role"
        " of its own, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment.",
        reason=reason,
    )


def identity_api(outbound: Sender, region: str, endpoint: str | None) -> Any:
    """A boto3 client for the pool's public, unsigned calls, sent through our own way out.

    No profile, no credential lookup, no instance metadata: the instance's own role has no part.
    """
    logging.getLogger("botocore").setLevel(logging.WARNING)
    inner = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    inner.register_component("data_loader", _WithoutTheList())
    session = boto3.session.Session(
        aws_access_key_id="unused",
        aws_secret_access_key="unused",
        region_name=region,
        botocore_session=inner,
    )
    client = session.client(
        "cognito-identity",
        endpoint_url=endpoint,
        config=Config(
            signature_version=UNSIGNED,
            retries={"total_max_attempts": 1},
            user_agent="portico",
        ),
    )
    client.meta.events.register("before-send.cognito-identity", through(outbound))
    return client

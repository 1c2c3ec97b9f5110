"""AWS clients that ask as whoever runs a command: AWS's standard chain of credentials.

They go out by botocore's own way, with a proxy from the environment if there is one: an operator's
machine is not the server.
"""

from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

from webapp.settings import Settings

CONNECT_SECONDS = READ_SECONDS = 5
TRIES = 2
PATIENT_TRIES = 6
"""For many calls in a row, which AWS slows down: 6 tries are up to half a minute."""


def operator_session(settings: Settings, profile: str | None = None) -> boto3.Session:
    """The operator's credentials. Raises botocore's ProfileNotFound."""
    if not settings.offline:
        return boto3.Session(region_name=settings.aws_region, profile_name=profile)
    # The offline AWS is anybody's: no profile and no keys of the person's own are needed for it.
    inner = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name=settings.aws_region,
        botocore_session=inner,
    )


def user_pool_api(settings: Settings, profile: str | None = None) -> Any:
    """A boto3 client of the user pool's API, signed by the operator. Raises as above."""
    return _client(operator_session(settings, profile), settings, _config(PATIENT_TRIES))


def public_user_pool_api(settings: Settings) -> Any:
    """A boto3 client for the calls that everybody may make, such as InitiateAuth: unsigned."""
    inner = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    session = boto3.Session(
        aws_access_key_id="unused",
        aws_secret_access_key="unused",
        region_name=settings.aws_region,
        botocore_session=inner,
    )
    return _client(session, settings, _config(TRIES, signature_version=UNSIGNED))


def _client(session: boto3.Session, settings: Settings, config: Config) -> Any:
    return session.client("cognito-idp", endpoint_url=settings.user_pool_endpoint, config=config)


def _config(tries: int, **more: Any) -> Config:
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": tries},
        user_agent_extra="portico-cli",
        **more,
    )

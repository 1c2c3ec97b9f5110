"""The offline AWS runs code it is given; only this machine's programs and pages may talk to it."""

import pytest
import requests

from tests.stack.world import Offline

HEALTH = "/_ministack/health"


def status(aws: Offline, path: str = HEALTH, method: str = "GET", **headers: str) -> int:
    """Return the status of a request with these headers."""
    return requests.request(method, aws.endpoint + path, headers=headers, timeout=20).status_code


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_a_foreign_name_is_refused(mended_aws: Offline, host: str) -> None:
    """A name that was rebound to loopback gets nothing, the sign-in pages included."""
    assert status(mended_aws, Host=host) == 403
    assert status(mended_aws, "/mailbox", Host=f"{host}:4566") == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:4566", "[::1]:4566", "x.localhost"])
def test_own_names_are_welcome(mended_aws: Offline, host: str) -> None:
    """Loopback's names work, with a port or without."""
    assert status(mended_aws, Host=host) == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example"]
)
def test_a_foreign_page_is_refused(mended_aws: Offline, origin: str) -> None:
    """Neither the preflight nor the call itself gets through to the AWS API."""
    target = {"X-Amz-Target": "AWSCognitoIdentityProviderService.ListUserPools"}
    assert status(mended_aws, "/", "OPTIONS", Origin=origin) == 403
    assert status(mended_aws, "/", "POST", Origin=origin, **target) == 403


def test_a_page_of_this_machine_is_welcome(mended_aws: Offline) -> None:
    """The application's own origin may call."""
    assert status(mended_aws, Origin="http://localhost:8000") == 200

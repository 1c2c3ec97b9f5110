"""Our client of the identity pool asks where a plain one does, without botocore's old list."""

from typing import Any, NoReturn

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from tests.doubles.way_out import Leaving, WayOut
from webapp.services.aws import identity_api

PLAIN = boto3.session.Session(aws_access_key_id="unused", aws_secret_access_key="unused")
REGIONS = [
    region
    for partition in PLAIN.get_available_partitions()
    for region in PLAIN.get_available_regions("cognito-identity", partition)
]


def _nothing_leaves(leaving: Leaving) -> NoReturn:
    pytest.fail(f"sent to {leaving.url}")


WAY_OUT = WayOut(_nothing_leaves)


class Asked(Exception):
    """Ends a call where its address is known."""


def _address(client: Any) -> str:
    def seen(request: Any, **_: Any) -> None:
        raise Asked(request.url)

    client.meta.events.register("request-created.cognito-identity", seen)
    with pytest.raises(Asked) as asked:
        client.get_id(IdentityPoolId="us-east-1:0")
    return str(asked.value)


def _plain(region: str) -> Any:
    return PLAIN.client("cognito-identity", region, config=Config(signature_version=UNSIGNED))


def test_there_are_regions_of_every_kind() -> None:
    """The next test looks at more than the usual regions."""
    assert {"us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"} <= set(REGIONS)


@pytest.mark.parametrize("variant", ["", "FIPS", "DUALSTACK"])
def test_the_same_address_in_every_region(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every region, and one that is not there yet, has the address that boto3 itself would ask."""
    if variant:
        monkeypatch.setenv(f"AWS_USE_{variant}_ENDPOINT", "true")
    regions = [*REGIONS, "eu-nowhere-7"]
    ours = {region: _address(identity_api(WAY_OUT, region, None)) for region in regions}
    assert ours == {region: _address(_plain(region)) for region in regions}


def test_an_endpoint_of_the_environment_stands() -> None:
    """An endpoint that the settings name is the one that is asked."""
    assert _address(identity_api(WAY_OUT, "us-east-1", "http://127.0.0.1:4566")) == (
        "http://127.0.0.1:4566/"
    )

"""The doubles also speak TLS, with good and with bad certificates."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.doubles import Cognito, Server
from tests.doubles.tls import Authority


def test_client_that_trusts_the_authority_is_served(tmp_path: Path) -> None:
    """With the authority's file a client reaches the issuer, without it it does not."""
    authority = Authority.make(tmp_path)
    with Cognito(new_server=lambda: Server(authority.server())) as cognito:
        url = f"{cognito.issuer.issuer}/.well-known/openid-configuration"
        assert url.startswith("https://")
        document = requests.get(url, verify=str(authority.ca_file), timeout=5).json()
        assert document["issuer"] == cognito.issuer.issuer
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, timeout=5)


@pytest.mark.parametrize(
    "context",
    [
        lambda authority: authority.server(expired=True),
        lambda authority: authority.server("elsewhere.example"),
    ],
    ids=["expired", "wrong host"],
)
def test_bad_certificates_are_refused(
    tmp_path: Path, context: Callable[[Authority], ssl.SSLContext]
) -> None:
    """A certificate that has run out or names another host is refused by a right client."""
    authority = Authority.make(tmp_path)
    with Server(context(authority)) as server, pytest.raises(requests.exceptions.SSLError):
        requests.get(server.origin, verify=str(authority.ca_file), timeout=5)

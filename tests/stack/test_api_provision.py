"""The provisioner: everything there once, however often it runs."""

import dataclasses
import time
from typing import Any

import pytest

from infra.local.provision import Provisioned, provision
from infra.stack import Stack, load_stack
from tests.stack.world import Offline

APPLICATION = "http://localhost:8000"


@pytest.fixture(scope="module")
def own() -> Stack:
    """The same stack under a name of this module's own."""
    return dataclasses.replace(load_stack(), name="portico-twice")


@pytest.fixture(scope="module")
def made(mended_aws: Offline, own: Stack) -> Provisioned:
    return provision(mended_aws.endpoint, own, APPLICATION)


def inventory(aws: Offline, made: Provisioned) -> dict[str, list[str]]:
    """Return the names of all that a run makes."""
    idp, api = aws.client("cognito-idp"), aws.client("apigatewayv2")

    def names(items: list[dict[str, Any]], key: str) -> list[str]:
        return sorted(str(item[key]) for item in items)

    pool, routes = {"UserPoolId": made.user_pool_id}, {"ApiId": made.api_id}
    clients = idp.list_user_pool_clients(**pool, MaxResults=60)["UserPoolClients"]
    identities = aws.client("cognito-identity").list_identity_pools(MaxResults=60)
    functions = aws.client("lambda").list_functions()["Functions"]
    return {
        "pools": names(idp.list_user_pools(MaxResults=60)["UserPools"], "Name"),
        "clients": names(clients, "ClientName"),
        "groups": names(idp.list_groups(**pool)["Groups"], "GroupName"),
        "people": names(idp.list_users(**pool)["Users"], "Username"),
        "identity pools": names(identities["IdentityPools"], "IdentityPoolName"),
        "roles": names(aws.client("iam").list_roles(MaxItems=500)["Roles"], "RoleName"),
        "functions": names(functions, "FunctionName"),
        "apis": names(api.get_apis()["Items"], "Name"),
        "routes": names(api.get_routes(**routes)["Items"], "RouteKey"),
        "integrations": names(api.get_integrations(**routes)["Items"], "IntegrationUri"),
        "authorizers": names(api.get_authorizers(**routes)["Items"], "Name"),
        "stages": names(api.get_stages(**routes)["Items"], "StageName"),
    }


def test_a_second_run_makes_nothing_twice_and_keeps_every_id(
    mended_aws: Offline, own: Stack, made: Provisioned
) -> None:
    """Ids, secret and counts are those of the first run; it takes less than three seconds."""
    before = inventory(mended_aws, made)
    started = time.monotonic()
    again = provision(mended_aws.endpoint, own, APPLICATION)
    assert time.monotonic() - started < 3
    assert again == made
    assert inventory(mended_aws, made) == before


def test_the_environment_is_the_applications_settings(
    mended_aws: Offline, made: Provisioned
) -> None:
    """Exactly the settings of the contract, without a key of the application's own."""
    environment = made.environment()
    assert set(environment) == {
        "APP_BASE_URL",
        "AWS_REGION",
        "AWS_ENDPOINT_URL",
        "COGNITO_USER_POOL_ID",
        "COGNITO_CLIENT_ID",
        "COGNITO_CLIENT_SECRET",
        "COGNITO_IDENTITY_POOL_ID",
        "API_ENDPOINT",
    }
    assert all(environment.values())
    assert environment["AWS_ENDPOINT_URL"] == mended_aws.endpoint
    assert made.client_secret not in repr(made)


def test_another_address_of_the_application_moves_the_callbacks(
    mended_aws: Offline, own: Stack, made: Provisioned
) -> None:
    """A later run for another origin changes the client's addresses and keeps its secret."""
    moved = provision(mended_aws.endpoint, own, "http://localhost:9000/")
    client = mended_aws.client("cognito-idp").describe_user_pool_client(
        UserPoolId=made.user_pool_id, ClientId=made.client_id
    )["UserPoolClient"]
    assert client["CallbackURLs"] == ["http://localhost:9000/callback", *own.demo.callbacks]
    assert client["LogoutURLs"] == ["http://localhost:9000/"]
    assert moved.client_secret == made.client_secret
    provision(mended_aws.endpoint, own, APPLICATION)


def test_a_changed_route_is_brought_up_to_date_and_a_dropped_one_goes(
    mended_aws: Offline, own: Stack, made: Provisioned
) -> None:
    """The API follows the file, so that a kept emulator shows today's stack."""
    first, second, *rest = own.http_api.routes
    routes = (dataclasses.replace(second, authorization="NONE"), *rest)
    changed = dataclasses.replace(own, http_api=dataclasses.replace(own.http_api, routes=routes))
    try:
        provision(mended_aws.endpoint, changed, APPLICATION)
        items = mended_aws.client("apigatewayv2").get_routes(ApiId=made.api_id)["Items"]
        kinds = {item["RouteKey"]: item["AuthorizationType"] for item in items}
        assert first.route not in kinds
        assert kinds[second.route] == "NONE"
    finally:
        provision(mended_aws.endpoint, own, APPLICATION)


def test_people_keep_the_password_that_they_chose(
    mended_aws: Offline, own: Stack, made: Provisioned
) -> None:
    """A second run does not set a person's password back."""
    idp = mended_aws.client("cognito-idp")
    who = {"UserPoolId": made.user_pool_id, "Username": "new@example.com"}
    assert idp.admin_get_user(**who)["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    idp.admin_set_user_password(**who, Password="Chosen-by-Nia-1", Permanent=True)
    provision(mended_aws.endpoint, own, APPLICATION)
    assert idp.admin_get_user(**who)["UserStatus"] == "CONFIRMED"


def test_the_developers_own_aws_settings_have_no_say(
    mended_aws: Offline, own: Stack, made: Provisioned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a profile that does not exist nor a dead proxy stops a run."""
    monkeypatch.setenv("AWS_PROFILE", "not-on-this-disk")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert provision(mended_aws.endpoint, own, APPLICATION) == made


def test_roles_trust_this_identity_pool_and_this_kind_of_person_alone(
    mended_aws: Offline, own: Stack, made: Provisioned
) -> None:
    """Each trust policy pins the audience and the amr."""
    iam = mended_aws.client("iam")
    for key, role in own.roles.items():
        document = iam.get_role(RoleName=own.resource(key))["Role"]["AssumeRolePolicyDocument"]
        (statement,) = document["Statement"]
        assert statement["Condition"] == {
            "StringEquals": {"cognito-identity.amazonaws.com:aud": made.identity_pool_id},
            "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": role.trust},
        }

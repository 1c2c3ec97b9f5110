"""The doctor before a stack that is well, and before one thing after the other that is not."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from infra.local.provision import provision
from tests.stack.offline import OfflineAws
from webapp.app import create_app
from webapp.settings import Settings


@pytest.fixture(scope="module")
def environment(
    offline_aws: OfflineAws, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The application's settings for the offline stack."""
    path = tmp_path_factory.mktemp("doctor") / "sessions.db"
    own = {"SECRET_KEY": "0123456789abcdef" * 2, "SESSION_STORE_URL": f"sqlite:///{path}"}
    return {**offline_aws.environment, **own}


def _app(environment: dict[str, str], **changes: str) -> Flask:
    return create_app(Settings.load({**environment, **changes}))


def _examined(app: Flask) -> tuple[int, dict[str, dict[str, str]]]:
    result = app.test_cli_runner().invoke(args=["doctor", "--json"])
    findings = json.loads(result.stdout)["findings"]
    return result.exit_code, {finding["about"]: finding for finding in findings}


@contextmanager
def _mended_afterwards(offline_aws: OfflineAws) -> Iterator[None]:
    try:
        yield
    finally:
        base_url = offline_aws.environment["APP_BASE_URL"]
        provision(offline_aws.endpoint, offline_aws.stack, base_url)


def test_a_stack_that_is_well(environment: dict[str, str]) -> None:
    """Everything is fine, but for what the emulator does not know; nothing is to be changed."""
    code, found = _examined(_app(environment))
    assert code == 0
    assert [one["about"] for one in found.values() if one["verdict"] != "fine"] == [
        "Managed Login: branding"
    ]
    assert len(found) >= 18


def test_the_table_names_each_thing(environment: dict[str, str]) -> None:
    """A person gets a line for each thing and a sum, and no secret."""
    result = _app(environment).test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 0
    assert "app client: callback address" in result.output
    assert result.output.splitlines()[-1].endswith("0 to change.")
    assert environment["COGNITO_CLIENT_SECRET"] not in result.output
    assert "\x1b[" not in result.output


@pytest.mark.parametrize(
    ("changes", "about", "cure"),
    [
        ({"APP_BASE_URL": "https://b.example"}, "app client: callback address", "/callback"),
        ({"APP_BASE_URL": "https://b.example"}, "app client: sign-out address", "LogoutURLs"),
        ({"COGNITO_SCOPES": "openid phone"}, "app client: scopes", "phone"),
        ({"COGNITO_CLIENT_SECRET": "another"}, "app client: secret", "COGNITO_CLIENT_SECRET"),
        ({"COGNITO_CLIENT_SECRET": ""}, "app client: secret", "COGNITO_CLIENT_SECRET"),
        ({"COGNITO_IDENTITY_PROVIDERS": "Okta"}, "app client: identity providers", "Okta"),
        ({"COGNITO_CLIENT_ID": "x1"}, "app client", "ids"),
        ({"COGNITO_CLIENT_ID": "x1"}, "identity pool: provider", "x1"),
        ({"COGNITO_USER_POOL_ID": "us-east-1_None1"}, "user pool: discovery", "POOL_ID"),
        ({"COGNITO_USER_POOL_ID": "us-east-1_None1"}, "user pool", "ids"),
        (
            {"COGNITO_IDENTITY_POOL_ID": "us-east-1:00000000-0000-4000-8000-000000000000"},
            "identity pool",
            "ids",
        ),
    ],
)
def test_settings_that_do_not_fit(
    environment: dict[str, str], changes: dict[str, str], about: str, cure: str
) -> None:
    """A setting that disagrees with what is there is named, with what to change."""
    code, found = _examined(_app(environment, **changes))
    assert code == 1
    assert found[about]["verdict"] == "change"
    assert cure in found[about]["cure"]


def _without_flow(client: dict[str, Any]) -> dict[str, Any]:
    return client | {"AllowedOAuthFlows": ["implicit"]}


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        (_without_flow, "app client: flow"),
        (_without_flow, "app client: implicit flow"),
        (lambda one: one | {"EnableTokenRevocation": False}, "app client: revocation"),
        (lambda one: one | {"PreventUserExistenceErrors": "LEGACY"}, "app client: who exists"),
    ],
)
def test_a_client_that_was_changed(
    offline_aws: OfflineAws,
    environment: dict[str, str],
    changed: Callable[[dict[str, Any]], dict[str, Any]],
    about: str,
) -> None:
    """What somebody turned at the client by hand is seen."""
    idp = offline_aws.aws.client("cognito-idp")
    of_client = {
        "UserPoolId": offline_aws.pool_id,
        "ClientId": environment["COGNITO_CLIENT_ID"],
    }
    client = idp.describe_user_pool_client(**of_client)["UserPoolClient"]
    kept = {
        name: value
        for name, value in client.items()
        if value != "" and name not in ("ClientSecret", "CreationDate", "LastModifiedDate")
    }
    with _mended_afterwards(offline_aws):
        idp.update_user_pool_client(**changed(kept))
        code, found = _examined(_app(environment))
    assert (code, found[about]["verdict"]) == (1, "change")


def test_an_identity_pool_without_its_provider(
    offline_aws: OfflineAws, environment: dict[str, str]
) -> None:
    """An identity pool that does not know the user pool, and lost its mapping, is seen."""
    identity = offline_aws.aws.client("cognito-identity")
    pool_id = environment["COGNITO_IDENTITY_POOL_ID"]
    roles = identity.get_identity_pool_roles(IdentityPoolId=pool_id)["Roles"]
    with _mended_afterwards(offline_aws):
        identity.update_identity_pool(
            IdentityPoolId=pool_id,
            IdentityPoolName=offline_aws.stack.name,
            AllowUnauthenticatedIdentities=True,
            AllowClassicFlow=True,
            CognitoIdentityProviders=[],
        )
        identity.set_identity_pool_roles(IdentityPoolId=pool_id, Roles=roles, RoleMappings={})
        code, found = _examined(_app(environment))
    assert code == 1
    for about in ("provider", "classic flow", "role mapping"):
        assert found[f"identity pool: {about}"]["verdict"] == "change", about


def test_an_api_that_is_not_there(environment: dict[str, str]) -> None:
    """An API at another address is seen, by its status or by its silence."""
    code, found = _examined(_app(environment, API_ENDPOINT="http://127.0.0.1:9"))
    assert (code, found["API"]["verdict"]) == (1, "change")
    endpoint = environment["API_ENDPOINT"] + "/nowhere"
    assert _examined(_app(environment, API_ENDPOINT=endpoint))[1]["API"]["verdict"] == "change"

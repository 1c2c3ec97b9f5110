"""The triggers that the offline AWS calls: at sign-in, at sign-up and for mails."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.provision import provision
from tests.stack.api_callers import Callers
from tests.stack.offline import OfflineAws

ENGINEER = "engineer@example.com"


@pytest.fixture(scope="module")
def callers(offline_aws: OfflineAws) -> Callers:
    return Callers(offline_aws)


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def _sign_up(offline_aws: OfflineAws, mail: str) -> Any:
    client_id = offline_aws.environment["COGNITO_CLIENT_ID"]
    secret = offline_aws.environment["COGNITO_CLIENT_SECRET"].encode()
    digest = hmac.new(secret, f"{mail}{client_id}".encode(), hashlib.sha256).digest()
    return offline_aws.aws.public("cognito-idp").sign_up(
        ClientId=client_id,
        SecretHash=base64.b64encode(digest).decode(),
        Username=mail,
        Password=offline_aws.stack.demo.password,
        UserAttributes=[{"Name": "email", "Value": mail}],
    )


def test_a_department_brings_group_role_and_credentials(
    callers: Callers, offline_aws: OfflineAws
) -> None:
    """Engineering signs in without a group and gets Developer's claims, role and rights at once."""
    tokens = callers.tokens(ENGINEER)
    claims = _claims(tokens["IdToken"])
    role = callers.role_arn("developer")
    assert claims["cognito:groups"] == ["Developer"]
    assert claims["cognito:roles"] == [role]
    assert claims["cognito:preferred_role"] == role
    assert _claims(tokens["AccessToken"])["cognito:groups"] == ["Developer"]
    answer = callers.signed("/whoami", ENGINEER, token_of=ENGINEER).json()
    assert answer["caller"]["role"] == "portico-developer"
    groups = offline_aws.aws.client("cognito-idp").admin_list_groups_for_user(
        UserPoolId=offline_aws.pool_id, Username=ENGINEER
    )["Groups"]
    assert [group["GroupName"] for group in groups] == ["Developer"]


def test_permissions_and_scopes_come_with_the_groups(callers: Callers) -> None:
    """A Viewer's tokens carry what Viewers may do; somebody in no group may do nothing."""
    tokens = callers.tokens("viewer@example.com")
    assert _claims(tokens["IdToken"])["permissions"] == "documents:read"
    assert "portico-api/documents.read" in _claims(tokens["AccessToken"])["scope"].split()
    nobody = callers.tokens("nobody@example.com")
    assert _claims(nobody["IdToken"])["permissions"] == ""
    assert "portico-api" not in _claims(nobody["AccessToken"])["scope"]


def test_sign_up_is_for_allowed_domains(offline_aws: OfflineAws) -> None:
    """With a list of domains, others are refused with the trigger's sentence."""
    functions = offline_aws.aws.client("lambda")
    name = offline_aws.stack.resource("pre-sign-up")
    functions.update_function_configuration(
        FunctionName=name,
        Environment={"Variables": {"ALLOWED_DOMAINS": "example.com", "AUTO_CONFIRM_DOMAINS": ""}},
    )
    try:
        with pytest.raises(ClientError) as refused:
            _sign_up(offline_aws, "somebody@evil.example")
        assert "mail domains" in str(refused.value)
        assert _sign_up(offline_aws, "somebody@example.com")["UserConfirmed"] is False
    finally:
        endpoint = offline_aws.aws.endpoint
        provision(endpoint, offline_aws.stack, offline_aws.environment["APP_BASE_URL"])


def test_every_trigger_is_connected(offline_aws: OfflineAws) -> None:
    """The pool names all six functions, those too that the emulator never calls."""
    pool = offline_aws.aws.client("cognito-idp").describe_user_pool(UserPoolId=offline_aws.pool_id)
    config = pool["UserPool"]["LambdaConfig"]
    assert config["PreTokenGenerationConfig"]["LambdaVersion"] == "V2_0"
    for name in (
        "PreSignUp", "PostConfirmation", "CustomMessage", "PreAuthentication", "PostAuthentication",
    ):  # fmt: skip
        assert ":function:portico-" in config[name]

"""The user pool's triggers, the facts that they go by, and the resource server of their scopes."""

import json
from collections.abc import Mapping
from typing import Any

from infra.facts import Stack
from infra.local.provision_clients import ACCOUNT, Clients
from infra.table_facts import UsersTable

# Cognito's own names; pre token generation has a version beside its function.
_NAMES = {
    "pre_sign_up": "PreSignUp",
    "post_confirmation": "PostConfirmation",
    "custom_message": "CustomMessage",
    "pre_authentication": "PreAuthentication",
    "post_authentication": "PostAuthentication",
}


def trigger_facts(stack: Stack) -> dict[str, str]:
    """What the functions' environment may name, as text."""
    triggers, server = stack.triggers, stack.resource_server
    groups = {
        # By name, not from what was made: the pool calls the function before the roles exist.
        name: {
            "precedence": group.precedence,
            "role_arn": f"arn:aws:iam::{ACCOUNT}:role/{stack.resource(group.role)}",
        }
        for name, group in stack.groups.items()
    }
    scopes = {
        group: [f"{server.identifier}/{scope}" for scope in scopes]
        for group, scopes in triggers.group_scopes.items()
    }
    return {
        "groups": json.dumps(groups),
        "triggers.allowed_domains": ",".join(triggers.allowed_domains),
        "triggers.auto_confirm_domains": ",".join(triggers.auto_confirm_domains),
        "triggers.department_groups": json.dumps(triggers.department_groups),
        "triggers.group_scopes": json.dumps(scopes),
        "triggers.default_group": triggers.default_group,
        "triggers.product": triggers.product,
        "users_table.name": stack.resource("users"),
    }


def connect_triggers(
    clients: Clients, stack: Stack, user_pool_arn: str, function_arns: Mapping[str, str]
) -> dict[str, Any]:
    """Let this user pool, and no other, call its functions; the configuration for the pool."""
    config: dict[str, Any] = {}
    for trigger, function in stack.triggers.functions.items():
        _permission(clients, stack.resource(function), user_pool_arn)
        if trigger == "pre_token_generation":
            config["PreTokenGenerationConfig"] = {
                "LambdaArn": function_arns[function],
                "LambdaVersion": "V2_0",
            }
        else:
            config[_NAMES[trigger]] = function_arns[function]
    return config


def _permission(clients: Clients, function_name: str, user_pool_arn: str) -> None:
    try:
        clients.functions.add_permission(
            FunctionName=function_name,
            StatementId="user-pool",
            Action="lambda:InvokeFunction",
            Principal="cognito-idp.amazonaws.com",
            SourceArn=user_pool_arn,
        )
    except clients.functions.exceptions.ResourceConflictException:
        return  # said on an earlier run


def resource_server(clients: Clients, stack: Stack, user_pool_id: str) -> None:
    """Make or update the resource server."""
    facts = stack.resource_server
    settings = {
        "UserPoolId": user_pool_id,
        "Identifier": facts.identifier,
        "Name": facts.identifier,
        "Scopes": [
            {"ScopeName": name, "ScopeDescription": text} for name, text in facts.scopes.items()
        ],
    }
    try:
        clients.cognito.describe_resource_server(
            UserPoolId=user_pool_id, Identifier=facts.identifier
        )
    except clients.cognito.exceptions.ResourceNotFoundException:
        clients.cognito.create_resource_server(**settings)
    else:
        clients.cognito.update_resource_server(**settings)


def users_table(client: Any, name: str, facts: UsersTable) -> None:
    """Make the table where it is missing; `client` is boto3's `dynamodb`."""
    key = facts.partition_key
    try:
        client.create_table(
            TableName=name,
            BillingMode=facts.billing,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        )
    except client.exceptions.ResourceInUseException:
        return

"""The Lambda functions, each with a role of its own that may do what the stack says and no more."""

import json
from collections.abc import Mapping
from typing import Any

from infra.bundle import bundle
from infra.facts import Stack
from infra.function_facts import Function
from infra.local.provision_clients import ACCOUNT, Clients
from infra.local.provision_roles import POLICY_VERSION, role_with_trust
from infra.stack import FUNCTIONS

_LOGS_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def functions(clients: Clients, stack: Stack, facts: Mapping[str, str]) -> dict[str, str]:
    """Make or update every function; `facts` resolves their environment. Return ARNs by key."""
    service = {
        "Version": POLICY_VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    arns: dict[str, str] = {}
    for key, function in stack.functions.items():
        name = stack.resource(key)
        role_arn = role_with_trust(clients, f"{name}-function", service)
        clients.iam.attach_role_policy(RoleName=f"{name}-function", PolicyArn=_LOGS_POLICY)
        for table, actions in function.tables.items():
            clients.iam.put_role_policy(
                RoleName=f"{name}-function",
                PolicyName=f"table-{table}",
                PolicyDocument=json.dumps(_table_policy(stack, table, actions)),
            )
        if function.user_pool:
            clients.iam.put_role_policy(
                RoleName=f"{name}-function",
                PolicyName="user-pool",
                PolicyDocument=json.dumps(_pool_policy(facts["user_pool.arn"], function)),
            )
        arns[key] = _function(clients, name, function, (role_arn, facts))
    return arns


def _table_policy(stack: Stack, table: str, actions: tuple[str, ...]) -> dict[str, Any]:
    arn = f"arn:aws:dynamodb:{stack.region}:{ACCOUNT}:table/{stack.resource(table)}"
    return {
        "Version": POLICY_VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [f"dynamodb:{action}" for action in actions],
                "Resource": [arn, f"{arn}/index/*"],
            }
        ],
    }


def _pool_policy(arn: str, function: Function) -> dict[str, Any]:
    return {
        "Version": POLICY_VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [f"cognito-idp:{action}" for action in function.user_pool],
                "Resource": [arn],
            }
        ],
    }


def _function(
    clients: Clients, name: str, function: Function, made_before: tuple[str, Mapping[str, str]]
) -> str:
    role_arn, facts = made_before
    archive = bundle(FUNCTIONS / function.package)
    settings = {
        "FunctionName": name,
        "Role": role_arn,
        "Handler": function.handler,
        "Runtime": function.runtime,
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout_seconds,
        "Environment": {
            "Variables": {key: facts[fact] for key, fact in function.environment.items()}
        },
    }
    try:
        clients.functions.get_function(FunctionName=name)
    except clients.functions.exceptions.ResourceNotFoundException:
        made = clients.functions.create_function(
            **settings, Code={"ZipFile": archive}, Architectures=[function.architecture]
        )
    else:
        clients.functions.update_function_code(
            FunctionName=name, ZipFile=archive, Architectures=[function.architecture]
        )
        made = clients.functions.update_function_configuration(**settings)
    arn: str = made["FunctionArn"]
    return arn

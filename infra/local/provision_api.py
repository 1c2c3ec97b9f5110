"""The API half of the stack: roles with their policies, functions, the HTTP API and its routes."""

import json
from collections.abc import Mapping
from typing import Any

from infra.facts import Role, Stack
from infra.local.provision_clients import ACCOUNT, Clients, named
from infra.local.provision_roles import POLICY_VERSION, role_with_trust


def base_url(endpoint_url: str, api_id: str) -> str:
    """Return where the emulator serves the API.

    Without the stage: a `$default` stage answers at the root, and a signature over a path with a
    `$` in it would depend on how each client escapes it.
    """
    return f"{endpoint_url}/_aws/execute-api/{api_id}"


def http_api(clients: Clients, stack: Stack) -> str:
    """Make the HTTP API and its stage, still without routes; return its id."""
    found = named(clients.api, "get_apis", stack.name)
    api = found or clients.api.create_api(Name=stack.name, ProtocolType="HTTP")
    api_id: str = api["ApiId"]
    facts = stack.http_api
    settings = {
        "ApiId": api_id,
        "StageName": facts.stage,
        "AutoDeploy": True,
        "DefaultRouteSettings": {
            "ThrottlingRateLimit": float(facts.throttle.rate_per_second),
            "ThrottlingBurstLimit": facts.throttle.burst,
        },
    }
    if named(clients.api, "get_stages", facts.stage, key="StageName", ApiId=api_id):
        clients.api.update_stage(**settings)
    else:
        clients.api.create_stage(**settings)
    return api_id


def roles(clients: Clients, stack: Stack, identity_pool_id: str, api_id: str) -> dict[str, str]:
    """Make or update every role of the identity pool; return their ARNs by key."""
    arns: dict[str, str] = {}
    for key, role in stack.roles.items():
        name = stack.resource(key)
        arns[key] = role_with_trust(clients, name, _trust(role, identity_pool_id))
        clients.iam.put_role_policy(
            RoleName=name,
            PolicyName="invoke",
            PolicyDocument=json.dumps(_invoke_policy(stack, role, api_id)),
        )
    return arns


def _trust(role: Role, identity_pool_id: str) -> dict[str, Any]:
    actions = ["sts:AssumeRoleWithWebIdentity"]
    if role.trust == "authenticated":
        actions.append("sts:TagSession")  # the identity pool's principal tags; a guest has none
    return {
        "Version": POLICY_VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": "cognito-identity.amazonaws.com"},
                "Action": actions,
                "Condition": {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": identity_pool_id},
                    "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": role.trust},
                },
            }
        ],
    }


def _invoke_policy(stack: Stack, role: Role, api_id: str) -> dict[str, Any]:
    base = f"arn:aws:execute-api:{stack.region}:{ACCOUNT}:{api_id}/{stack.http_api.stage}"
    return {
        "Version": POLICY_VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": [f"{base}/{pattern.replace(' ', '', 1)}" for pattern in role.invoke],
            }
        ],
    }


def routes(
    clients: Clients,
    stack: Stack,
    api_id: str,
    function_arns: Mapping[str, str],
    issuer_and_audience: tuple[str, str],
) -> None:
    """Make or update authorizer, integrations and routes of the API; take away foreign routes."""
    authorizer_id = _authorizer(clients, stack, api_id, issuer_and_audience)
    # Triggers are functions, too, and none of the API's business.
    called = {route.function for route in stack.http_api.routes}
    targets = {key: _target(clients, api_id, function_arns[key]) for key in called}
    for key in called:
        _permission(clients, stack.resource(key), stack, api_id)
    listing = clients.api.get_paginator("get_routes").paginate(ApiId=api_id)
    there = {item["RouteKey"]: item["RouteId"] for page in listing for item in page["Items"]}
    for route in stack.http_api.routes:
        settings: dict[str, Any] = {
            "ApiId": api_id,
            "RouteKey": route.route,
            "AuthorizationType": route.authorization,
            "Target": targets[route.function],
        }
        if route.authorization == "JWT":
            settings |= {
                "AuthorizerId": authorizer_id,
                "AuthorizationScopes": list(route.scopes),
            }
        if route.route in there:
            clients.api.update_route(**settings, RouteId=there.pop(route.route))
        else:
            clients.api.create_route(**settings)
    for route_id in there.values():
        clients.api.delete_route(ApiId=api_id, RouteId=route_id)


def _authorizer(
    clients: Clients, stack: Stack, api_id: str, issuer_and_audience: tuple[str, str]
) -> str:
    issuer, audience = issuer_and_audience
    facts = stack.http_api.jwt_authorizer
    settings = {
        "ApiId": api_id,
        "Name": facts.name,
        "AuthorizerType": "JWT",
        "IdentitySource": [facts.identity_source],
        "JwtConfiguration": {"Issuer": issuer, "Audience": [audience]},
    }
    found = named(clients.api, "get_authorizers", facts.name, ApiId=api_id)
    if found is None:
        made = clients.api.create_authorizer(**settings)
    else:
        made = clients.api.update_authorizer(**settings, AuthorizerId=found["AuthorizerId"])
    authorizer_id: str = made["AuthorizerId"]
    return authorizer_id


def _target(clients: Clients, api_id: str, function_arn: str) -> str:
    found = named(
        clients.api, "get_integrations", function_arn, key="IntegrationUri", ApiId=api_id
    ) or clients.api.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function_arn,
        PayloadFormatVersion="2.0",
    )
    return f"integrations/{found['IntegrationId']}"


def _permission(clients: Clients, function_name: str, stack: Stack, api_id: str) -> None:
    """Let this API, and no other, invoke the function."""
    try:
        clients.functions.add_permission(
            FunctionName=function_name,
            StatementId="http-api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{stack.region}:{ACCOUNT}:{api_id}/*/*",
        )
    except clients.functions.exceptions.ResourceConflictException:
        return  # said on an earlier run; the API's id never changes

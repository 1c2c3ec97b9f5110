"""Requests as API Gateway's HTTP API hands them to a Lambda, payload format 2.0."""

from typing import Any

from tests.unit.infra.pool import ISSUER, SUB

_PROVIDER = ISSUER.removeprefix("https://")
GUEST_AMR = ["unauthenticated"]


def amr_of(sub: str, provider: str = _PROVIDER) -> list[str]:
    """Return how API Gateway says that a person of a user pool signed the request."""
    return ["authenticated", provider, f"{provider}:CognitoSignIn:{sub}"]


def _event(route: str, headers: dict[str, Any] | None, authorizer: Any) -> dict[str, Any]:
    method, path = route.split(" ")
    context: dict[str, Any] = {
        "accountId": "123456789012",
        "apiId": "a1b2c3d4e5",
        "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": "a1b2c3d4e5",
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.7",
            "userAgent": "python-requests/2.34.2",
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": route,
        "stage": "$default",
        "time": "20/Nov/2026:10:00:00 +0000",
        "timeEpoch": 1_795_168_800_000,
    }
    if authorizer is not None:
        context["authorizer"] = authorizer
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "x-forwarded-for": "203.0.113.7",
            **(headers or {}),
        },
        "requestContext": context,
        "isBase64Encoded": False,
    }


def open_event(route: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a request on a route without authorization."""
    return _event(route, headers, None)


def iam_event(
    route: str,
    *,
    token: str | None = None,
    headers: dict[str, Any] | None = None,
    amr: list[str] | None = None,
    role: str = "portico-admin",
) -> dict[str, Any]:
    """Return a request signed with an identity pool's credentials (by default SUB's)."""
    given = dict(headers or {})
    if token is not None:
        given["x-cognito-id-token"] = token
    iam = {
        "accessKey": "ASIAEXAMPLEEXAMPLE00",
        "accountId": "123456789012",
        "callerId": "AROAEXAMPLE:CognitoIdentityCredentials",
        "cognitoIdentity": {
            "amr": amr_of(SUB) if amr is None else amr,
            "identityId": "us-east-1:7c0d3b52-1f2e-4c77-9f60-2f5a0d1e8b11",
            "identityPoolId": "us-east-1:0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
        },
        "principalOrgId": None,
        "userArn": f"arn:aws:sts::123456789012:assumed-role/{role}/CognitoIdentityCredentials",
        "userId": "AROAEXAMPLE:CognitoIdentityCredentials",
    }
    return _event(route, given, {"iam": iam})


def service_event(route: str, *, token: str | None = None) -> dict[str, Any]:
    """Return a request signed by an ordinary IAM user, whom no identity pool knows."""
    event = iam_event(route, token=token)
    event["requestContext"]["authorizer"]["iam"] |= {
        "cognitoIdentity": None,
        "userArn": "arn:aws:iam::123456789012:user/operator",
    }
    return event


def jwt_event(
    route: str, *, headers: dict[str, Any] | None = None, **changes: str | None
) -> dict[str, Any]:
    """Return a request that the JWT authorizer let through; every claim is text on AWS."""
    claims = {
        "sub": SUB,
        "iss": ISSUER,
        "client_id": "4n5e6x7a8m9p0l1e2c3l4i5e6n",
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin openid email",
        "cognito:groups": "[Admin Viewer]",
        "username": SUB,
        "exp": "1790003600",
        "iat": "1790000000",
        **changes,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    return _event(route, headers, {"jwt": {"claims": kept, "scopes": ["openid"]}})

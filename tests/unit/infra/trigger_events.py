"""Events as a user pool hands them to its triggers (AWS: the pages of each Lambda trigger)."""

from typing import Any

POOL = "us-east-1_Ab1Cd2Ef3"
SUB = "3f0e9a52-8c11-4f0a-9a61-0c3a4f7f2b10"
MAIL = "eva@example.com"


def _event(source: str, request: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "1",
        "triggerSource": source,
        "region": "us-east-1",
        "userPoolId": POOL,
        "userName": SUB,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": "4n5e6x7a8m9p0l1e2c3l4i5e6n",
        },
        "request": request,
        "response": response,
    }


def _attributes(**changes: str) -> dict[str, str]:
    return {
        "sub": SUB,
        "email": MAIL,
        "email_verified": "true",
        "cognito:user_status": "CONFIRMED",
        **{name.replace("__", ":"): value for name, value in changes.items()},
    }


def sign_up(mail: str, source: str = "PreSignUp_SignUp") -> dict[str, Any]:
    """Somebody signs up with this address."""
    request = {"userAttributes": {"email": mail}, "validationData": None}
    response = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
    return _event(source, request, response)


def token(
    groups: list[str] | None = None, roles: list[str] | None = None, **attributes: str
) -> dict[str, Any]:
    """A token is about to be made (V2)."""
    request = {
        "userAttributes": _attributes(**attributes),
        "groupConfiguration": {
            "groupsToOverride": groups or [],
            "iamRolesToOverride": roles or [],
            "preferredRole": None,
        },
        "scopes": ["openid", "email", "aws.cognito.signin.user.admin"],
    }
    event = _event("TokenGeneration_HostedAuth", request, {"claimsAndScopeOverrideDetails": None})
    return event | {"version": "2"}


def confirmation(source: str = "PostConfirmation_ConfirmSignUp") -> dict[str, Any]:
    """Somebody has entered the code of their mail."""
    return _event(source, {"userAttributes": _attributes()}, {})


def mail(source: str, **more: Any) -> dict[str, Any]:
    """A mail is about to be sent."""
    request = {
        "userAttributes": _attributes(**more.pop("attributes", {})),
        "codeParameter": "{####}",
        "linkParameter": "{##Click Here##}",
        "usernameParameter": None,
        **more,
    }
    response = {"smsMessage": None, "emailMessage": None, "emailSubject": None}
    return _event(f"CustomMessage_{source}", request, response)


def authentication(source: str, **request: Any) -> dict[str, Any]:
    """Somebody signs in, or has."""
    return _event(source, {"userAttributes": _attributes(), **request}, {})

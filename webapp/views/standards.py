"""Where the steps of a sign-in are laid down: sections of standards, and pages of AWS."""

from dataclasses import dataclass

_RFC = "https://www.rfc-editor.org/rfc/rfc"
_OIDC = "https://openid.net/specs/openid-connect-core-1_0.html#"
_AWS = "https://docs.aws.amazon.com/"


@dataclass(frozen=True, slots=True)
class Source:
    """A section to read."""

    name: str
    url: str


def rfc(number: int, section: str) -> Source:
    """A section of an RFC."""
    return Source(f"RFC {number} §{section}", f"{_RFC}{number}#section-{section}")


def oidc(section: str, anchor: str) -> Source:
    """A section of OpenID Connect Core 1.0."""
    return Source(f"OIDC Core §{section}", _OIDC + anchor)


def aws(name: str, path: str) -> Source:
    """A page of AWS's documentation."""
    return Source(f"AWS: {name}", _AWS + path)


_GUIDE = "cognito/latest/developerguide/"
_POOL_API = "cognitoidentity/latest/APIReference/"
AUTHORIZE = (
    rfc(6749, "4.1.1"),
    rfc(7636, "4.3"),
    oidc("3.1.2.1", "AuthRequest"),
    aws("Authorize endpoint", _GUIDE + "authorization-endpoint.html"),
)
START = (rfc(6749, "10.12"), rfc(7636, "4.1"))
MANAGED_LOGIN = (
    oidc("3.1.2.3", "Authenticates"),
    aws("Managed login", _GUIDE + "cognito-user-pools-managed-login.html"),
)
CALLBACK = (rfc(6749, "4.1.2"), rfc(6749, "10.12"), rfc(9207, "2.4"))
EXCHANGE = (
    rfc(6749, "4.1.3"),
    rfc(7636, "4.5"),
    aws("Token endpoint", _GUIDE + "token-endpoint.html"),
)
KEY_SET = (
    rfc(7517, "5"),
    aws(
        "Verifying JSON web tokens",
        _GUIDE + "amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html",
    ),
)
CHECKS = (oidc("3.1.3.7", "IDTokenValidation"), rfc(7519, "7.2"))
SESSION = (Source("RFC 9700 §2.1", f"{_RFC}9700#section-2.1"), rfc(6265, "4.1.2"))
GET_ID = (aws("GetId", _POOL_API + "API_GetId.html"),)
GET_CREDENTIALS = (
    aws("GetCredentialsForIdentity", _POOL_API + "API_GetCredentialsForIdentity.html"),
    aws("Role-based access control", _GUIDE + "role-based-access-control.html"),
)
ROLE = (aws("Role-based access control", _GUIDE + "role-based-access-control.html"),)
SIGNED_CALL = (
    aws("Signature Version 4", "IAM/latest/UserGuide/reference_sigv-create-signed-request.html"),
    aws("IAM for HTTP APIs", "apigateway/latest/developerguide/http-api-access-control-iam.html"),
)
REFRESH = (
    rfc(6749, "6"),
    oidc("12.2", "RefreshTokenResponse"),
    aws("Refresh tokens", _GUIDE + "amazon-cognito-user-pools-using-the-refresh-token.html"),
)
USERINFO = (
    oidc("5.3", "UserInfo"),
    aws("userInfo endpoint", _GUIDE + "userinfo-endpoint.html"),
)
SIGN_OUT = (
    rfc(7009, "2.1"),
    aws("Revoke endpoint", _GUIDE + "revocation-endpoint.html"),
    aws("Logout endpoint", _GUIDE + "logout-endpoint.html"),
)

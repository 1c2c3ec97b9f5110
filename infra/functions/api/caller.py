"""Who calls, as API Gateway says (HTTP API, payload format 2.0), not as the request says.

On an AWS_IAM route `requestContext.authorizer.iam` names the signer; for credentials of an identity
pool `cognitoIdentity.amr` is ["unauthenticated"] for a guest, and for a person
["authenticated", PROVIDER, "PROVIDER:CognitoSignIn:SUB"]. On a JWT route
`requestContext.authorizer.jwt.claims` holds the access token's claims, every one as text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .refusal import Refused

Kind = Literal["nobody", "guest", "person", "service"]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls. `service` is an AWS principal that is nobody of this user pool."""

    kind: Kind
    identity_id: str | None = None
    role: str | None = None
    user_arn: str | None = None
    sub: str | None = None
    username: str | None = None
    email: str | None = None
    groups: tuple[str, ...] = ()
    department: str | None = None
    projects: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()


NOBODY = Caller(kind="nobody")


def from_iam(context: Mapping[str, Any], issuer: str) -> Caller:
    """Return the signer of an AWS_IAM request; `issuer` is the user pool's. 401 without one."""
    iam = _part(_part(context, "authorizer"), "iam")
    arn = _text(iam, "userArn")
    if not arn:
        raise Refused(401, "caller_missing")
    cognito = _part(iam, "cognitoIdentity")
    amr = tuple(entry for entry in cognito.get("amr") or () if isinstance(entry, str))
    sub = _person_in(amr, issuer)
    kind: Kind = "service"
    if sub is not None:
        kind = "person"
    elif "unauthenticated" in amr:
        kind = "guest"
    return Caller(
        kind=kind,
        identity_id=_text(cognito, "identityId"),
        role=_role_of(arn),
        user_arn=arn,
        sub=sub,
        amr=amr,
    )


def from_jwt(context: Mapping[str, Any]) -> Caller:
    """Return the bearer of the access token that API Gateway's JWT authorizer has verified."""
    jwt = _part(_part(context, "authorizer"), "jwt")
    claims = _part(jwt, "claims")
    sub = _text(claims, "sub")
    if not sub:
        raise Refused(401, "caller_missing")
    # The scope on the route keeps ID tokens out already; a route that lost it must not let them in.
    if claims.get("token_use") != "access":
        raise Refused(401, "caller_not_by_access_token")
    return Caller(
        kind="person",
        sub=sub,
        username=_text(claims, "username"),
        groups=_listed(claims.get("cognito:groups")),
        scopes=_listed(claims.get("scope")),
    )


def _person_in(amr: tuple[str, ...], issuer: str) -> str | None:
    """Return the sub that this user pool vouches for; None for a guest, another pool or two."""
    prefix = issuer.removeprefix("https://") + ":CognitoSignIn:"
    subs = {entry[len(prefix) :] for entry in amr if entry.startswith(prefix)} - {""}
    return subs.pop() if "authenticated" in amr and len(subs) == 1 else None


def _role_of(arn: str) -> str | None:
    # arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
    parts = arn.split("/")
    return parts[1] if parts[0].endswith(":assumed-role") and len(parts) == 3 else None


def _listed(value: object) -> tuple[str, ...]:
    # API Gateway writes a list as "[a b]"; a scope is "a b" to begin with.
    return (
        tuple(value.removeprefix("[").removesuffix("]").split()) if isinstance(value, str) else ()
    )


def _part(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = mapping.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(mapping: Mapping[str, Any], key: str) -> str | None:
    value = mapping.get(key)
    return value if isinstance(value, str) and value else None

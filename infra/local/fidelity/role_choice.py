"""Which role an identity pool hands out, as Cognito decides it. Pure; no I/O.

Source: Cognito developer guide, "Using role-based access control" (tokens, rules and the
ambiguous case), and the RoleMapping type of the identity pool API.
"""

from collections.abc import Mapping, Sequence
from typing import Any

MAX_RULES = 25


class RoleDeniedError(Exception):
    """No role may be handed out: the request asks for a foreign one or nothing decides."""


def choose_role(
    mapping: Mapping[str, Any] | None,
    claims: Mapping[str, Any],
    *,
    authenticated_role: str,
    custom_role: str | None = None,
) -> str:
    """Return the ARN of the role for a person with these ID token claims.

    `mapping` is the provider's entry of SetIdentityPoolRoles, or None when it has none; then the
    pool's authenticated role holds and `custom_role` (CustomRoleArn) has no meaning.
    Raises RoleDeniedError where AWS refuses the credentials.
    """
    if mapping is None:
        return authenticated_role
    role = (
        _from_token(claims, custom_role)
        if mapping["Type"] == "Token"
        else _by_rules(mapping.get("RulesConfiguration", {}).get("Rules", ()), claims)
    )
    if role is not None:
        return role
    if mapping.get("AmbiguousRoleResolution", "Deny") == "AuthenticatedRole":
        return authenticated_role
    raise RoleDeniedError("no role is decided and the pool denies the ambiguous case")


def _from_token(claims: Mapping[str, Any], custom_role: str | None) -> str | None:
    if custom_role is not None:
        if custom_role not in claims.get("cognito:roles", ()):
            raise RoleDeniedError("the asked-for role is not in cognito:roles")
        return custom_role
    return claims.get("cognito:preferred_role")


def _by_rules(rules: Sequence[Mapping[str, str]], claims: Mapping[str, Any]) -> str | None:
    for rule in rules[:MAX_RULES]:
        if _matches(rule, claims):
            return rule["RoleARN"]
    return None


def _matches(rule: Mapping[str, str], claims: Mapping[str, Any]) -> bool:
    """A rule on an absent claim never matches, NotEqual included."""
    if rule["Claim"] not in claims:
        return False
    actual, wanted = _claim_text(claims[rule["Claim"]]), rule["Value"]
    match rule["MatchType"]:
        case "Equals":
            return actual == wanted
        case "NotEqual":
            return actual != wanted
        case "StartsWith":
            return actual.startswith(wanted)
        case "Contains":
            return wanted in actual
    return False


def _claim_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_claim_text(item) for item in value)
    return str(value)

"""Claims that the pinned release leaves out of its tokens.

Closes these gaps: cognito:roles and cognito:preferred_role are missing from the ID token, and those
that a pre token generation trigger overrides are dropped;
at_hash (OpenID Connect Core 3.1.3.6) is missing; tokens refreshed at /oauth2/token lose
cognito:groups; auth_time moves at each refresh, where it must stay (OpenID Connect Core 12.2).
"""

# ruff: noqa: SLF001 - reaching into the pinned release is this layer's whole work

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from infra.local.fidelity.ledger import Ledger
from infra.local.fidelity.upstream import Upstream, replace

# (family, access token) made last in this call: the ID token that follows binds to it.
_latest_access: ContextVar[tuple[str, str]] = ContextVar("latest_access", default=("", ""))


def mend(upstream: Upstream, ledger: Ledger) -> None:
    """Wrap the token factory and the hook through which all claims pass before signing."""
    cognito = upstream.cognito

    def make_token(original: Callable[..., str]) -> Callable[..., str]:
        def token(
            sub: str,
            pool_id: str,
            client_id: str,
            token_type: str = "access",
            username: str = "",
            **rest: Any,
        ) -> str:
            user = _user(cognito, pool_id, username)
            if token_type != "refresh" and user is not None:
                rest["groups"] = rest.get("groups") or user.get("_groups", [])
                attributes = cognito._attr_list_to_dict(user.get("Attributes", []))
                rest["user_attrs"] = rest.get("user_attrs") or attributes
            made = original(sub, pool_id, client_id, token_type, username, **rest)
            if token_type == "access":
                _latest_access.set((rest.get("origin_jti", ""), made))
            return made

        return token

    def make_hook(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        def hook(**call: Any) -> dict[str, Any]:
            claims = call["claims"]
            refreshing = call["trigger_source"] == "TokenGeneration_RefreshTokens"
            _keep_auth_time(claims, ledger, refreshing=refreshing)
            if call["token_type"] == "id":
                claims.update(_roles(cognito, call["pool_id"], call["groups"]))
            final = original(**call)
            brought = final.get("cognito:groups") or []
            if call["token_type"] == "id" and set(brought) != set(call["groups"]):
                # A trigger overrode the groups; its iamRolesToOverride and preferredRole are
                # dropped by the pinned release, and follow from the groups as ours writes them.
                final.update(_roles(cognito, call["pool_id"], brought))
            family, access_token = _latest_access.get()
            if call["token_type"] == "id" and access_token and family == final.get("origin_jti"):
                final["at_hash"] = at_hash(access_token)
            return final

        return hook

    replace(cognito, "_fake_token", make_token)
    replace(cognito, "_apply_pretoken_trigger", make_hook)


def _roles(cognito: Any, pool_id: str, names: Iterable[str]) -> dict[str, Any]:
    groups = (cognito._user_pools.get(pool_id) or {}).get("_groups", {})
    return role_claims([groups.get(name, {}) for name in names])


def role_claims(groups: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return cognito:roles and, where one group wins, cognito:preferred_role.

    The lowest Precedence wins; no Precedence comes last; groups that tie and name different roles
    leave the preferred role out. Source: CreateGroup, parameter Precedence.
    """
    with_role = [group for group in groups if group.get("RoleArn")]
    if not with_role:
        return {}
    ranks = [_rank(group) for group in with_role]
    best = {group["RoleArn"] for group in with_role if _rank(group) == min(ranks)}
    roles = list(dict.fromkeys(group["RoleArn"] for group in with_role))
    claims: dict[str, Any] = {"cognito:roles": roles}
    if len(best) == 1:
        claims["cognito:preferred_role"] = best.pop()
    return claims


def at_hash(access_token: str) -> str:
    """Return the left half of the token's SHA-256 digest, base64url (RS256's hash)."""
    half = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def _rank(group: Mapping[str, Any]) -> float:
    precedence = group.get("Precedence")
    return float("inf") if precedence is None else float(precedence)


def _keep_auth_time(claims: dict[str, Any], ledger: Ledger, *, refreshing: bool) -> None:
    family = claims.get("origin_jti")
    if family is None or "auth_time" not in claims:
        return
    if not refreshing:
        ledger.note_sign_in(family, claims["auth_time"])
    elif (at := ledger.signed_in_at(family)) is not None:
        claims["auth_time"] = at


def _user(cognito: Any, pool_id: str, username: str) -> dict[str, Any] | None:
    pool = cognito._user_pools.get(pool_id) or {}
    user: dict[str, Any] | None = pool.get("_users", {}).get(username) if username else None
    return user

"""Identity pool: the role of the person, guests only where allowed, roles that trust the pool.

Closes these gaps of the pinned release:
- role mapping (Token and Rules) and CustomRoleArn are stored but not applied;
- guests get an identity and credentials although the pool refuses them;
- GetCredentialsForIdentity answers for an identity that nobody created;
- the role's trust policy is not read, and a pool without a role invents one;
- ServerSideTokenCheck is stored but never done.
"""

# ruff: noqa: SLF001 - reaching into the pinned release is this layer's whole work

import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.fidelity.role_choice import RoleDeniedError, choose_role
from infra.local.fidelity.upstream import ACCOUNT_ID, REGION, Upstream, replace

Handler = Callable[[dict[str, Any]], Any]
Pool = Mapping[str, Any]

_GUESTS_REFUSED = "Unauthenticated access is not supported for this identity pool."
_REVOKED = "Invalid login token. Token is no longer valid for this user."
_BAD_ROLES = "Invalid identity pool configuration. Check assigned IAM roles for this pool."


def mend(upstream: Upstream) -> None:
    """Wrap GetId, GetOpenIdToken and GetCredentialsForIdentity."""
    mended = _IdentityPools(upstream)
    replace(upstream.cognito, "_get_id", mended.guarding_guests)
    replace(upstream.cognito, "_get_open_id_token", mended.guarding_guests)
    replace(upstream.cognito, "_get_credentials_for_identity", mended.with_the_right_role)


class _IdentityPools:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def guarding_guests(self, original: Handler) -> Handler:
        def handler(data: dict[str, Any]) -> Any:
            pool = self._pool_of(data)
            if pool is not None and not data.get("Logins") and not _lets_guests_in(pool):
                return self._error("NotAuthorizedException", _GUESTS_REFUSED)
            return original(data)

        return handler

    def with_the_right_role(self, original: Handler) -> Handler:
        guarded = self.guarding_guests(original)

        def handler(data: dict[str, Any]) -> Any:
            identity_id = str(data.get("IdentityId", ""))
            pool = self._pool_of(data)
            if pool is None:
                message = f"Identity '{identity_id}' not found."
                return self._error("ResourceNotFoundException", message)
            if self._is_dead_login(pool, data.get("Logins") or {}):
                return self._error("NotAuthorizedException", _REVOKED)
            answer = guarded(data)
            status, _, body = answer
            if status != 200:
                return answer
            vended = json.loads(body)
            access_key = vended["Credentials"]["AccessKeyId"]
            try:
                role = self._role_for(pool, data)
            except RoleDeniedError:
                self._forget(access_key)
                message = f"Access to Identity '{identity_id}' is forbidden."
                return self._error("NotAuthorizedException", message)
            if not self._assume(access_key, role, pool, vended["IdentityId"]):
                self._forget(access_key)
                return self._error("InvalidIdentityPoolConfigurationException", _BAD_ROLES)
            return answer

        return handler

    def _pool_of(self, data: dict[str, Any]) -> Pool | None:
        pools = self._upstream.cognito._identity_pools
        if pool_id := data.get("IdentityPoolId"):
            found: Pool | None = pools.get(pool_id)
            return found
        identity_id = data.get("IdentityId")
        return next((pool for pool in pools.values() if identity_id in pool["_identities"]), None)

    def _is_dead_login(self, pool: Pool, logins: dict[str, str]) -> bool:
        """Return whether the user pool, where it is asked, has taken a login back."""
        checked = {
            (provider["ProviderName"], provider["ClientId"])
            for provider in pool.get("CognitoIdentityProviders") or ()
            if provider.get("ServerSideTokenCheck")
        }
        cognito = self._upstream.cognito
        for provider, token in logins.items():
            claims = cognito._token_claims(token)
            if (provider, claims.get("aud")) not in checked:
                continue
            user_pool = cognito._get_pool_unscoped(provider.rpartition("/")[2]) or {"_users": {}}
            user = user_pool["_users"].get(claims.get("cognito:username"))
            if claims.get("origin_jti") in cognito._revoked_tokens:
                return True
            if user is None or not user.get("Enabled", True):
                return True
        return False

    def _role_for(self, pool: Pool, data: dict[str, Any]) -> str:
        """Return the role's ARN, or "" when the pool has none of that kind."""
        roles = pool.get("_roles", {})
        logins: dict[str, str] = data.get("Logins") or {}
        if not logins:
            return str(roles.get("unauthenticated", ""))
        provider, token = next(iter(logins.items()))
        claims = self._upstream.cognito._token_claims(token)
        mappings = pool.get("_role_mappings") or {}
        mapping = mappings.get(f"{provider}:{claims.get('aud')}") or mappings.get(provider)
        return choose_role(
            mapping,
            claims,
            authenticated_role=str(roles.get("authenticated", "")),
            custom_role=data.get("CustomRoleArn"),
        )

    def _assume(self, access_key: str, role_arn: str, pool: Pool, identity_id: str) -> bool:
        """Make the vended session the role's; False when it does not exist or does not trust."""
        session = self._upstream.sts._sessions[access_key]
        role = self._upstream.iam._roles.get_scoped(ACCOUNT_ID, None, role_arn.rpartition("/")[2])
        if role is None or role.get("Arn") != role_arn:
            return False
        federated = "cognito-identity.amazonaws.com"
        context = self._upstream.evaluator.EvalContext(
            principal_arn=federated,
            principal_type="WebIdentityUser",
            principal_account=ACCOUNT_ID,
            action="sts:AssumeRoleWithWebIdentity",
            resource_arn=role_arn,
            region=REGION,
            service_context={
                f"{federated}:aud": pool["IdentityPoolId"],
                f"{federated}:sub": identity_id,
                f"{federated}:amr": session["_cognito_amr"],
            },
        )
        trust = role.get("AssumeRolePolicyDocument", "{}")
        if not self._upstream.evaluator.evaluate_trust_policy(trust, federated, context):
            return False
        session["Arn"] = (
            f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role['RoleName']}/CognitoIdentityCredentials"
        )
        session["UserId"] = f"{role['RoleId']}:CognitoIdentityCredentials"
        return True

    def _forget(self, access_key: str) -> None:
        self._upstream.sts._sessions.pop(access_key, None)

    def _error(self, code: str, message: str) -> Any:
        return self._upstream.cognito.error_response_json(code, message, 400)


def _lets_guests_in(pool: Pool) -> bool:
    return bool(pool.get("AllowUnauthenticatedIdentities"))

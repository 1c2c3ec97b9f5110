"""The Cognito half of the stack: user pool, app client, identity pool."""

from collections.abc import Mapping
from typing import Any

from infra.facts import Stack, UserPool
from infra.local.provision_clients import Clients, named


def issuer(stack: Stack, user_pool_id: str) -> str:
    """Return the `iss` of the pool's tokens: Amazon's address, offline as well."""
    return f"https://cognito-idp.{stack.region}.amazonaws.com/{user_pool_id}"


def user_pool(clients: Clients, stack: Stack) -> str:
    """Make or update the user pool with its domain; return its id."""
    cognito, facts = clients.cognito, stack.user_pool
    found = named(cognito, "list_user_pools", stack.name, PaginationConfig={"PageSize": 60})
    if found is None:
        made = cognito.create_user_pool(
            PoolName=stack.name,
            UsernameAttributes=list(facts.sign_in_with),
            UsernameConfiguration={"CaseSensitive": facts.case_sensitive},
            Schema=_schema(facts),
            **_changeable(facts),
        )
        pool: dict[str, Any] = made["UserPool"]
    else:
        pool = cognito.describe_user_pool(UserPoolId=found["Id"])["UserPool"]
        cognito.update_user_pool(UserPoolId=pool["Id"], **_changeable(facts))
        _add_attributes(clients, facts, pool)
    pool_id: str = pool["Id"]
    cognito.set_user_pool_mfa_config(
        UserPoolId=pool_id,
        SoftwareTokenMfaConfiguration={"Enabled": "SOFTWARE_TOKEN_MFA" in facts.mfa_methods},
        MfaConfiguration=facts.mfa,
    )
    if not pool.get("Domain"):
        cognito.create_user_pool_domain(
            Domain=stack.name, UserPoolId=pool_id, ManagedLoginVersion=facts.domain.version
        )
    return pool_id


def _changeable(facts: UserPool) -> dict[str, Any]:
    password = facts.password
    return {
        "Policies": {
            "PasswordPolicy": {
                "MinimumLength": password.minimum_length,
                "RequireLowercase": "lowercase" in password.require,
                "RequireUppercase": "uppercase" in password.require,
                "RequireNumbers": "numbers" in password.require,
                "RequireSymbols": "symbols" in password.require,
                "TemporaryPasswordValidityDays": password.temporary_days,
            }
        },
        "AutoVerifiedAttributes": list(facts.verify),
        "UserAttributeUpdateSettings": {
            "AttributesRequireVerificationBeforeUpdate": list(facts.verify_before_update)
        },
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": not facts.self_sign_up},
        "AccountRecoverySetting": {
            "RecoveryMechanisms": [
                {"Name": name, "Priority": number}
                for number, name in enumerate(facts.recovery, start=1)
            ]
        },
        "UserPoolTier": facts.tier,
    }


def _schema(facts: UserPool) -> list[dict[str, Any]]:
    return [
        {
            "Name": name,
            "AttributeDataType": attribute.kind,
            "Mutable": attribute.mutable,
            "StringAttributeConstraints": {
                "MinLength": str(attribute.min_length),
                "MaxLength": str(attribute.max_length),
            },
        }
        for name, attribute in facts.custom_attributes.items()
    ]


def _add_attributes(clients: Clients, facts: UserPool, pool: Mapping[str, Any]) -> None:
    there = {entry["Name"].removeprefix("custom:") for entry in pool.get("SchemaAttributes", ())}
    missing = [entry for entry in _schema(facts) if entry["Name"] not in there]
    if missing:
        clients.cognito.add_custom_attributes(UserPoolId=pool["Id"], CustomAttributes=missing)


def triggers(clients: Clients, stack: Stack, user_pool_id: str, config: dict[str, Any]) -> None:
    """Have the pool call its functions."""
    clients.cognito.update_user_pool(
        UserPoolId=user_pool_id, LambdaConfig=config, **_changeable(stack.user_pool)
    )


def app_client(clients: Clients, stack: Stack, user_pool_id: str, app_base_url: str) -> Any:
    """Make or update the app client; return it whole, the secret included."""
    cognito, name = clients.cognito, f"{stack.name}-web"
    facts = _client_facts(stack, app_base_url)
    of_pool = {"key": "ClientName", "UserPoolId": user_pool_id}
    found = named(cognito, "list_user_pool_clients", name, **of_pool)
    if found is None:
        made = cognito.create_user_pool_client(
            UserPoolId=user_pool_id,
            ClientName=name,
            GenerateSecret=stack.app_client.secret,
            **facts,
        )
    else:
        # The update replaces everything; whatever is not said falls back to its default.
        made = cognito.update_user_pool_client(
            UserPoolId=user_pool_id, ClientId=found["ClientId"], ClientName=name, **facts
        )
    return made["UserPoolClient"]


def _client_facts(stack: Stack, app_base_url: str) -> dict[str, Any]:
    client = stack.app_client
    return {
        "CallbackURLs": [
            *(app_base_url + path for path in client.callback_paths),
            *stack.demo.callbacks,
        ],
        "LogoutURLs": [app_base_url + path for path in client.logout_paths],
        "AllowedOAuthFlows": list(client.flows),
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": list(client.scopes),
        "SupportedIdentityProviders": list(client.identity_providers),
        "ExplicitAuthFlows": list(client.auth_flows),
        "IdTokenValidity": client.id_token_minutes,
        "AccessTokenValidity": client.access_token_minutes,
        "RefreshTokenValidity": client.refresh_token_days,
        "TokenValidityUnits": {
            "IdToken": "minutes",
            "AccessToken": "minutes",
            "RefreshToken": "days",
        },
        "AuthSessionValidity": client.auth_session_minutes,
        "RefreshTokenRotation": {
            "Feature": "ENABLED" if client.rotation.enabled else "DISABLED",
            "RetryGracePeriodSeconds": client.rotation.grace_seconds,
        },
        "EnableTokenRevocation": client.revocation,
        "PreventUserExistenceErrors": "ENABLED" if client.hide_user_existence else "LEGACY",
        "ReadAttributes": list(client.read_attributes),
        "WriteAttributes": list(client.write_attributes),
    }


def identity_pool(clients: Clients, stack: Stack, user_pool_id: str, client_id: str) -> str:
    """Make or update the identity pool; return its id."""
    facts = stack.identity_pool
    settings = {
        "IdentityPoolName": stack.name,
        "AllowUnauthenticatedIdentities": facts.guests,
        "AllowClassicFlow": facts.classic_flow,
        "CognitoIdentityProviders": [
            {
                "ProviderName": issuer(stack, user_pool_id).removeprefix("https://"),
                "ClientId": client_id,
                "ServerSideTokenCheck": facts.check_token_on_server,
            }
        ],
    }
    found = named(
        clients.identity,
        "list_identity_pools",
        stack.name,
        key="IdentityPoolName",
        PaginationConfig={"PageSize": 60},
    )
    if found is None:
        pool_id: str = clients.identity.create_identity_pool(**settings)["IdentityPoolId"]
        return pool_id
    pool_id = found["IdentityPoolId"]
    clients.identity.update_identity_pool(IdentityPoolId=pool_id, **settings)
    return pool_id


def role_mapping(
    clients: Clients,
    stack: Stack,
    role_arns: Mapping[str, str],
    pool_and_client: str,
    identity_pool_id: str,
) -> None:
    """Say which role whom gets; `pool_and_client` is "POOL:CLIENT" of the one provider."""
    facts = stack.identity_pool
    mapping: dict[str, Any] = {
        "Type": facts.role_mapping.type,
        "AmbiguousRoleResolution": facts.role_mapping.ambiguous,
    }
    if facts.role_mapping.type == "Rules":
        mapping["RulesConfiguration"] = {
            "Rules": [
                {
                    "Claim": rule.claim,
                    "MatchType": rule.match,
                    "Value": rule.value,
                    "RoleARN": role_arns[rule.role],
                }
                for rule in facts.role_mapping.rules
            ]
        }
    provider = f"cognito-idp.{stack.region}.amazonaws.com/{pool_and_client}"
    clients.identity.set_identity_pool_roles(
        IdentityPoolId=identity_pool_id,
        Roles={
            "authenticated": role_arns[facts.authenticated_role],
            "unauthenticated": role_arns[facts.guest_role],
        },
        RoleMappings={provider: mapping},
    )
    clients.identity.set_principal_tag_attribute_map(
        IdentityPoolId=identity_pool_id,
        IdentityProviderName=provider.rpartition(":")[0],
        UseDefaults=False,
        PrincipalTags=facts.principal_tags,
    )

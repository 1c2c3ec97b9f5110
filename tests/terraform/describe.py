"""What a stack looks like from outside: read with boto3, ids and times taken out, sorted.

Two stacks that were made by different engines from the same facts describe alike.
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from infra.facts import Stack
from tests.stack.world import Offline

Described = dict[str, Any]

# Different for every stack and every moment; what they point to is compared in its own place.
_DROPPED = {
    "ApiEndpoint", "ApiId", "Arn", "AuthorizerId", "ClientSecret", "CodeSize", "CreateDate",
    "CreatedAt", "CreatedDate", "CreationDate", "CreationDateTime", "DeploymentId",
    "EarliestRestorableDateTime", "EstimatedNumberOfUsers", "FunctionArn", "IndexArn",
    "IndexSizeBytes", "IntegrationId", "ItemCount", "LastModified", "LastModifiedDate",
    "LastUpdateToPayPerRequestDateTime", "LastUpdatedDate", "LatestRestorableDateTime",
    "LatestStreamArn", "RecoveryPeriodInDays", "ResponseMetadata", "RevisionId", "RoleId",
    "RoleLastUsed", "RouteId", "TableArn", "TableId", "TableSizeBytes",
}  # fmt: skip

# Lists whose order means nothing.
_UNORDERED = {
    "Action", "AllowedOAuthFlows", "AllowedOAuthScopes", "AttributeDefinitions",
    "AuthorizationScopes", "AutoVerifiedAttributes", "ExplicitAuthFlows",
    "GlobalSecondaryIndexes", "ReadAttributes", "Resource", "SchemaAttributes", "Scopes",
    "SupportedIdentityProviders", "WriteAttributes",
}  # fmt: skip


def describe(aws: Offline, stack: Stack, settings: Mapping[str, str]) -> Described:
    """Return everything of the stack that the application's settings point to."""
    reader = _Reader(aws, stack, settings)
    sections: dict[str, Callable[[], Any]] = {
        "user_pool": reader.user_pool,
        "groups": reader.groups,
        "resource_servers": reader.resource_servers,
        "app_clients": reader.app_clients,
        "identity_pool": reader.identity_pool,
        "roles": reader.roles,
        "functions": reader.functions,
        "api": reader.api,
        "tables": reader.tables,
    }
    return {name: reader.normal(read()) for name, read in sections.items()}


def differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, value, other value) wherever two descriptions differ; absent is None."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from differences(one.get(key), other.get(key), f"{path}/{key}")
    elif one != other:
        yield path, one, other


class _Reader:
    def __init__(self, aws: Offline, stack: Stack, settings: Mapping[str, str]) -> None:
        self._client = functools.cache(aws.client)
        self._stack = stack
        self._pool = {"UserPoolId": settings["COGNITO_USER_POOL_ID"]}
        self._identity_pool_id = settings["COGNITO_IDENTITY_POOL_ID"]
        self._api = {"ApiId": urlsplit(settings["API_ENDPOINT"]).path.rpartition("/")[2]}
        self._names = {
            settings["COGNITO_USER_POOL_ID"]: "<user pool>",
            settings["COGNITO_CLIENT_ID"]: "<app client>",
            settings["COGNITO_IDENTITY_POOL_ID"]: "<identity pool>",
            self._api["ApiId"]: "<api>",
            aws.endpoint: "<endpoint>",
        }

    def normal(self, value: Any, key: str = "") -> Any:
        """Return the value with ids named, times dropped, and sets in order."""
        if isinstance(value, dict):
            kept = {
                self._named(name): self.normal(item, name)
                for name, item in value.items()
                if name not in _DROPPED
            }
            return {name: item for name, item in kept.items() if item not in (None, "", [], {})}
        if isinstance(value, list):
            items = [self.normal(item) for item in value]
            return sorted(items, key=json.dumps) if key in _UNORDERED else items
        if not isinstance(value, str):
            return value
        # Two programs write the same JSON in two ways.
        return self.normal(json.loads(value)) if value.startswith("{") else self._named(value)

    def _named(self, text: str) -> str:
        for real, name in self._names.items():
            text = text.replace(real, name)
        return text

    def user_pool(self) -> Any:
        idp = self._client("cognito-idp")
        pool = idp.describe_user_pool(**self._pool)["UserPool"]
        domain = idp.describe_user_pool_domain(Domain=pool["Domain"])["DomainDescription"]
        own = {key: domain.get(key) for key in ("Domain", "UserPoolId", "ManagedLoginVersion")}
        mfa = idp.get_user_pool_mfa_config(**self._pool)
        return {**pool, "own_domain": own, "mfa": mfa, "Id": None}

    def groups(self) -> Any:
        listed = self._client("cognito-idp").list_groups(**self._pool)["Groups"]
        return {group["GroupName"]: group for group in listed}

    def resource_servers(self) -> Any:
        idp = self._client("cognito-idp")
        listed = idp.list_resource_servers(**self._pool, MaxResults=50)["ResourceServers"]
        return {server["Identifier"]: server for server in listed}

    def app_clients(self) -> Any:
        idp = self._client("cognito-idp")
        listed = idp.list_user_pool_clients(**self._pool, MaxResults=60)["UserPoolClients"]
        read = idp.describe_user_pool_client
        found = [
            read(**self._pool, ClientId=client["ClientId"])["UserPoolClient"] for client in listed
        ]
        return {
            client["ClientName"]: {**client, "has a secret": "ClientSecret" in client}
            for client in found
        }

    def identity_pool(self) -> Any:
        pools, pool = (
            self._client("cognito-identity"),
            {"IdentityPoolId": self._identity_pool_id},
        )
        described = pools.describe_identity_pool(**pool)
        provider = described["CognitoIdentityProviders"][0]["ProviderName"]
        tags = pools.get_principal_tag_attribute_map(**pool, IdentityProviderName=provider)
        return {"pool": described, "roles": pools.get_identity_pool_roles(**pool), "tags": tags}

    def roles(self) -> Any:
        iam = self._client("iam")
        listed = iam.list_roles(MaxItems=500)["Roles"]
        return {role["RoleName"]: self._role(iam, role) for role in listed}

    def _role(self, iam: Any, role: dict[str, Any]) -> Any:
        name = {"RoleName": role["RoleName"]}
        inline = {
            policy: _document(iam.get_role_policy(**name, PolicyName=policy)["PolicyDocument"])
            for policy in iam.list_role_policies(**name)["PolicyNames"]
        }
        attached = iam.list_attached_role_policies(**name)["AttachedPolicies"]
        return {
            **role,
            "AssumeRolePolicyDocument": _document(role["AssumeRolePolicyDocument"]),
            "inline": inline,
            "attached": {policy["PolicyArn"]: True for policy in attached},
        }

    def functions(self) -> Any:
        functions = self._client("lambda")
        listed = functions.list_functions()["Functions"]
        return {item["FunctionName"]: self._function(functions, item) for item in listed}

    def _function(self, functions: Any, item: dict[str, Any]) -> Any:
        policy = functions.get_policy(FunctionName=item["FunctionName"])["Policy"]
        return {**item, "may invoke": {s["Sid"]: s for s in json.loads(policy)["Statement"]}}

    def api(self) -> Any:
        api = self._client("apigatewayv2")
        integrations = {
            f"integrations/{item['IntegrationId']}": item["IntegrationUri"]
            for item in api.get_integrations(**self._api)["Items"]
        }
        authorizers = {
            item["AuthorizerId"]: item for item in api.get_authorizers(**self._api)["Items"]
        }
        routes = {
            item["RouteKey"]: {
                **item,
                "Target": integrations[item["Target"]],
                "authorizer": authorizers.get(item.get("AuthorizerId", ""), {}).get("Name"),
            }
            for item in api.get_routes(**self._api)["Items"]
        }
        return {
            "api": api.get_api(**self._api),
            "stages": {s["StageName"]: s for s in api.get_stages(**self._api)["Items"]},
            "authorizers": {item["Name"]: item for item in authorizers.values()},
            "integrations": {
                item["IntegrationUri"]: item for item in api.get_integrations(**self._api)["Items"]
            },
            "routes": routes,
        }

    def tables(self) -> Any:
        tables = self._client("dynamodb")
        return {
            name: {
                **tables.describe_table(TableName=name)["Table"],
                "expiry": tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
                "backups": tables.describe_continuous_backups(TableName=name)[
                    "ContinuousBackupsDescription"
                ],
            }
            for name in tables.list_tables()["TableNames"]
        }


def _document(policy: Any) -> Any:
    """A policy document, whose statements write a list of one as a word or as a list."""
    read = json.loads(policy) if isinstance(policy, str) else policy
    for statement in read["Statement"]:
        statement.pop("Sid", None)
        for key in ("Action", "Resource"):
            if isinstance(statement.get(key), str):
                statement[key] = [statement[key]]
    return read

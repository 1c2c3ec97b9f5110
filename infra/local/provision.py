"""Make the stack of `stack.yaml` on the offline AWS, with plain boto3 calls.

A second run on the same emulator finds everything by its name, brings it up to date and makes
nothing twice; people who are already there keep their passwords and groups.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.demo_facts import DemoUser
from infra.facts import Stack
from infra.local import provision_api, provision_cognito, provision_functions, provision_people
from infra.local.provision_clients import ACCOUNT, connect
from infra.local.provision_documents import demo_documents, permissions_table
from infra.local.provision_sessions import session_table
from infra.local.provision_triggers import (
    connect_triggers,
    resource_server,
    trigger_facts,
    users_table,
)

__all__ = ["Provisioned", "provision"]


@dataclass(frozen=True, kw_only=True)
class Provisioned:
    """The ids of a provisioned stack, and what the application has to be told."""

    endpoint_url: str
    app_base_url: str
    region: str
    user_pool_id: str
    client_id: str
    client_secret: str = field(repr=False)
    identity_pool_id: str
    api_id: str
    role_arns: Mapping[str, str]
    """By the role's key in stack.yaml."""
    users: tuple[DemoUser, ...]

    @property
    def api_endpoint(self) -> str:
        """Base URL of the HTTP API; signed requests name this very path."""
        return provision_api.base_url(self.endpoint_url, self.api_id)

    def environment(self) -> dict[str, str]:
        """Return the application's settings, all but SECRET_KEY, which is the starter's."""
        return {
            "APP_BASE_URL": self.app_base_url,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "COGNITO_USER_POOL_ID": self.user_pool_id,
            "COGNITO_CLIENT_ID": self.client_id,
            "COGNITO_CLIENT_SECRET": self.client_secret,
            "COGNITO_IDENTITY_POOL_ID": self.identity_pool_id,
            "API_ENDPOINT": self.api_endpoint,
        }


def provision(endpoint_url: str, stack: Stack, app_base_url: str) -> Provisioned:
    """Make or update the stack at `endpoint_url`, for an application at `app_base_url`.

    Raises botocore's ClientError or EndpointConnectionError when the emulator does not follow.
    """
    endpoint_url, app_base_url = endpoint_url.rstrip("/"), app_base_url.rstrip("/")
    clients = connect(endpoint_url, stack.region)
    user_pool_id = provision_cognito.user_pool(clients, stack)
    app_client = provision_cognito.app_client(clients, stack, user_pool_id, app_base_url)
    client_id = app_client["ClientId"]
    identity_pool_id = provision_cognito.identity_pool(clients, stack, user_pool_id, client_id)
    api_id = provision_api.http_api(clients, stack)
    role_arns = provision_api.roles(clients, stack, identity_pool_id, api_id)
    provision_cognito.role_mapping(
        clients, stack, role_arns, f"{user_pool_id}:{client_id}", identity_pool_id
    )
    provision_people.groups(clients, stack, user_pool_id, role_arns)
    issuer = provision_cognito.issuer(stack, user_pool_id)
    facts = {
        "user_pool.issuer": issuer,
        # The issuer is Amazon's address; its key set is served here.
        "user_pool.jwks_url": f"{endpoint_url}/{user_pool_id}/.well-known/jwks.json",
        "app_client.id": client_id,
        "permissions_table.name": stack.resource("permissions"),
        "user_pool.arn": f"arn:aws:cognito-idp:{stack.region}:{ACCOUNT}:userpool/{user_pool_id}",
        **trigger_facts(stack),
    }
    permissions_table(clients.tables, stack.resource("permissions"), stack.permissions_table)
    users_table(clients.tables, stack.resource("users"), stack.users_table)
    resource_server(clients, stack, user_pool_id)
    function_arns = provision_functions.functions(clients, stack, facts)
    provision_api.routes(clients, stack, api_id, function_arns, (issuer, client_id))
    config = connect_triggers(clients, stack, facts["user_pool.arn"], function_arns)
    provision_cognito.triggers(clients, stack, user_pool_id, config)
    session_table(clients.tables, stack.resource("sessions"), stack.session_table)
    provision_people.users(clients, stack, user_pool_id)
    demo_documents(clients, stack, user_pool_id)
    return Provisioned(
        endpoint_url=endpoint_url,
        app_base_url=app_base_url,
        region=stack.region,
        user_pool_id=user_pool_id,
        client_id=client_id,
        client_secret=app_client.get("ClientSecret", ""),
        identity_pool_id=identity_pool_id,
        api_id=api_id,
        role_arns=role_arns,
        users=stack.demo.users,
    )

"""Groups with their roles, and the people of the demonstration."""

from collections.abc import Mapping

from infra.demo_facts import DemoUser
from infra.facts import Stack
from infra.local.provision_clients import Clients


def groups(clients: Clients, stack: Stack, user_pool_id: str, role_arns: Mapping[str, str]) -> None:
    """Make the groups that are missing. The pinned emulator cannot update a group."""
    listing = clients.cognito.get_paginator("list_groups").paginate(UserPoolId=user_pool_id)
    there = {group["GroupName"] for page in listing for group in page["Groups"]}
    for name, group in stack.groups.items():
        if name not in there:
            clients.cognito.create_group(
                UserPoolId=user_pool_id,
                GroupName=name,
                Description=group.description,
                Precedence=group.precedence,
                RoleArn=role_arns[group.role],
            )


def users(clients: Clients, stack: Stack, user_pool_id: str) -> None:
    """Make the demo users that are missing; whoever is there stays as he made himself."""
    for user in stack.demo.users:
        try:
            clients.cognito.admin_get_user(UserPoolId=user_pool_id, Username=user.email)
        except clients.cognito.exceptions.UserNotFoundException:
            _new_user(clients, stack, user_pool_id, user)


def _new_user(clients: Clients, stack: Stack, user_pool_id: str, user: DemoUser) -> None:
    cognito, who = clients.cognito, {"UserPoolId": user_pool_id, "Username": user.email}
    attributes = {"email": user.email, "email_verified": "true", "name": user.name}
    attributes |= {f"custom:{name}": value for name, value in user.attributes.items()}
    cognito.admin_create_user(
        **who,
        TemporaryPassword=stack.demo.temporary_password,
        UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        MessageAction="SUPPRESS",
    )
    if not user.must_change_password:
        cognito.admin_set_user_password(**who, Password=stack.demo.password, Permanent=True)
    for group in user.groups:
        cognito.admin_add_user_to_group(**who, GroupName=group)

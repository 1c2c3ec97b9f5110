"""Pre token generation (V2): groups by department, permissions and scopes, in ID and access token.

A department brings a group: to this token, with the group's role, so that the identity pool maps it
at once, and to the person for good. Environment: GROUPS, a JSON object of each group's precedence
and role ARN; DEPARTMENT_GROUPS, a JSON object of department to group; SCOPES, a JSON object of
group to a list of scopes that its people get beside those that were asked for.
"""

import functools
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .events import Event, attribute, audit

# By group: what the backend's rules let it do with every document. See api/rules.py.
PERMISSIONS = {
    "Admin": ("documents:delete", "documents:read", "documents:write"),
    "Manager": ("documents:read", "documents:write"),
    "Viewer": ("documents:read",),
}

_log = logging.getLogger("portico.triggers")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the environment says."""

    precedence: Mapping[str, int]
    roles: Mapping[str, str]
    departments: Mapping[str, str]
    scopes: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Rules":
        """Read them. Raises ValueError for what is no JSON."""
        groups = json.loads(environment.get("GROUPS") or "{}")
        return cls(
            precedence={name: int(group["precedence"]) for name, group in groups.items()},
            roles={
                name: group["role_arn"] for name, group in groups.items() if "role_arn" in group
            },
            departments=json.loads(environment.get("DEPARTMENT_GROUPS") or "{}"),
            scopes={
                name: tuple(scopes)
                for name, scopes in json.loads(environment.get("SCOPES") or "{}").items()
            },
        )


def handle(event: Event, context: object) -> Event:
    """The entry point that Cognito calls."""
    return generated(event, _rules(), _add_to_group)


def generated(event: Event, rules: Rules, join: Callable[[str, str, str], object]) -> Event:
    """The event with the overrides in it; `join` adds (pool, user, group) for good.

    A group that could not be joined for good is in this token all the same: the next sign-in tries
    again. Nothing here stops a sign-in.
    """
    configuration = event["request"].get("groupConfiguration") or {}
    groups = [name for name in configuration.get("groupsToOverride") or () if name]
    brought = rules.departments.get(attribute(event, "custom:department"))
    if brought and brought not in groups:
        groups.append(brought)
        try:
            join(event["userPoolId"], event["userName"], brought)
        except (BotoCoreError, ClientError) as error:
            _log.warning("join: %s", type(error).__name__)
        audit(event, "group_by_department", group=brought)
    permissions = sorted({one for name in groups for one in PERMISSIONS.get(name, ())})
    claims = {"claimsToAddOrOverride": {"permissions": " ".join(permissions)}}
    scopes = sorted({one for name in groups for one in rules.scopes.get(name, ())})
    details: dict[str, Any] = {
        "idTokenGeneration": claims,
        "accessTokenGeneration": {**claims, **({"scopesToAdd": scopes} if scopes else {})},
    }
    if brought:
        details["groupOverrideDetails"] = _overridden(groups, configuration, rules)
    event["response"]["claimsAndScopeOverrideDetails"] = details
    return event


def _overridden(
    groups: list[str], configuration: Mapping[str, Any], rules: Rules
) -> dict[str, Any]:
    # Whoever overrides the groups overrides roles and preferred role as well, or they are lost.
    roles = [role for role in configuration.get("iamRolesToOverride") or () if role]
    roles += [rules.roles[name] for name in groups if name in rules.roles]
    ranked = sorted((rules.precedence[name], name) for name in groups if name in rules.precedence)
    best = [name for rank, name in ranked if rank == ranked[0][0] and name in rules.roles]
    details: dict[str, Any] = {
        "groupsToOverride": groups,
        "iamRolesToOverride": list(dict.fromkeys(roles)),
    }
    if len(best) == 1:  # two of equal precedence: Cognito prefers neither, and so do we
        details["preferredRole"] = rules.roles[best[0]]
    return details


@functools.cache
def _rules() -> Rules:
    return Rules.of(os.environ)


@functools.cache
def _cognito() -> Any:
    # Cognito waits five seconds for a trigger, and the token must still be made.
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
    return boto3.client("cognito-idp", config=config)


def _add_to_group(user_pool_id: str, username: str, group: str) -> None:
    _cognito().admin_add_user_to_group(UserPoolId=user_pool_id, Username=username, GroupName=group)

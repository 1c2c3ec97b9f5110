"""People of the fake user pool."""

import uuid
from dataclasses import dataclass, field

from tests.doubles.keys import Json

ACCOUNT = "000000000000"


def role_arn(name: str) -> str:
    """The ARN of a role of the offline account."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


GUEST_ROLE = role_arn("portico-guest")
AUTHENTICATED_ROLE = role_arn("portico-authenticated")
ADMIN_ROLE = role_arn("portico-admin")
MANAGER_ROLE = role_arn("portico-manager")
VIEWER_ROLE = role_arn("portico-viewer")
TEAM_A_ROLE = role_arn("portico-team-a")
TEAM_B_ROLE = role_arn("portico-team-b")


@dataclass
class User:
    """A person; change a field between requests, as an administrator would in mid-session."""

    username: str
    email: str
    sub: str = field(default_factory=lambda: str(uuid.uuid4()))
    groups: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    preferred_role: str | None = None
    email_verified: bool = True
    enabled: bool = True
    claims: Json = field(default_factory=dict)
    """Further claims of the ID token, and of userInfo."""
    access_claims: Json = field(default_factory=dict)
    """Further claims of the access token."""


def person(email: str, *groups: tuple[str, str], **fields: object) -> User:
    """A user with (group, role) pairs; one pair alone gives the preferred role."""
    user = User(
        username=str(uuid.uuid4()),
        email=email,
        groups=[group for group, _ in groups],
        roles=[role for _, role in groups],
        preferred_role=groups[0][1] if len(groups) == 1 else None,
    )
    # Cognito gives a user who signs in by mail one identifier for both.
    user.sub = user.username
    for name, value in fields.items():
        setattr(user, name, value)
    return user


def demo_users() -> dict[str, User]:
    """Anew, the people of the demonstration; `both` is in two groups of equal precedence."""
    return {
        "admin": person("admin@example.com", ("Admin", ADMIN_ROLE)),
        "manager": person("manager@example.com", ("Manager", MANAGER_ROLE)),
        "viewer": person("viewer@example.com", ("Viewer", VIEWER_ROLE)),
        "nobody": person("nobody@example.com"),
        "both": person("both@example.com", ("TeamA", TEAM_A_ROLE), ("TeamB", TEAM_B_ROLE)),
    }

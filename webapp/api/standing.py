"""What a signed-in person stands on: groups, the role that signs, and what ties them to documents.

From this alone the catalogue says what a call should get.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.api.identities import Caller, role_name

DEFAULT_ROLE, GUEST_ROLE = "authenticated", "guest"
ROLES = (
    *("admin", "manager", "developer", "viewer", "team-a", "team-b"),
    *(DEFAULT_ROLE, GUEST_ROLE),
)
"""The roles of the stack by their keys; on AWS a role is called NAME-KEY."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`role_arn` is the role behind the person's own keys; None stands for the pool's default.

    `demo` says that the documents of the demonstration are there.
    """

    role_arn: str | None = None
    email: str | None = None
    groups: tuple[str, ...] = ()
    department: str | None = None
    projects: tuple[str, ...] = ()
    demo: bool = False


NOT_THERE = Standing()


def standing(
    role_arn: str | None, groups: tuple[str, ...], claims: Mapping[str, Any], *, demo: bool
) -> Standing:
    """From the claims of a verified ID token, read as the backend reads them."""
    projects = claims.get("custom:project_ids")
    parts = projects.split(",") if isinstance(projects, str) else []
    return Standing(
        role_arn=role_arn,
        email=_text(claims.get("email")),
        groups=groups,
        department=_text(claims.get("custom:department")),
        projects=tuple(part.strip() for part in parts if part.strip()),
        demo=demo,
    )


def role_key(arn: str | None) -> str | None:
    """The stack's key of a role by the role's name; None for one that the stack does not know."""
    name = role_name(arn) or DEFAULT_ROLE
    fitting = (key for key in ROLES if name == key or name.endswith(f"-{key}"))
    return next(fitting, None)


def role_behind(caller: Caller, person: Standing) -> str | None:
    """The key of the role that signs for this caller; None where nobody knows it."""
    if caller.kind == "guest":
        return GUEST_ROLE
    return role_key(caller.role_arn if caller.kind == "role" else person.role_arn)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None

"""A person as the user pool keeps them, and how that is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

STATUSES = (
    "UNCONFIRMED", "CONFIRMED", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED", "EXTERNAL_PROVIDER",
    "ARCHIVED", "COMPROMISED", "UNKNOWN",
)  # fmt: skip
"""AWS: UserType.UserStatus."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person. Times are in epoch seconds; `groups` and `mfa` are None where nobody asked."""

    username: str
    status: str
    enabled: bool
    created: int | None
    changed: int | None
    attributes: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] | None = None
    mfa: tuple[str, ...] | None = None

    @property
    def subject(self) -> str:
        """The `sub` of this person's tokens."""
        return self.attributes.get("sub", "")

    @property
    def label(self) -> str:
        """What to call them: the address, or else the username."""
        return self.attributes.get("email") or self.username

    def plainly(self) -> dict[str, object]:
        """The account for JSON."""
        told: dict[str, object] = {
            "username": self.username,
            "sub": self.subject,
            "email": self.attributes.get("email"),
            "status": self.status,
            "enabled": self.enabled,
            "created": self.created,
            "changed": self.changed,
            "attributes": dict(self.attributes),
        }
        if self.groups is not None:
            told["groups"] = list(self.groups)
        if self.mfa is not None:
            told["mfa"] = list(self.mfa)
        return told


def account_of(described: Mapping[str, Any], **more: Any) -> Account:
    """From AWS's UserType, or from the answer of AdminGetUser, which names attributes otherwise."""
    listed = described.get("Attributes") or described.get("UserAttributes") or []
    return Account(
        username=str(described["Username"]),
        status=str(described.get("UserStatus", "UNKNOWN")),
        enabled=bool(described.get("Enabled", True)),
        created=_epoch(described.get("UserCreateDate")),
        changed=_epoch(described.get("UserLastModifiedDate")),
        attributes={str(one["Name"]): str(one.get("Value", "")) for one in listed},
        **more,
    )


def _epoch(value: object) -> int | None:
    return int(value.timestamp()) if isinstance(value, datetime) else None

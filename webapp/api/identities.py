"""As whom an endpoint is called: nobody, a guest, the signed-in user, a role, two bearer tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from webapp.errors import BadInput, Forbidden, SessionEnded
from webapp.words import Saying, say

Identity = Literal["nobody", "guest", "user", "bearer-access", "bearer-id"]
Kind = Literal["nobody", "guest", "user", "role", "bearer-access", "bearer-id"]

ROLE = "role:"
LABELS: dict[Identity, Saying] = {
    "nobody": say("nobody"),
    "guest": say("guest"),
    "user": say("signed-in user"),
    "bearer-access": say("bearer access token"),
    "bearer-id": say("bearer ID token"),
}
# Other spellings that a script may use for the same five.
_SPELLINGS: dict[str, Identity] = {
    "access": "bearer-access",
    "access-token": "bearer-access",
    "bearer-access-token": "bearer-access",
    "bearer": "bearer-access",
    "id": "bearer-id",
    "id-token": "bearer-id",
    "bearer-id-token": "bearer-id",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. A `role` is one of those in the ID token, taken for this call alone.

    `user` carries the role that the identity pool gives, or that the person has chosen.
    """

    kind: Kind
    role_arn: str | None = None

    def __str__(self) -> str:
        """The spelling in forms, on the command line and in JSON."""
        return f"{ROLE}{role_name(self.role_arn)}" if self.kind == "role" else self.kind

    @property
    def label(self) -> Saying:
        """As pages call it."""
        return label_of(str(self))

    @property
    def signs(self) -> bool:
        """Whether its requests carry an AWS signature."""
        return self.kind in ("guest", "user", "role")

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to be signed in."""
        return self.kind not in ("nobody", "guest")


NOBODY, GUEST, USER = Caller("nobody"), Caller("guest"), Caller("user")
BEARER_ACCESS, BEARER_ID = Caller("bearer-access"), Caller("bearer-id")


def role_name(arn: str | None) -> str | None:
    """The name at the end of a role's ARN."""
    return arn.rpartition("/")[2] if arn else None


def label_of(name: str) -> Saying:
    """What a caller of this name is called on pages."""
    for identity, label in LABELS.items():
        if identity == name:
            return label
    return say("role %(name)s", name=name.removeprefix(ROLE))


def identity_named(name: str) -> Identity:
    """The identity of this name, roles left out. Raises BadInput."""
    wanted = name.replace("_", "-")
    for identity in LABELS:
        if wanted == identity:
            return identity
    if wanted in _SPELLINGS:
        return _SPELLINGS[wanted]
    raise BadInput(
        say(
            "There is no identity of that name; it is one of %(names)s, or role:NAME.",
            names=", ".join(LABELS),
        )
    )


def caller_named(name: str, roles: Sequence[str] | None) -> Caller:
    """The caller of this name; `roles` are the ARNs in the ID token, None with nobody signed in.

    Raises BadInput for a name that is none, SessionEnded for a role while nobody is signed in, and
    Forbidden for a role that is not in the token.
    """
    if not name.startswith(ROLE):
        return Caller(identity_named(name))
    if roles is None:
        raise SessionEnded("Sign in to call as yourself.", code="signed_out")
    wanted = name.removeprefix(ROLE)
    for arn in roles:
        if wanted == role_name(arn):
            return Caller("role", arn)
    raise Forbidden("This role is not in your ID token.", code="role_not_in_token")


def callers_of(roles: Sequence[str] | None) -> tuple[Caller, ...]:
    """Everybody who may call: with nobody signed in (None) two of them, else each role as well."""
    if roles is None:
        return (NOBODY, GUEST)
    chosen = (Caller("role", arn) for arn in dict.fromkeys(roles))
    return (NOBODY, GUEST, USER, *chosen, BEARER_ACCESS, BEARER_ID)

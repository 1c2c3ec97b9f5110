"""As whom `call` calls: the callers of the console, and the operator with their own AWS keys."""

from dataclasses import dataclass

import click
from click.shell_completion import CompletionItem

from webapp.api.identities import LABELS, ROLE, Caller, caller_named, identity_named
from webapp.cli.aws_words import spoken
from webapp.cli.completion import fitting, known_to
from webapp.cli.house import House
from webapp.errors import BadInput, OperatorFault
from webapp.records import AwsKeys
from webapp.services.operator import operator_session

AWS = "aws"
"""Signs with the operator's own AWS credentials: nobody of the user pool, and no ID token."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who shall call, as it was spelled, before anybody is signed in."""

    name: str

    @classmethod
    def read(cls, name: str | None, *, somebody: bool) -> "Wish":
        """From `--as`; without it the person who signs in, or nobody. Raises BadInput."""
        wish = cls(name or ("user" if somebody else "nobody"))
        if wish.name != AWS and not wish.name.startswith(ROLE):
            wish = cls(identity_named(wish.name))
        if wish.wants_person and not somebody:
            raise BadInput(f"To call as {wish.name} somebody signs in: --user USER, or --code.")
        if somebody and not wish.wants_person:
            raise BadInput(f"To call as {wish.name} nobody signs in; leave --user and --code out.")
        return wish

    @property
    def wants_person(self) -> bool:
        """Whether somebody has to be signed in."""
        return self.name not in ("nobody", "guest", AWS)

    def caller(self, roles: tuple[str, ...] | None) -> Caller:
        """The caller, once the roles in the ID token are known. Raises Forbidden."""
        return caller_named(self.name, roles)


def operator_keys(house: House, profile: str | None) -> AwsKeys:
    """The operator's own AWS credentials, to sign with. Raises OperatorFault."""
    with spoken():
        found = operator_session(house.settings, profile).get_credentials()
        frozen = found.get_frozen_credentials() if found else None
    if frozen is None:
        raise OperatorFault(
            "No AWS credentials were found; set AWS_PROFILE, say --profile, or sign in with"
            " `aws sso login`.",
            code="aws_credentials",
        )
    return AwsKeys(
        identity_id="",
        access_key_id=str(frozen.access_key),
        secret_access_key=str(frozen.secret_key),
        session_token=str(frozen.token or ""),
        fetched_at=0,
        expires_at=0,
    )


def complete_callers(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """The callers; roles are those of the user pool's groups."""
    names = [*LABELS, AWS]
    if incomplete.startswith(ROLE[: len(incomplete)] or ROLE):
        names += [f"{ROLE}{name}" for name in known_to(ctx, lambda one: one.role_names())]
    return fitting(names, incomplete)

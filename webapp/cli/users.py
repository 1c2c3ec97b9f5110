"""`users`: the people of the user pool, for an operator with AWS credentials that may do so."""

from pathlib import Path

import click

from webapp.cli.accounts import Account
from webapp.cli.completion import complete_groups
from webapp.cli.directory import directory_of
from webapp.cli.filters import Filter
from webapp.cli.house import House
from webapp.cli.outcome import AnsweredNo, Outcome, ToldCommand, ToldGroup
from webapp.cli.output import as_json, moment, note, tell
from webapp.cli.passwords import password_from, password_given, password_options
from webapp.cli.table import BAD, DOUBTFUL, GOOD, Cell, pairs, table
from webapp.cli.user_changes import (
    add_to_group,
    delete_user,
    disable_user,
    enable_user,
    remove_from_group,
    reset_mfa,
)
from webapp.cli.users_import import import_users
from webapp.errors import BadInput

FEW = 60


@click.command("create", cls=ToldCommand, short_help="Make a person.")
@click.argument("name", metavar="EMAIL")
@click.option(
    "--group", "groups", multiple=True, shell_complete=complete_groups, help="Repeatable."
)
@click.option("--attribute", "pairs_", multiple=True, metavar="NAME=VALUE", help="Repeatable.")
@click.option("--permanent", is_flag=True, help="The password stays; else it is replaced once.")
@click.option("--invite", is_flag=True, help="Let Cognito mail an invitation.")
@click.option("--unverified", is_flag=True, help="The address is not yet proven.")
@password_options
@as_json
@click.pass_obj
def create_user(
    house: House,
    name: str,
    groups: tuple[str, ...],
    pairs_: tuple[str, ...],
    permanent: bool,
    invite: bool,
    unverified: bool,
    password_stdin: bool,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Make a person who signs in with EMAIL.

    With --invite and no password Cognito makes a temporary one and mails it. Otherwise the password
    is asked for and nothing is mailed. It is temporary unless --permanent is said.
    """
    if invite and permanent:
        raise BadInput("--invite mails a temporary password, so it does not go with --permanent.")
    attributes = attributes_of(pairs_)
    if "@" in name:
        attributes = {"email": name, "email_verified": str(not unverified).lower(), **attributes}
    directory = directory_of(house)
    directory.require_groups(groups)
    password = (
        password_given(password_stdin, password_file)
        if invite
        else password_from(password_stdin, password_file, twice=True)
    )
    temporary = None if permanent else password
    # For a permanent one Cognito first makes a temporary password that nobody ever sees.
    made = directory.create(name, attributes, temporary=temporary, invite=invite)
    if permanent and password:
        directory.set_password(made.username, password, permanent=True)
    for group in groups:
        directory.join(made.username, group)
    account = directory.find(made.username)
    tell(
        as_json, {"created": account.plainly()}, lambda: f"Made {account.label}.\n{_about(account)}"
    )


@click.command("set-password", cls=ToldCommand, short_help="Give a person another password.")
@click.argument("name", metavar="USER")
@click.option(
    "--permanent/--temporary", default=True, show_default=True, help="A temporary one is replaced."
)
@password_options
@as_json
@click.pass_obj
def set_password(
    house: House,
    name: str,
    permanent: bool,
    password_stdin: bool,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Give USER another password; it is asked for, and nothing is mailed.

    Who is signed in stays so. To end that as well: `sessions end`, or `users disable` for a while.
    """
    directory = directory_of(house)
    account = directory.find(name)
    password = password_from(password_stdin, password_file, twice=True, about="New password")
    directory.set_password(account.username, password, permanent=permanent)
    kind = "permanent" if permanent else "temporary"
    tell(
        as_json,
        {"changed": account.username, "password": kind},
        f"{account.label} has a new, {kind} password.",
    )


@click.command("list", cls=ToldCommand, short_help="List people.")
@click.option("--filter", "condition", metavar="NAME=VALUE", help="Or NAME^=BEGINNING.")
@click.option("--group", shell_complete=complete_groups, help="Only members of this group.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=FEW, show_default=True)
@click.option("--page", metavar="MARK", help="Go on from the mark that the page before told.")
@as_json
@click.pass_obj
def list_users(
    house: House,
    condition: str | None,
    group: str | None,
    limit: int,
    page: str | None,
    as_json: bool,
) -> None:
    """List people, a page at a time.

    A filter knows email, username, sub, name, given_name, family_name, preferred_username,
    phone_number, cognito:user_status and status, as Cognito does: email^=ada, status=Disabled.
    """
    wanted = Filter.read(condition) if condition else None
    directory = directory_of(house)
    if group:
        directory.require_groups([group])
    found, after = directory.listed(wanted, group, limit, page)
    content = {"users": [one.plainly() for one in found], "next": after}
    tell(as_json, content, lambda: _table(found) if found else "There is nobody like that.")
    if after:
        note(f"There are more; go on with --page '{after}'.", quiet=as_json)
    click.get_current_context().exit(Outcome.DONE if found else Outcome.NO)


@click.command("show", cls=ToldCommand, short_help="Show one person.")
@click.argument("name", metavar="USER")
@as_json
@click.pass_obj
def show_user(house: House, name: str, as_json: bool) -> None:
    """Show everything that the user pool knows of USER: address, username or sub."""
    account = directory_of(house).find(name)
    tell(as_json, {"user": account.plainly()}, lambda: _about(account))


@click.command("groups", cls=ToldCommand, short_help="List the groups.")
@as_json
@click.pass_obj
def list_groups(house: House, as_json: bool) -> None:
    """List the groups of the user pool by name."""
    names = directory_of(house).group_names()
    if not names:
        raise AnsweredNo("The user pool has no group.", code="group_unknown")
    tell(as_json, {"groups": names}, "\n".join(names))


def attributes_of(given: tuple[str, ...]) -> dict[str, str]:
    """NAME=VALUE pairs as attributes. Raises BadInput for another form."""
    found = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise BadInput("An attribute is given as NAME=VALUE, such as name=Ada.")
        found[name.strip()] = value
    return found


def _status(account: Account) -> Cell:
    if not account.enabled:
        return Cell(f"{account.status}, disabled", BAD)
    return Cell(account.status, GOOD if account.status == "CONFIRMED" else DOUBTFUL)


def _table(found: list[Account]) -> str:
    rows = [
        (one.label, one.attributes.get("name"), _status(one), _when(one.created), one.username)
        for one in found
    ]
    return table(("EMAIL", "NAME", "STATUS", "CREATED", "USERNAME"), rows)


def _about(account: Account) -> str:
    return pairs(
        [
            ("username", account.username),
            ("status", _status(account)),
            ("groups", ", ".join(account.groups or ()) or "none"),
            ("second factor", ", ".join(account.mfa or ()) or "none"),
            ("created", _when(account.created)),
            ("changed", _when(account.changed)),
            *sorted(account.attributes.items()),
        ]
    )


def _when(epoch: int | None) -> str:
    return moment(epoch) if epoch is not None else "-"


@click.group(
    "users",
    cls=ToldGroup,
    commands=[
        create_user,
        set_password,
        list_users,
        show_user,
        list_groups,
        add_to_group,
        remove_from_group,
        enable_user,
        disable_user,
        reset_mfa,
        delete_user,
        import_users,
    ],
)
def users() -> None:
    """The people of the user pool: make, change, list, import.

    Wants AWS credentials that may administer the user pool (AWS_PROFILE, `aws sso login`). People
    are named by their address, their username or their sub.
    """

"""What changes one person of the user pool: groups, enabled or not, second factor, removal."""

import click

from webapp.cli.completion import complete_groups
from webapp.cli.directory import directory_of
from webapp.cli.house import House
from webapp.cli.outcome import ToldCommand
from webapp.cli.output import as_json, ask, note, tell, without_asking


@click.command("add-to-group", cls=ToldCommand, short_help="Put a person into a group.")
@click.argument("name", metavar="USER")
@click.argument("group", shell_complete=complete_groups)
@as_json
@click.pass_obj
def add_to_group(house: House, name: str, group: str, as_json: bool) -> None:
    """Put USER into GROUP. It shows in the next tokens: at a refresh or a new sign-in."""
    directory = directory_of(house)
    account = directory.find(name)
    directory.require_groups([group])
    directory.join(account.username, group)
    after = sorted({*(account.groups or ()), group})
    told = f"{account.label} is in: {', '.join(after)}."
    tell(as_json, {"user": account.username, "groups": after}, told)


@click.command("remove-from-group", cls=ToldCommand, short_help="Take a person out of a group.")
@click.argument("name", metavar="USER")
@click.argument("group", shell_complete=complete_groups)
@as_json
@click.pass_obj
def remove_from_group(house: House, name: str, group: str, as_json: bool) -> None:
    """Take USER out of GROUP. Tokens and AWS credentials that are out keep it until they end."""
    directory = directory_of(house)
    account = directory.find(name)
    directory.require_groups([group])
    directory.leave(account.username, group)
    after = sorted({*(account.groups or ())} - {group})
    told = f"{account.label} is in: {', '.join(after) or 'no group'}."
    tell(as_json, {"user": account.username, "groups": after}, told)


@click.command("enable", cls=ToldCommand, short_help="Let a person sign in again.")
@click.argument("name", metavar="USER")
@as_json
@click.pass_obj
def enable_user(house: House, name: str, as_json: bool) -> None:
    """Let USER sign in again."""
    directory = directory_of(house)
    account = directory.find(name)
    directory.enable(account.username)
    tell(as_json, {"user": account.username, "enabled": True}, f"{account.label} may sign in.")


@click.command("disable", cls=ToldCommand, short_help="Let a person sign in no more.")
@click.argument("name", metavar="USER")
@without_asking
@as_json
@click.pass_obj
def disable_user(house: House, name: str, yes: bool, as_json: bool) -> None:
    """Let USER sign in no more, until `enable`; Cognito ends their refresh tokens."""
    directory = directory_of(house)
    account = directory.find(name)
    ask(f"Keep {account.label} from signing in?", yes)
    directory.disable(account.username)
    tell(as_json, {"user": account.username, "enabled": False}, f"{account.label} is disabled.")
    _of_sessions(account.subject, as_json)


@click.command("reset-mfa", cls=ToldCommand, short_help="Turn a person's second factor off.")
@click.argument("name", metavar="USER")
@without_asking
@as_json
@click.pass_obj
def reset_mfa(house: House, name: str, yes: bool, as_json: bool) -> None:
    """Turn off the second factor of USER, who lost it; they may set one up anew.

    Until then the password alone opens the account: be sure who is asking.
    """
    directory = directory_of(house)
    account = directory.find(name)
    ask(f"Turn off the second factor of {account.label}?", yes)
    directory.reset_mfa(account.username)
    told = f"{account.label} signs in with the password alone."
    tell(as_json, {"user": account.username, "mfa": []}, told)


@click.command("delete", cls=ToldCommand, short_help="Remove a person, for good.")
@click.argument("name", metavar="USER")
@without_asking
@as_json
@click.pass_obj
def delete_user(house: House, name: str, yes: bool, as_json: bool) -> None:
    """Remove USER from the user pool. This cannot be taken back."""
    directory = directory_of(house)
    account = directory.find(name)
    ask(f"Delete {account.label} ({account.username}) for good?", yes)
    directory.delete(account.username)
    tell(
        as_json, {"deleted": account.username, "sub": account.subject}, f"{account.label} is gone."
    )
    _of_sessions(account.subject, as_json)


def _of_sessions(subject: str, as_json: bool) -> None:
    note(
        "Who is signed in here stays so until the tokens end; to end that now:"
        f" sessions end {subject}",
        quiet=as_json,
    )

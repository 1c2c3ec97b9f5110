"""`sessions`: what an operator sees of people's sessions, and can do about them.

A person is named by the `sub` of their tokens: the store knows nobody by name.
"""

import sys
from dataclasses import asdict

import click

from webapp.cli.house import House
from webapp.cli.outcome import Outcome, ToldCommand, ToldGroup
from webapp.cli.output import as_json, ask, moment, note, tell, without_asking
from webapp.cli.table import table
from webapp.observe import event
from webapp.records import Person
from webapp.store.roster import Entry

PURGE_ROWS = 1000


@click.command("list", cls=ToldCommand, short_help="List the sessions of one person.")
@click.argument("subject")
@as_json
@click.pass_obj
def list_sessions(house: House, subject: str, as_json: bool) -> None:
    """List the sessions of one person, named by the `sub` of their tokens."""
    entries = house.rooms.roster.of(_person(house, subject))
    content = {"sessions": [_plain(entry) for entry in entries]}
    tell(as_json, content, lambda: _table(entries) if entries else "This person has no session.")
    click.get_current_context().exit(Outcome.DONE if entries else Outcome.NO)


@click.command("end", cls=ToldCommand, short_help="End the sessions of one person, or of everyone.")
@click.argument("subject", required=False)
@click.option("--name", help="Only the session of this name, as `list` shows it.")
@click.option("--everyone", is_flag=True, help="Every session of every person.")
@without_asking
@as_json
@click.pass_obj
def end_sessions(
    house: House, subject: str | None, name: str | None, everyone: bool, yes: bool, as_json: bool
) -> None:
    """End the sessions of one person, or of everyone; all hosts obey within a second.

    What the sessions carried is forgotten here. Cognito is not told: to end its own sign-in and
    refresh tokens as well, use `aws cognito-idp admin-user-global-sign-out`.
    """
    if everyone == bool(subject):
        raise click.UsageError("Name one person by their sub, or say --everyone.")
    if everyone and name:
        raise click.UsageError("--name goes with one person.")
    whose = "every person" if everyone else subject
    ask(f"End {'the session ' + name if name else 'all sessions'} of {whose}?", yes)
    vault, roster = house.rooms.vault, house.rooms.roster
    if everyone:
        vault.recall.everybody()
        _audit(subject="everyone")
        tell(as_json, {"ended": "all"}, "Every session there was has ended.")
        return
    person = _person(house, str(subject))
    ended = int(roster.end(person, name)) if name else vault.end_all_of(person)
    _audit(subject=subject, ended=ended)
    tell(as_json, {"ended": ended}, f"Ended: {ended}.")
    click.get_current_context().exit(Outcome.DONE if ended else Outcome.NO)


@click.command("purge", cls=ToldCommand, short_help="Remove what has ended from a SQLite store.")
@as_json
@click.pass_obj
def purge_store(house: House, as_json: bool) -> None:
    """Remove what has ended from a SQLite store; Redis and DynamoDB do it by themselves."""
    gone = 0
    while taken := house.rooms.store.purge(now=house.now(), limit=PURGE_ROWS):
        gone += taken
        note(f"Removed so far: {gone}.", quiet=as_json or not sys.stderr.isatty())
    tell(as_json, {"removed": gone}, f"Removed: {gone}.")


@click.group("sessions", cls=ToldGroup, commands=[list_sessions, end_sessions, purge_store])
def sessions() -> None:
    """People's sessions: list, end, purge."""


def _person(house: House, subject: str) -> Person:
    # As far as the store knows people.
    return Person(house.settings.issuer, subject, username="", email=None, name=None)


def _audit(**facts: object) -> None:
    # For a log that is collected; a person at a terminal knows what they did.
    if not sys.stderr.isatty():
        event("sessions_ended_by_operator", facts=facts)


def _plain(entry: Entry) -> dict[str, object]:
    return {name: value for name, value in asdict(entry).items() if name != "is_this"}


def _table(entries: list[Entry]) -> str:
    rows = [(one.name, moment(one.created_at), moment(one.seen_at), one.client) for one in entries]
    return table(("NAME", "SIGNED IN", "LAST SEEN", "BROWSER"), rows)

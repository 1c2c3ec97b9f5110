"""`sessions list|end|purge`: what an operator sees of people's sessions, and can do about them.

A person is named by the `sub` of their tokens: the store knows nobody by name. Exit statuses: 0
done, 1 nothing to do, 2 not a command, 3 the session store is out of reach.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec

import click

from webapp.errors import PorticoError
from webapp.observe import event
from webapp.records import Person
from webapp.store.base import Store
from webapp.store.roster import Entry, Roster
from webapp.store.vault import Vault

NOTHING, OUT_OF_REACH = 1, 3
PURGE_ROWS = 1000
P = ParamSpec("P")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
without_asking = click.option("--yes", is_flag=True, help="Do not ask.")


@dataclass(frozen=True)
class Desk:
    """What the commands work on; `issuer` is the user pool whose people are meant."""

    roster: Roster
    vault: Vault
    store: Store
    issuer: str
    now: Callable[[], float]

    def person(self, subject: str) -> Person:
        """The person of this `sub`, as far as the store knows people."""
        return Person(self.issuer, subject, username="", email=None, name=None)


def make_group(desk: Desk) -> click.Group:
    """The commands over one store."""

    @click.group("sessions", commands=[list_sessions, end_sessions, purge_store])
    @click.pass_context
    def sessions(context: click.Context) -> None:
        """People's sessions: list, end, purge."""
        context.obj = desk

    return sessions


def _told(command: Callable[P, None]) -> Callable[P, None]:
    """Errors of ours as one sentence and an exit status."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except PorticoError as error:
            click.echo(error.sentence, err=True)
            sys.exit(OUT_OF_REACH)

    return told


@click.command("list", short_help="List the sessions of one person.")
@click.argument("subject")
@as_json
@click.pass_obj
@_told
def list_sessions(desk: Desk, subject: str, as_json: bool) -> None:
    """List the sessions of one person, named by the `sub` of their tokens."""
    entries = desk.roster.of(desk.person(subject))
    if as_json:
        click.echo(json.dumps({"sessions": [_plain(entry) for entry in entries]}))
    else:
        click.echo(_table(entries) if entries else "This person has no session.")
    sys.exit(0 if entries else NOTHING)


@click.command("end", short_help="End the sessions of one person, or of everyone.")
@click.argument("subject", required=False)
@click.option("--name", help="Only the session of this name, as `list` shows it.")
@click.option("--everyone", is_flag=True, help="Every session of every person.")
@without_asking
@as_json
@click.pass_obj
@_told
def end_sessions(
    desk: Desk, subject: str | None, name: str | None, everyone: bool, yes: bool, as_json: bool
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
    _ask(f"End {'the session ' + name if name else 'all sessions'} of {whose}?", yes)
    if everyone:
        desk.vault.recall.everybody()
        _audit(subject="everyone")
        _say(as_json, "Every session there was has ended.", {"ended": "all"})
        return
    person = desk.person(str(subject))
    ended = int(desk.roster.end(person, name)) if name else desk.vault.end_all_of(person)
    _audit(subject=subject, ended=ended)
    _say(as_json, f"Ended: {ended}.", {"ended": ended})
    sys.exit(0 if ended else NOTHING)


@click.command("purge", short_help="Remove what has ended from a SQLite store.")
@as_json
@click.pass_obj
@_told
def purge_store(desk: Desk, as_json: bool) -> None:
    """Remove what has ended from a SQLite store; Redis and DynamoDB do it by themselves."""
    gone = 0
    while taken := desk.store.purge(now=desk.now(), limit=PURGE_ROWS):
        gone += taken
    _say(as_json, f"Removed: {gone}.", {"removed": gone})


def _ask(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody is here to answer; say --yes.")
    click.confirm(question, abort=True)


def _say(as_json: bool, sentence: str, content: dict[str, object]) -> None:
    click.echo(json.dumps(content) if as_json else sentence)


def _audit(**facts: object) -> None:
    # For a log that is collected; a person at a terminal knows what they did.
    if not sys.stderr.isatty():
        event("sessions_ended_by_operator", facts=facts)


def _plain(entry: Entry) -> dict[str, object]:
    return {name: value for name, value in asdict(entry).items() if name != "is_this"}


def _table(entries: list[Entry]) -> str:
    rows = [("NAME", "SIGNED IN", "LAST SEEN", "BROWSER")] + [
        (one.name, _moment(one.created_at), _moment(one.seen_at), one.client or "-")
        for one in entries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _moment(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%SZ")

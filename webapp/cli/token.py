"""`token`: sign somebody in and show what the tokens say; a token itself only when asked for."""

import hashlib
import sys
from typing import Unpack

import click

from webapp.cli.house import House
from webapp.cli.outcome import AnsweredNo, ToldCommand
from webapp.cli.output import as_json, moment, note, span, tell
from webapp.cli.plain import plain
from webapp.cli.sign_in import SignedIn, Way, lifetimes, sign_in_options, signed_in
from webapp.cli.table import table
from webapp.cli.workshop import workshop

KINDS = ("id", "access", "refresh")
LAST_TIME = 1e11
"""The year 5138; beyond it a number is no time that can be told."""
_TIMES = ("exp", "iat", "auth_time", "nbf")


@click.command("token", cls=ToldCommand, short_help="Sign in and show what the tokens say.")
@sign_in_options
@click.option("--raw", type=click.Choice(KINDS), help="Print this token alone, for a pipe.")
@click.option("--keep", is_flag=True, help="Do not revoke the refresh token afterwards.")
@as_json
@click.pass_obj
def token(house: House, raw: str | None, keep: bool, as_json: bool, **way: Unpack[Way]) -> None:
    """Sign in as --user by password or SRP, or in the browser with --code, and show the tokens.

    Both tokens are verified. Shown are claims and lifetimes; a token opens the account, so it is
    printed only with --raw, alone and to standard output. Without --raw or --keep the refresh token
    is revoked at the end, and with it what came of it.

    --code needs http://127.0.0.1:8400/callback among the callbacks of the app client.
    """
    with (
        workshop(house) as rooms,
        signed_in(house, rooms, keep=keep or bool(raw), **way) as found,
    ):
        if raw:
            value = getattr(found.tokens, f"{raw}_token")
            if not value:
                raise AnsweredNo(f"There came no {raw} token.", code="no_token")
            note("Whoever has this token is this person.", quiet=not sys.stdout.isatty())
            click.echo(plain(value))
            return
        tell(as_json, _content(found, kept=keep), lambda: _text(found, house.now()))
        if not keep:
            note("The refresh token is revoked now; --keep leaves it.", quiet=as_json)


def _content(found: SignedIn, *, kept: bool) -> dict[str, object]:
    ends = lifetimes(found)
    return {
        "verified": True,
        "sub": found.person.subject,
        "username": found.person.username,
        "email": found.person.email,
        "groups": list(found.person.groups),
        "roles": list(found.person.roles),
        "id": {"expires_at": ends["id"], "claims": found.id_claims},
        "access": {"expires_at": ends["access"], "claims": found.access_claims},
        "refresh": {"granted": bool(found.tokens.refresh_token), "revoked": not kept},
    }


def _text(found: SignedIn, now: float) -> str:
    ends = lifetimes(found)
    rows: list[tuple[str, str, str, str]] = []
    for kind in KINDS:
        value = getattr(found.tokens, f"{kind}_token")
        end = ends.get(kind)
        rows.append(
            (
                kind,
                masked(value) if value else "none came",
                moment(end) if end else "-",
                span(end - now) if end else "-",
            )
        )
    heads = ("TOKEN", "MASKED", "ENDS", "IN")
    claims = table(("CLAIM", "ID TOKEN", "ACCESS TOKEN"), _claims(found))
    return f"{table(heads, rows)}\n\n{claims}"


def _claims(found: SignedIn) -> list[tuple[str, str, str]]:
    names = dict.fromkeys([*found.id_claims, *found.access_claims])
    return [
        (name, _value(name, found.id_claims.get(name)), _value(name, found.access_claims.get(name)))
        for name in names
    ]


def _value(name: str, value: object) -> str:
    if value is None:
        return "-"
    if name in _TIMES and isinstance(value, int | float) and 0 <= value < LAST_TIME:
        return f"{value} ({moment(value)})"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def masked(secret: str) -> str:
    """A token so that two can be told apart and none can be used."""
    return f"{len(secret)} characters, sha256 {hashlib.sha256(secret.encode()).hexdigest()[:12]}"

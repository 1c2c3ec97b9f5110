"""How a command signs somebody in: options, three ways, and the check of what comes back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

import click

from webapp.cli.by_code import PORT, by_code
from webapp.cli.by_password import by_password
from webapp.cli.by_srp import by_srp
from webapp.cli.house import House
from webapp.cli.output import note
from webapp.cli.passwords import password_from, password_options
from webapp.errors import BadInput, OperatorFault, ProviderUnavailable
from webapp.managed_login.tokens import TokenRefused, TokenVerifier, person_of
from webapp.records import Claims, Person, SessionRecord, TokenSet
from webapp.services import Services

F = TypeVar("F", bound=Callable[..., Any])


class Way(TypedDict):
    """The options of `sign_in_options`, as click hands them on."""

    user: str | None
    srp: bool
    code: bool
    port: int
    browser: bool
    password_stdin: bool
    password_file: Path | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody whose tokens were verified; claims as both tokens hold them."""

    person: Person
    tokens: TokenSet
    id_claims: Claims = field(repr=False)
    access_claims: Claims = field(repr=False)

    def record(self, now: float) -> SessionRecord:
        """The session that they would have."""
        at = int(now)
        return SessionRecord(created_at=at, seen_at=at, person=self.person, tokens=self.tokens)


def sign_in_options(command: F) -> F:
    """The options of a command that can sign somebody in."""
    for option in (
        click.option(
            "--browser/--no-browser", default=True, help="Open a browser for --code, if there is."
        ),
        click.option(
            "--port", type=click.IntRange(1024, 65535), default=PORT, show_default=True,
            help="Of the callback for --code, http://127.0.0.1:PORT/callback.",
        ),
        click.option("--code", is_flag=True, help="Sign in through Managed Login, in a browser."),
        click.option("--srp", is_flag=True, help="Prove the password by SRP and never send it."),
        click.option("--user", metavar="USER", help="Sign in as USER: an address or a username."),
    ):  # fmt: skip
        command = option(command)
    return password_options(command)


def wants_somebody(way: Way) -> bool:
    """Whether the options name a way to sign in."""
    return bool(way["user"] or way["code"])


def sign_in(house: House, rooms: Services, **way: Unpack[Way]) -> SignedIn:
    """Sign in by the options, and verify both tokens.

    Raises BadInput, OperatorFault, AnsweredNo, ProviderUnavailable.
    """
    settings = house.settings
    if way["code"] and (way["srp"] or way["password_stdin"] or way["password_file"]):
        raise BadInput("--code signs in in the browser; it goes with no password and no --srp.")
    if way["code"]:
        answer, nonce = by_code(
            settings,
            rooms.metadata,
            hint=way["user"],
            port=way["port"],
            browser=way["browser"],
        )
        return _verified(
            house, rooms, answer.id_token, answer.access_token, answer.refresh_token, nonce
        )
    if not (user := way["user"]):
        raise BadInput("Say who signs in: --user USER, or --code.")
    about = f"Password of {user}"
    password = password_from(way["password_stdin"], way["password_file"], about=about)
    given = (by_srp if way["srp"] else by_password)(settings, user, password)
    return _verified(
        house, rooms, given.get("IdToken"), given.get("AccessToken"), given.get("RefreshToken")
    )


@contextmanager
def signed_in(
    house: House, rooms: Services, *, keep: bool = False, **way: Unpack[Way]
) -> Iterator[SignedIn]:
    """Sign in as above for as long as this lasts; then what was granted is revoked, unless kept."""
    found = sign_in(house, rooms, **way)
    try:
        yield found
    finally:
        if not keep and found.tokens.refresh_token:
            _revoke(rooms, found.tokens.refresh_token)


def _revoke(rooms: Services, refresh_token: str) -> None:
    try:
        rooms.managed_login.revoke(refresh_token)
    except (ProviderUnavailable, OperatorFault):
        note("The refresh token could not be revoked; it lives on until it ends by itself.")


def _verified(
    house: House,
    rooms: Services,
    id_token: object,
    access_token: object,
    refresh_token: object,
    nonce: str | None = None,
) -> SignedIn:
    settings = house.settings
    verifier = TokenVerifier(
        rooms.signing_keys, settings.issuer, settings.cognito_client_id, house.now
    )
    try:
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise TokenRefused("a token is missing")
        claims = verifier.id_token(id_token, access_token=access_token, nonce=nonce)
        access = verifier.access_token(access_token, subject=claims["sub"])
    except TokenRefused as refusal:
        raise OperatorFault(
            f"The tokens do not pass the check of `{refusal.check}`; hold the settings against the"
            " user pool with `doctor`.",
            code="token_refused",
        ) from None
    tokens = TokenSet(
        id_token=id_token,
        access_token=access_token,
        refresh_token=refresh_token if isinstance(refresh_token, str) else None,
        issued_at=int(house.now()),
        expires_at=int(min(claims["exp"], access["exp"])),
    )
    return SignedIn(person_of(claims), tokens, claims, access)


def lifetimes(found: SignedIn) -> Mapping[str, int]:
    """When ID and access token end, in epoch seconds."""
    return {"id": int(found.id_claims["exp"]), "access": int(found.access_claims["exp"])}

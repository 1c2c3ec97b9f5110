"""The way out, in four depths. The local record goes first, then the provider is told."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

from webapp.errors import BadInput, ProviderUnavailable
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import AccessRefused, GrantRefused
from webapp.records import SessionRecord, SignInAttempt, TokenSet
from webapp.signin.errands import Errands
from webapp.signin.journey import Journey
from webapp.store.vault import Session, Vault

Depth = Literal["app", "cognito", "everywhere", "switch"]
DEPTHS: tuple[Depth, ...] = get_args(Depth)


@dataclass(frozen=True, slots=True)
class Farewell:
    """Where the browser goes next; None is our own home page.

    `pending` names what could not be reached and is tried again; `attempt` is the sign-in that a
    switch begins.
    """

    url: str | None
    pending: tuple[str, ...] = ()
    attempt: SignInAttempt | None = None


def depth_of(text: str | None) -> Depth:
    """The depth that a form names; `cognito` when it names none. Raises BadInput."""
    if not text:
        return "cognito"
    for depth in DEPTHS:
        if text == depth:
            return depth
    raise BadInput(f"There is no such depth of sign-out; it is one of {', '.join(DEPTHS)}.")


class SignOut:
    """Ends sessions here, at Cognito, everywhere."""

    def __init__(
        self, managed_login: ManagedLogin, vault: Vault, errands: Errands, journey: Journey
    ) -> None:
        self._managed_login = managed_login
        self._vault = vault
        self._errands = errands
        self._journey = journey

    def end(self, session: Session | None, depth: Depth) -> Farewell:
        """End the session to this depth. Works without a session, and with dead tokens.

        Raises StoreUnavailable when the record cannot be removed.
        """
        pending: list[str] = []
        record = self._vault.end(session) if session else None
        if record and depth == "everywhere":
            pending += self._everywhere(record)
        elif record and depth != "app":
            pending += self._revoke(record)
        if depth == "app":
            return Farewell(None, tuple(pending))
        try:
            return self._leave(depth, tuple(pending))
        except ProviderUnavailable:
            return Farewell(None, (*pending, "cognito"))

    def forget(self, session: Session) -> None:
        """End a session that another sign-in in the same browser replaces."""
        record = self._vault.end(session)
        if record:
            self._revoke(record)

    def _leave(self, depth: Depth, pending: tuple[str, ...]) -> Farewell:
        if depth == "switch":
            url, attempt = self._journey.start("/", {})
            return Farewell(self._managed_login.switch_url(url), pending, attempt)
        return Farewell(self._managed_login.logout_url(), pending)

    def _revoke(self, record: SessionRecord) -> list[str]:
        token = record.tokens.refresh_token if record.tokens else None
        return ["revoke"] if token and not self._errands.revoke(token) else []

    def _everywhere(self, record: SessionRecord) -> list[str]:
        if record.person is None or record.tokens is None:
            return []
        self._vault.end_all_of(record.person)
        try:
            self._tell_everywhere(record.tokens)
        except ProviderUnavailable:
            # Not revoked meanwhile: a dead refresh token would take the access token along.
            self._errands.repeat(partial(self._tell_everywhere, record.tokens))
            return ["everywhere"]
        return self._revoke(record)

    def _tell_everywhere(self, tokens: TokenSet) -> None:
        """GlobalSignOut wants a living access token; a dead one is renewed just for that."""
        try:
            self._managed_login.sign_out_everywhere(tokens.access_token)
        except AccessRefused:
            if tokens.refresh_token is None:
                return
            # Refused again, the refresh token is dead as well: nothing of ours is left to end.
            with suppress(GrantRefused, AccessRefused):
                answer = self._managed_login.refresh(tokens.refresh_token)
                self._managed_login.sign_out_everywhere(str(answer.access_token))

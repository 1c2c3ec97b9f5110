"""The way out, in four depths. The local record goes first, then the provider is told."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

from webapp.errors import BadInput, ProviderUnavailable, StoreUnavailable
from webapp.managed_login.client import CALL_SECONDS, ManagedLogin
from webapp.managed_login.facts import AccessRefused, GrantRefused
from webapp.records import SessionRecord, SignInAttempt, TokenSet
from webapp.signin.errands import Errands
from webapp.signin.journey import Journey
from webapp.store.vault import Session, Vault

Depth = Literal["app", "cognito", "everywhere", "switch"]
DEPTHS: tuple[Depth, ...] = get_args(Depth)
PATIENCE_SECONDS = 1.5
STORE_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Farewell:
    """Where the browser goes next; None is our own home page.

    `pending` names what could not be reached and is tried again, and `elsewhere` what Cognito does
    not do for us; `attempt` is the sign-in that a switch begins.
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
    """Ends sessions here, at Cognito, everywhere.

    Nobody waits for Cognito longer than `patience` seconds; what is not told by then, errands tell.
    """

    def __init__(
        self,
        managed_login: ManagedLogin,
        vault: Vault,
        errands: Errands,
        journey: Journey,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._managed_login = managed_login
        self._vault = vault
        self._errands = errands
        self._journey = journey
        self._patience = patience
        # In a line of their own, so that no outage of Cognito's holds them up.
        self._endings = Errands(managed_login.revoke, longest=STORE_PAUSE)

    def end(self, session: Session | None, depth: Depth, *, unread: str | None = None) -> Farewell:
        """End the session to this depth. Works without a session, and with dead tokens.

        Also without the store, which loses the record as soon as it answers again; `unread` is the
        ticket of a session that could not even be read.
        """
        by = time.monotonic() + self._patience
        pending: list[str] = []
        record = session.record if session else None
        try:
            if session:
                record = self._end_stored(session, depth)
        except StoreUnavailable:
            unread = session.ticket.text if session else None
        if unread:
            pending.append("store")
            self._endings.repeat(
                partial(self._end_late, session, unread, depth), self._vault.absolute
            )
        if record and depth == "everywhere":
            pending += self._everywhere(record, by)
        elif record and depth != "app":
            pending += self._revoke(record, by)
        if depth == "app":
            return Farewell(None, tuple(pending))
        try:
            self._acquaint(by)
            return self._leave(depth, tuple(pending))
        except ProviderUnavailable:
            return Farewell(None, (*pending, "cognito"))

    def _end_stored(self, session: Session, depth: Depth) -> SessionRecord | None:
        record = self._vault.end(session)
        if depth == "everywhere" and session.record.person:
            self._vault.end_all_of(session.record.person)
        return record

    def _end_late(self, session: Session | None, ticket: str, depth: Depth) -> None:
        told = session.record.tokens if session else None
        session = session or self._vault.open(ticket)
        record = self._end_stored(session, depth) if session else None
        tokens = record.tokens if record else None
        if tokens and tokens != told and tokens.refresh_token and depth != "app":
            self._errands.later(tokens.refresh_token)

    def forget(self, session: Session) -> None:
        """End a session that another sign-in in the same browser replaces."""
        by = time.monotonic() + self._patience
        record = self._vault.end(session)
        if record:
            self._revoke(record, by)

    def _leave(self, depth: Depth, pending: tuple[str, ...]) -> Farewell:
        if depth == "switch":
            url, attempt = self._journey.start("/", {})
            return Farewell(self._managed_login.switch_url(url), pending, attempt)
        return Farewell(self._managed_login.logout_url(), pending)

    def _revoke(self, record: SessionRecord, by: float) -> list[str]:
        token = record.tokens.refresh_token if record.tokens else None
        if not token:
            return []
        try:
            self._acquaint(by)
            self._managed_login.revoke(token, deadline=_left(by))
        except ProviderUnavailable:
            self._errands.later(token)
            return ["revoke"]
        return []

    def _everywhere(self, record: SessionRecord, by: float) -> list[str]:
        if record.tokens is None:
            return []
        telling = _Everywhere(self._managed_login, record.tokens)
        try:
            telling.tell(_left(by))
        except ProviderUnavailable:
            # Not revoked meanwhile: a dead refresh token would take the access token along.
            self._errands.repeat(telling)
            return ["everywhere"]
        except AccessRefused:
            # Not cut short by our patience: a renewal that nobody hears out loses what it wins.
            if not self._in_time(telling, by):
                return ["everywhere"]
            return ["elsewhere"] if telling.refused else []
        return self._revoke(record, by)

    def _acquaint(self, by: float) -> None:
        """Raise ProviderUnavailable unless Cognito's addresses are known, or soon enough."""
        if self._managed_login.origin is None:
            self._in_time(self._ask_addresses, by)
            if self._managed_login.origin is None:
                raise ProviderUnavailable("The user pool's addresses are not known yet.")

    def _ask_addresses(self) -> None:
        with suppress(ProviderUnavailable):
            self._managed_login.logout_url()

    def _in_time(self, job: Callable[[], object], by: float) -> bool:
        """Whether a job is done by then; it goes on in any case, as an errand if it must."""
        done = threading.Event()

        def run() -> None:
            try:
                job()
                done.set()
            except ProviderUnavailable:
                self._errands.repeat(job)

        running = threading.Thread(target=run, daemon=True, name="farewell")
        running.start()
        running.join(_left(by))
        return done.is_set()


class _Everywhere:
    """GlobalSignOut on its way; what a renewal wins is kept from one try to the next.

    It wants a living access token: a dead one is renewed just for that, once. `refused` says that
    the pool would not have the renewed one either, as without the scope.
    """

    def __init__(self, managed_login: ManagedLogin, tokens: TokenSet) -> None:
        self._managed_login = managed_login
        self._access = tokens.access_token
        self._refresh = tokens.refresh_token
        self._dead = self._renewed = self._over = False
        self.refused = False

    def __call__(self) -> None:
        """Tell, then revoke the newest refresh token in any case.

        Raises ProviderUnavailable while that is not done; to be called again then.
        """
        while not self._over:
            if self._dead:
                self._renew()
            else:
                with suppress(AccessRefused):
                    self.tell(CALL_SECONDS)
        if self._refresh:
            self._managed_login.revoke(self._refresh)

    def tell(self, deadline: float) -> None:
        """Tell with the access token at hand. Raises AccessRefused, ProviderUnavailable."""
        try:
            self._managed_login.sign_out_everywhere(self._access, deadline=deadline)
        except AccessRefused:
            self._dead = True
            raise
        self._over = True

    def _renew(self) -> None:
        if self._renewed or self._refresh is None:
            self.refused = self._over = True
            return
        try:
            answer = self._managed_login.refresh(self._refresh)
        except GrantRefused:
            self.refused = self._over = True
            return
        self._access, self._refresh = str(answer.access_token), answer.refresh_token
        self._renewed, self._dead = True, False


def _left(by: float) -> float:
    return max(0.0, by - time.monotonic())

"""The way out, in four depths. The local record goes first, then the provider is told."""

import hmac
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import get_args

from webapp.deadlines import FAREWELL_SECONDS
from webapp.errors import BadInput, ProviderUnavailable, StoreUnavailable
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import AccessRefused
from webapp.records import SignInAttempt
from webapp.signin.belated import Belated
from webapp.signin.errands import SLOW_SECONDS, Errands, Slip
from webapp.signin.journey import Journey
from webapp.signin.leaving import Depth, Leaving
from webapp.store.vault import Session, Vault
from webapp.words import say

DEPTHS: tuple[Depth, ...] = get_args(Depth)
LEAST_SECONDS = 0.3
"""So long Cognito is asked even where the store took all the time there is."""


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
    depths = ", ".join(DEPTHS)
    raise BadInput(
        say("There is no such depth of sign-out; it is one of %(depths)s.", depths=depths)
    )


class SignOut:
    """Ends sessions here, at Cognito, everywhere.

    Nobody waits for Cognito longer than `patience` seconds; what is not told by then, errands tell.
    """

    def __init__(
        self,
        managed_login: ManagedLogin,
        vault: Vault,
        leaving: Leaving,
        errands: Errands,
        belated: Belated,
        journey: Journey,
        *,
        patience: float = FAREWELL_SECONDS,
    ) -> None:
        self._managed_login = managed_login
        self._vault = vault
        self._leaving = leaving
        self._errands = errands
        self._belated = belated
        self._journey = journey
        self._patience = patience

    def end(self, session: Session | None, depth: Depth, *, unread: str | None = None) -> Farewell:
        """End the session to this depth. Works without a session, and with dead tokens.

        Also without the store, which loses the record as soon as it answers again; `unread` is the
        ticket of a session that could not even be read.
        """
        by = time.monotonic() + self._patience
        pending: list[str] = []
        if session:
            pending = self._end(session, depth, by)
        elif unread:
            self._belated.refuse(self._leaving.unread(depth, unread), self._vault.places_of(unread))
            pending = ["store"]
        if depth == "app":
            return Farewell(None, tuple(pending))
        try:
            self._acquaint(by)
            return self._leave(depth, tuple(pending))
        except ProviderUnavailable:
            return Farewell(None, (*pending, "cognito"))

    def forget(self, session: Session) -> None:
        """End a session that another sign-in in the same browser replaces."""
        self._end(session, "cognito", time.monotonic() + self._patience)

    def heir_of(self, ticket: str) -> Session | None:
        """The session that another tab's request gave a new ticket just now, for ending it."""
        return self._vault.heir_of(ticket)

    def former_places(self, session: Session, ticket: str | None) -> list[bytes]:
        """Where it lay before its ticket changed, for a browser that has not been told so yet.

        One that shows the new ticket has the new page's proof to give, and no other counts (CS-05).
        """
        if not ticket or hmac.compare_digest(ticket, session.ticket.text):
            return []
        return self._vault.places_of(ticket)

    def _end(self, session: Session, depth: Depth, by: float) -> list[str]:
        """What could not be reached of a session's end."""
        errand, pending = self._leaving.begun(depth, session), []
        # Before the record goes, since a crash in between must not lose the tokens with it.
        slip = self._errands.note(errand) if errand.refresh or errand.access else None
        try:
            record = self._leaving.end(errand, session)
            errand = errand.holding(record.tokens if record else None)
        except StoreUnavailable:
            record, pending = session.record, ["store"]
            self._belated.refuse(errand, self._vault.places_of(session.ticket.text))
        if slip is None:
            return pending
        if errand.refresh != slip.errand.refresh:  # a refresh came first, and brought a newer one
            self._errands.keep(slip, errand)
        slip.errand = replace(errand, ended=True)
        if record is None:  # somebody else ended it, and tells Cognito
            self._errands.done(slip)
            return pending
        untold = self._tell(slip, max(by, time.monotonic() + LEAST_SECONDS))
        if pending and not untold:
            places = self._vault.places_of(session.ticket.text)
            self._belated.refuse(errand, places, told=slip.errand.refresh)
        return pending + untold

    def _leave(self, depth: Depth, pending: tuple[str, ...]) -> Farewell:
        if depth == "switch":
            url, attempt = self._journey.start("/", {})
            return Farewell(self._managed_login.switch_url(url), pending, attempt)
        return Farewell(self._managed_login.logout_url(), pending)

    def _tell(self, slip: Slip, by: float) -> list[str]:
        if slip.errand.depth == "everywhere":
            return self._everywhere(slip, by)
        return self._revoke(slip, by)

    def _revoke(self, slip: Slip, by: float) -> list[str]:
        token = slip.errand.refresh
        try:
            if token:
                self._acquaint(by)
                self._managed_login.revoke(token, deadline=_left(by))
        except ProviderUnavailable:
            self._errands.put_off(slip)
            return ["revoke"]
        self._errands.done(slip)
        return []

    def _everywhere(self, slip: Slip, by: float) -> list[str]:
        try:
            self._managed_login.sign_out_everywhere(slip.errand.access or "", deadline=_left(by))
        except ProviderUnavailable:
            # Not revoked meanwhile: a dead refresh token would take the access token along.
            self._errands.put_off(slip)
            return ["everywhere"]
        except AccessRefused:
            # Not cut short by our patience: a renewal that nobody hears out loses what it wins.
            dead = replace(slip.errand, access=None)
            self._errands.keep(slip, dead, grace=SLOW_SECONDS)
            if not self._in_time(lambda: self._carry_out(slip), by):
                return ["everywhere"]
            return ["elsewhere"] if slip.errand.refused else []
        slip.errand = replace(slip.errand, told=True)
        return self._revoke(slip, by)

    def _carry_out(self, slip: Slip) -> bool:
        try:
            self._errands.carry_out(slip)
        except ProviderUnavailable:
            self._errands.put_off(slip)
            return False
        return True

    def _acquaint(self, by: float) -> None:
        """Raise ProviderUnavailable unless Cognito's addresses are known, or soon enough."""
        if self._managed_login.origin is None:
            self._in_time(self._ask_addresses, by)
            if self._managed_login.origin is None:
                raise ProviderUnavailable("The user pool's addresses are not known yet.")

    def _ask_addresses(self) -> bool:
        with suppress(ProviderUnavailable):
            self._managed_login.logout_url()
        return True

    @staticmethod
    def _in_time(job: Callable[[], bool], by: float) -> bool:
        """Whether a job succeeds by then; it goes on in any case."""
        done = threading.Event()

        def run() -> None:
            if job():
                done.set()

        running = threading.Thread(target=run, daemon=True, name="farewell")
        running.start()
        running.join(_left(by))
        return done.is_set()


def _left(by: float) -> float:
    return max(0.0, by - time.monotonic())

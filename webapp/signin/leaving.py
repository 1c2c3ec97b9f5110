"""One sign-out as a fact that can be written down, and the doing of what is left of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import AccessRefused, GrantRefused
from webapp.records import Person, SessionRecord, TokenSet
from webapp.store.labels import read_label
from webapp.store.vault import Session, Vault

Depth = Literal["app", "cognito", "everywhere", "switch"]
Step = Callable[["Errand"], object]
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done for somebody who leaves. Times are epoch seconds.

    `ticket` opens the session that is to end, `person` is the key under which the store lists all
    of theirs. `ended` says that nothing is left to do in the store, `told` that GlobalSignOut is
    done or pointless, `refused` that the pool would not have it.
    """

    begun: int
    depth: Depth = "cognito"
    ticket: str | None = field(default=None, repr=False)
    person: str = ""
    access: str | None = field(default=None, repr=False)
    refresh: str | None = field(default=None, repr=False)
    ended: bool = False
    told: bool = False
    renewed: bool = False
    refused: bool = False

    def holding(self, tokens: TokenSet | None) -> "Errand":
        """The same with these tokens, as far as it needs them."""
        if tokens is None or self.depth == "app":
            return self
        access = tokens.access_token if self.depth == "everywhere" else None
        return replace(self, access=access, refresh=tokens.refresh_token)


class Leaving:
    """Ends sessions here and tells the provider. `now` gives epoch seconds."""

    def __init__(
        self, managed_login: ManagedLogin, vault: Vault, *, now: Callable[[], float] = time.time
    ) -> None:
        self._managed_login = managed_login
        self._vault = vault
        self._now = now

    def begun(self, depth: Depth, session: Session) -> Errand:
        """What a sign-out of this session to this depth has to do."""
        person = self._vault.person_key(session.record.person) or b""
        errand = Errand(int(self._now()), depth, session.ticket.text, person.hex())
        return errand.holding(session.record.tokens)

    def unread(self, depth: Depth, ticket: str) -> Errand:
        """The same for a session that the store does not show; its tokens come with its record."""
        return Errand(int(self._now()), depth, ticket)

    def end(self, errand: Errand, session: Session) -> SessionRecord | None:
        """End this session, and of depth `everywhere` the person's others that were there then.

        The record as it stood at that moment; None when it was gone. Raises StoreUnavailable.
        """
        record = self._vault.end(session)
        if errand.depth == "everywhere" and session.record.person:
            self._end_others(errand, session.record.person)
        return record

    def end_late(self, errand: Errand) -> Errand:
        """The same by what is written down; with the newest tokens. Raises StoreUnavailable."""
        if errand.ended:
            return errand
        session = self._vault.open(errand.ticket) if errand.ticket else None
        if session is None and errand.ticket:
            session = self._vault.heir_of(errand.ticket)
        record = self.end(errand, session) if session else None
        if session is None and errand.depth == "everywhere" and errand.person:
            self._end_others(errand, bytes.fromhex(errand.person))
        return replace(errand.holding(record.tokens if record else None), ended=True)

    def tell(self, errand: Errand, step: Step) -> Errand:
        """Tell the provider all that is left; `step` is given each state that must not be lost.

        Raises ProviderUnavailable while that does not succeed; to be called again then, with the
        last state that `step` was given.
        """
        while errand.depth == "everywhere" and not errand.told:
            errand = self._told_everywhere(errand) if errand.access else self._renewed(errand)
            step(errand)
        # In the end, since a dead refresh token takes the access token along.
        if errand.refresh:
            self._managed_login.revoke(errand.refresh)
        return errand

    def _told_everywhere(self, errand: Errand) -> Errand:
        try:
            self._managed_login.sign_out_everywhere(errand.access or "")
        except AccessRefused:
            return replace(errand, access=None)
        return replace(errand, told=True)

    def _renewed(self, errand: Errand) -> Errand:
        """GlobalSignOut wants a living access token: a dead one is renewed just for that, once."""
        hopeless = replace(errand, told=True, refused=True)
        if errand.renewed or errand.refresh is None:
            return hopeless
        try:
            answer = self._managed_login.refresh(errand.refresh)
        except GrantRefused:
            return hopeless
        return replace(
            errand, access=str(answer.access_token), refresh=answer.refresh_token, renewed=True
        )

    def _end_others(self, errand: Errand, person: Person | bytes) -> None:
        """End all sessions of a person that were made before the sign-out was asked for."""
        for _ in range(ROUNDS):  # one that moves just now is found under its next ticket
            listed = (
                self._vault.store.listed(person, now=self._now())
                if isinstance(person, bytes)
                else self._vault.listed(person)
            )
            old = [one.key for one in listed if self._is_older(one.key, one.label, errand.begun)]
            if not old:
                return
            for place in old:
                self._vault.end_place(place)

    def _is_older(self, place: bytes, label: bytes, begun: int) -> bool:
        known = read_label(label, self._vault.keys, place)
        return known is None or known.created_at <= begun

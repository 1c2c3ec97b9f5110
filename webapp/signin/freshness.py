"""Keeps the tokens of a session alive: before they end, once, whoever asks and however many."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from webapp.deadlines import NOTICE_SECONDS
from webapp.errors import ProviderUnavailable, SessionEnded, Unavailable
from webapp.flow import Begun, Hop, noted
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import GrantRefused, TokenAnswer
from webapp.managed_login.tokens import TokenRefused, TokenVerifier, person_of
from webapp.records import Person, SessionRecord, TokenSet
from webapp.signin.aside import begun
from webapp.signin.changes import changes
from webapp.signin.errands import Errands
from webapp.signin.pace import Pace
from webapp.signin.won import Won, Word
from webapp.store.turns import Turns
from webapp.store.vault import Change, Session, Vault

EARLY_SECONDS = 60
EARLY_SHARE = 0.1
# Before that, each session at a moment of its own, so that tokens that end together do not meet.
SPREAD_SECONDS = 240
PACE_PATIENCE = 2.0
PAUSE_AFTER_FAILURE = 5.0
# What a refresh may not change (OpenID Connect Core 12.2), under the names of the checks.
IDENTITY_CHECKS = {"iss", "sub", "aud", "azp", "client_id", "token_use"}


class Freshness:
    """Refreshes tokens. `now` gives epoch seconds, `pause` waits; `pace` bounds how many a second.

    `report` is told of a refresh that failed while the tokens live, which no page shows.
    """

    def __init__(
        self,
        managed_login: ManagedLogin,
        verifier: TokenVerifier,
        vault: Vault,
        turns: Turns,
        errands: Errands,
        *,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        report: Callable[[ProviderUnavailable], object] = lambda fault: None,
        pace: Pace | None = None,
    ) -> None:
        self._managed_login = managed_login
        self._verifier = verifier
        self._vault = vault
        self._turns = turns
        self._errands = errands
        self._now = now
        self._pause = pause
        self._report = report
        self._pace = pace or Pace()
        self._rest_until = 0.0
        self._won = Won(vault, now=now, pause=pause)

    @property
    def owed(self) -> int:
        """How many renewed tokens the store has not taken yet."""
        return self._won.owed

    def keep(self, session: Session) -> Session:
        """The session with living tokens.

        The provider may be down while the tokens live. Raises ProviderUnavailable when they are
        dead and cannot be renewed now, Unavailable when too many are, SessionEnded when the
        provider ended the session.
        """
        tokens = session.record.tokens
        if tokens is None or not self._due(session, tokens):
            return session
        alive = self._alive(session.record)
        if alive and (self._now() < self._rest_until or not self._pace.open):
            return session
        if not alive:
            return self._renewed(session, tokens, patience=PACE_PATIENCE)
        try:
            # Nobody whose tokens live waits for a user pool that is slow to answer.
            return begun(partial(self._renewed_early, session, tokens)).result(NOTICE_SECONDS)
        except TimeoutError:
            return session

    def _renewed_early(self, session: Session, tokens: TokenSet) -> Session:
        try:
            return self._renewed(session, tokens, patience=0.0)
        except ProviderUnavailable as fault:
            self._rest_until = self._now() + max(PAUSE_AFTER_FAILURE, fault.retry_after)
            self._report(fault)
            return session

    def renew(self, session: Session) -> Session:
        """The session with new tokens, due or not. Raises as `keep` does, alive or not."""
        tokens = session.record.tokens
        if tokens is None:
            raise SessionEnded("Nobody is signed in; sign in first.", code="signed_out")
        return self._renewed(session, tokens, patience=PACE_PATIENCE)

    def _renewed(self, session: Session, stale: TokenSet, *, patience: float) -> Session:
        return self._turns.once(
            session,
            b"refresh/",
            settled=partial(_renewed_since, stale),
            usable=self._alive,
            work=partial(self._in_turn, patience=patience),
        )

    def _in_turn(self, session: Session, *, patience: float) -> Session:
        """Refresh when it is this process's turn; without patience it can wait for a later page."""
        wait = self._pace.wait(patience)
        if wait is None and not patience:
            return session
        if wait is None:
            raise Unavailable("Many sessions are being renewed; try again shortly.", code="busy")
        if wait:
            self._pause(wait)
        return self._refresh(session)

    def _alive(self, record: SessionRecord) -> bool:
        return record.tokens is not None and record.tokens.expires_at > self._now()

    def _due(self, session: Session, tokens: TokenSet) -> bool:
        share = (tokens.expires_at - tokens.issued_at) * EARLY_SHARE
        own = int.from_bytes(session.place[:2]) / 0x10000  # where a hash puts it: evenly spread
        early = min(EARLY_SECONDS, max(1, share)) + own * min(SPREAD_SECONDS, max(0, share))
        return tokens.expires_at - self._now() <= early

    def _refresh(self, session: Session) -> Session:
        tokens = session.record.tokens
        if tokens is None or tokens.refresh_token is None:
            self._vault.end(session)
            raise SessionEnded("There is no refresh token; sign in again.", code="no_refresh_token")
        with self._won.renewing(session) as word:
            if word.owner is None:
                other = self._won.arrived(session, partial(_renewed_since, tokens))
                if other is not None:
                    return other
            written = self._granted(word, tokens, tokens.refresh_token)
        # New rights, new ticket (OWASP: renew the session id after any privilege change).
        return self._vault.move(written) if _regrouped(session, written) else written

    def _granted(self, word: Word, tokens: TokenSet, refresh_token: str) -> Session:
        session = word.session
        begun = Begun("refresh", self._now())
        try:
            answer = self._managed_login.refresh(refresh_token)
        except GrantRefused as refusal:
            if refusal.error != "invalid_grant":
                # Our client is refused, not the person: an operator can mend it, so keep all.
                raise ProviderUnavailable(
                    "The user pool refuses this application.", code=refusal.error, alarm=True
                ) from refusal
            self._vault.end(session)
            raise SessionEnded(
                "Cognito ended this session; sign in again.", code="refresh_refused"
            ) from refusal
        hop = begun.over("kept" if answer.refresh_token == refresh_token else "rotated")
        return self._write(word, self._next(word, tokens, answer, hop), answer)

    def _next(self, word: Word, tokens: TokenSet, answer: TokenAnswer, hop: Hop) -> Change:
        session = word.session
        person = session.record.person
        subject = person.subject if person else ""
        now = int(self._now())
        try:
            if not isinstance(answer.access_token, str):
                raise TokenRefused("access token missing")
            access = self._verifier.access_token(answer.access_token, subject=subject)
            ends = access["exp"]
            id_token = tokens.id_token
            if answer.id_token is not None:
                claims = self._verifier.id_token(answer.id_token, access_token=answer.access_token)
                if claims["sub"] != subject:  # OpenID Connect Core 12.2
                    raise TokenRefused("sub")
                id_token, person = str(answer.id_token), person_of(claims)
                ends = min(ends, claims["exp"])
        except ProviderUnavailable:
            self._keep_rotated(word, tokens, answer)
            raise
        except TokenRefused as refusal:
            if refusal.check not in IDENTITY_CHECKS:
                # The pool's fault, not the person's: a clock, a key not published yet.
                self._keep_rotated(word, tokens, answer)
                raise ProviderUnavailable(
                    "The renewed tokens do not pass a check.", check=refusal.check, alarm=True
                ) from refusal
            self._vault.end(session)
            raise SessionEnded(
                "The renewed tokens are not this person's; sign in again.",
                code="refresh_changed",
                check=refusal.check,
                alarm=True,
                **refusal.facts,
            ) from refusal
        fresh = TokenSet(id_token, answer.access_token, answer.refresh_token, now, int(ends))
        changed, were = changes(tokens.id_token, id_token)
        before = session.record.person

        def change(record: SessionRecord) -> SessionRecord:
            # Old rights end with the old groups: the keys are fetched anew.
            keys = record.user_keys if _rights(before) == _rights(person) else None
            renewed = replace(
                record,
                tokens=fresh,
                person=person,
                user_keys=keys,
                refreshed_at=now,
                changed_claims=changed,
                changed_from=were,
            )
            return noted(renewed, [hop])

        return change

    def _keep_rotated(self, word: Word, tokens: TokenSet, answer: TokenAnswer) -> None:
        """A rotated refresh token must not be lost with an answer that we cannot use now."""
        kept = replace(tokens, refresh_token=answer.refresh_token)
        self._write(word, lambda record: replace(record, tokens=kept), answer)

    def _write(self, word: Word, change: Change, answer: TokenAnswer) -> Session:
        def lost() -> None:
            # Signed out while we refreshed: what we won must not outlive the session.
            if answer.refresh_token:
                self._errands.revoke(answer.refresh_token)

        return self._won.write(word, change, lost)


def _renewed_since(tokens: TokenSet, record: SessionRecord) -> bool:
    # Not the ID token: an answer may come without one and leaves the old.
    return record.tokens is not None and record.tokens.access_token != tokens.access_token


def _rights(person: Person | None) -> tuple[object, ...]:
    return (person.groups, person.roles, person.preferred_role) if person else ()


def _regrouped(before: Session, after: Session) -> bool:
    return _rights(before.record.person) != _rights(after.record.person)

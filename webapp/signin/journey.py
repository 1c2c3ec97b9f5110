"""The way in: from the decision to sign in to a session with verified tokens. No Flask here."""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from webapp.attempts import COOKIE_SECONDS, Attempts, find, is_stale, secrets_of
from webapp.errors import OperatorFault, PorticoError, SignInRefused, Unavailable
from webapp.flow import Begun, Hop, noted
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import GrantRefused, TokenAnswer
from webapp.managed_login.keys import Fetched
from webapp.managed_login.tokens import TokenRefused, TokenVerifier, person_of
from webapp.records import SessionRecord, SignInAttempt, TokenSet
from webapp.signin.doorway import sign_up_address
from webapp.signin.errands import Errands
from webapp.signin.lane import Lane
from webapp.store.vault import Session, Vault

Query = Mapping[str, Sequence[str]]

# RFC 6749 appendix A.11: a code is visible ASCII. The bound keeps a hostile one short.
_CODE = re.compile(r"[\x21-\x7e]{1,2048}")

# What the pool may say instead of a code (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6).
PROVIDER_ERRORS = {
    "access_denied": "declined",
    "login_required": "login_required",
    "interaction_required": "login_required",
    "consent_required": "login_required",
    "account_selection_required": "login_required",
    "temporarily_unavailable": "provider_busy",
    "server_error": "provider_fault",
    "invalid_request": "provider_refused",
    "invalid_scope": "provider_refused",
    "unauthorized_client": "provider_refused",
    "unsupported_response_type": "provider_refused",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A finished sign-in."""

    session: Session
    attempt: SignInAttempt


class Journey:
    """Starts and finishes sign-ins. `now` gives epoch seconds."""

    def __init__(
        self,
        attempts: Attempts,
        managed_login: ManagedLogin,
        verifier: TokenVerifier,
        vault: Vault,
        errands: Errands,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.attempts = attempts
        self._managed_login = managed_login
        self._verifier = verifier
        self._vault = vault
        self._errands = errands
        self._now = now
        self._lane = Lane()

    def start(
        self, next_path: str, options: dict[str, str], *, sign_up: bool = False
    ) -> tuple[str, SignInAttempt]:
        """The address of Managed Login and the attempt to remember.

        `options` are already checked parameters of the authorize endpoint; with `sign_up` the same
        question is asked at the form for new people. Raises ProviderUnavailable when the pool's
        addresses cannot be had.
        """
        attempt = self.attempts.start(next_path, self._now())
        secrets = secrets_of(attempt)
        with _heading_for(next_path):
            url = self._managed_login.authorize_url(
                state=secrets.state, nonce=secrets.nonce, verifier=secrets.verifier, options=options
            )
        return sign_up_address(url) if sign_up else url, attempt

    def belongs(self, held: Sequence[SignInAttempt], query: Query) -> SignInAttempt:
        """The attempt that a callback answers. Nothing else in the query is believed before this.

        Raises SignInRefused when there is none, or it took too long.
        """
        state = _single(query, "state")
        if not state:
            raise SignInRefused("The answer carries no state.", code="no_state")
        attempt = find(held, state)
        if attempt is None:
            code = "unknown_state" if held else "no_attempt"
            raise SignInRefused("The answer belongs to no sign-in of this browser.", code=code)
        if is_stale(attempt, self._now()):
            raise SignInRefused(
                "The sign-in took too long.", code="too_late", next_path=attempt.next_path
            )
        return attempt

    def finish(
        self, attempt: SignInAttempt, query: Query, *, client: str = "", network: str = ""
    ) -> Arrival:
        """Spend the code, verify both tokens, put the session away.

        `client` and `network` are remembered of the browser that came.
        Raises SignInRefused with the reason, StoreUnavailable (if it can, before the code is
        spent), and ProviderUnavailable when the pool gives no sensible answer. What is out of reach
        carries where the person was heading.
        """
        with _heading_for(attempt.next_path):
            return self._finished(attempt, query, client, network)

    def _finished(self, attempt: SignInAttempt, query: Query, client: str, network: str) -> Arrival:
        hops = [Hop("left", attempt.started_at), Hop("back", self._now())]
        code = self._code(attempt, query)
        self._spend(attempt)
        exchange = Begun("code", self._now())
        try:
            answer = self._managed_login.exchange(code, secrets_of(attempt).verifier)
        except GrantRefused as refusal:
            ours = refusal.error in ("invalid_client", "unauthorized_client")
            code = "provider_refused" if ours else "code_refused"
            # Our client is refused, not the person: nobody can sign in until an operator mends it.
            raise _refused(code, attempt, error=refusal.error, alarm=ours) from refusal
        hops.append(exchange.over())
        try:
            with self._lane.turn():
                record = self._verified(attempt, answer, hops)
                record = replace(record, client=client, network=network)
                return Arrival(self._vault.create(noted(record, hops)), attempt)
        except PorticoError as error:
            # Nobody will ever hold this session; its refresh token must not outlive it.
            if answer.refresh_token:
                self._errands.later(answer.refresh_token)
            if isinstance(error, OperatorFault):  # more tokens than a session can hold
                raise _refused("session_too_large", attempt, **error.facts) from error
            raise

    def _code(self, attempt: SignInAttempt, query: Query) -> str:
        issuer = _single(query, "iss", attempt)
        if issuer is None and self._managed_login.announces_iss:
            raise _refused("wrong_issuer", attempt)
        if issuer is not None and issuer != self._managed_login.issuer:
            raise _refused("wrong_issuer", attempt)
        error = _single(query, "error", attempt)
        if error is not None:
            code = PROVIDER_ERRORS.get(error, "provider_failed")
            raise _refused(code, attempt, error=error[:64])
        given = _single(query, "code", attempt)
        if given is None or not _CODE.fullmatch(given):
            raise _refused("bad_code", attempt)
        return given

    def _spend(self, attempt: SignInAttempt) -> None:
        # In the store, because a cookie can be put back: one attempt, one token request.
        name = b"spent/" + hashlib.sha256(attempt.seed).digest()
        if not self._vault.store.claim(
            name, os.urandom(16), now=self._now(), seconds=COOKIE_SECONDS
        ):
            raise _refused("spent", attempt)

    def _verified(
        self, attempt: SignInAttempt, answer: TokenAnswer, hops: list[Hop]
    ) -> SessionRecord:
        known, checks = self._verifier.keys.fetched, Begun("checks", self._now())
        try:
            if not isinstance(answer.access_token, str):
                raise TokenRefused("access token missing")
            claims = self._verifier.id_token(
                answer.id_token,
                access_token=answer.access_token,
                nonce=secrets_of(attempt).nonce,
            )
            access = self._verifier.access_token(answer.access_token, subject=claims["sub"])
        except TokenRefused as refusal:
            raise _refused(
                "token_refused", attempt, check=refusal.check, **refusal.facts
            ) from refusal
        hops += _checked(known, self._verifier.keys.fetched, checks)
        now = int(self._now())
        tokens = TokenSet(
            id_token=str(answer.id_token),
            access_token=answer.access_token,
            refresh_token=answer.refresh_token,
            issued_at=now,
            expires_at=int(min(claims["exp"], access["exp"])),
        )
        return SessionRecord(created_at=now, seen_at=now, person=person_of(claims), tokens=tokens)


def _checked(before: Fetched, after: Fetched, checks: Begun) -> list[Hop]:
    """Key set and checks as steps: what a fetch took was waited for in between."""
    over = checks.over()
    if before == after:
        return [Hop("keys", checks.at, None, "kept"), over]
    took = max(0.0, (over.milliseconds or 0.0) - after.milliseconds)
    fetched = Hop("keys", checks.at, after.milliseconds, "fetched")
    return [fetched, replace(over, milliseconds=took)]


@contextmanager
def _heading_for(next_path: str) -> Iterator[None]:
    try:
        yield
    except Unavailable as fault:
        fault.next_path = next_path
        raise


def _single(query: Query, name: str, attempt: SignInAttempt | None = None) -> str | None:
    """The one value of a parameter. RFC 6749 section 3.1: none may come twice."""
    values = query.get(name, ())
    if len(values) > 1:
        raise SignInRefused(
            "The answer repeats a parameter.",
            code="repeated",
            next_path=attempt.next_path if attempt else "/",
        )
    return values[0] if values else None


def _refused(code: str, attempt: SignInAttempt, **facts: object) -> SignInRefused:
    return SignInRefused(
        f"The sign-in ended: {code}.", code=code, next_path=attempt.next_path, **facts
    )

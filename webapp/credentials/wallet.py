"""The AWS credentials of a session: fetched when first needed, kept sealed, renewed early, once."""

import time
from collections.abc import Callable
from dataclasses import replace

from webapp.credentials.pool import IdentityGone, IdentityPool, TokenNotAccepted
from webapp.errors import Forbidden, OperatorFault, SessionEnded, Unavailable
from webapp.flow import Hop, last_part, noted
from webapp.records import AwsKeys, SessionRecord
from webapp.store.turns import Turns
from webapp.store.vault import Session, Vault

EARLY_SECONDS = 300
EARLY_SHARE = 0.1


class Wallet:
    """Hands out credentials. `renew_tokens` refreshes tokens; `now` gives epoch seconds."""

    def __init__(
        self,
        pool: IdentityPool,
        vault: Vault,
        turns: Turns,
        renew_tokens: Callable[[Session], Session],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._turns = turns
        self._renew_tokens = renew_tokens
        self._now = now

    def user_keys(self, session: Session) -> tuple[Session, AwsKeys]:
        """The signed-in person's credentials; never a guest's, whatever happens.

        Raises SessionEnded, PoolUnavailable, OperatorFault, ProviderUnavailable.
        """
        if session.record.tokens is None:
            raise SessionEnded("Nobody is signed in; sign in first.", code="signed_out")
        session = self._living(session, b"keys/", _user_keys, self._fetch_user_keys)
        keys = session.record.user_keys
        if keys is None:
            raise SessionEnded("This session ended meanwhile.", code="ended_meanwhile")
        return session, keys

    def guest_keys(self, session: Session | None) -> tuple[Session, AwsKeys]:
        """A guest's credentials; the first call makes the guest a session. Raises as above."""
        if session is None:
            now = int(self._now())
            hops: list[Hop] = []
            keys = self._guest(None, hops)
            record = SessionRecord(created_at=now, seen_at=now, guest_keys=keys)
            return self._vault.create(noted(record, hops)), keys
        session = self._living(session, b"guest/", _guest_keys, self._fetch_guest_keys)
        guest = session.record.guest_keys
        if guest is None:
            raise SessionEnded("This session ended meanwhile.", code="ended_meanwhile")
        return session, guest

    def without(self, session: Session, keys: AwsKeys) -> Session:
        """The session without these keys, if it still holds them. Raises SessionEnded."""

        def drop(record: SessionRecord) -> SessionRecord:
            return replace(
                record,
                user_keys=None if record.user_keys == keys else record.user_keys,
                # Over, but not forgotten: a guest stays the same identity.
                guest_keys=replace(keys, expires_at=0)
                if record.guest_keys == keys
                else record.guest_keys,
            )

        return self._vault.change(session, drop)

    def choose(self, session: Session, role_arn: str | None) -> Session:
        """Take the credentials of one of the roles in the ID token; None goes back to the pool's.

        Raises Forbidden for a role that is not in the token; beyond that as `user_keys`.
        """
        hops = [Hop("role", self._now(), None, last_part(role_arn))]
        keys = self._as_role(session, role_arn, hops)
        return self._vault.change(
            session,
            lambda record: noted(
                replace(record, user_keys=keys, identity_id=keys.identity_id, chosen_role=role_arn),
                hops,
            ),
        )

    def role_keys(self, session: Session, role_arn: str) -> AwsKeys:
        """Credentials of one of the roles in the ID token, for once: nothing is kept.

        Those that the session holds serve where they are this role's. Raises as `choose`.
        """
        held = session.record.user_keys
        if held and held.role_arn == role_arn and held.expires_at > self._now():
            person = session.record.person
            if person and role_arn in person.roles:
                return held
        return self._as_role(session, role_arn, [])

    def name_role(self, session: Session, keys: AwsKeys, role_arn: str) -> Session:
        """Note which role stands behind these keys, as AWS told. Raises SessionEnded."""
        named = replace(keys, role_arn=role_arn)
        return self._vault.change(
            session,
            lambda record: replace(record, user_keys=named) if record.user_keys == keys else record,
        )

    def _as_role(self, session: Session, role_arn: str | None, hops: list[Hop]) -> AwsKeys:
        person = session.record.person
        if person is None:
            raise SessionEnded("Nobody is signed in; sign in first.", code="signed_out")
        if role_arn is not None and role_arn not in person.roles:
            raise Forbidden("This role is not in your ID token.", code="role_not_in_token")
        wished = replace(session, record=replace(session.record, chosen_role=role_arn))
        try:
            return self._exchange(wished, hops)
        except TokenNotAccepted as refusal:
            raise Forbidden(
                "The identity pool does not give you this role.", code="role_refused"
            ) from refusal

    def _living(
        self,
        session: Session,
        purpose: bytes,
        which: Callable[[SessionRecord], AwsKeys | None],
        fetch: Callable[[Session], Session],
    ) -> Session:
        def alive(record: SessionRecord) -> bool:
            keys = which(record)
            return keys is not None and keys.expires_at > self._now()

        def settled(record: SessionRecord) -> bool:
            keys = which(record)
            if keys is None:
                return False
            life = keys.expires_at - keys.fetched_at
            return keys.expires_at - self._now() > min(EARLY_SECONDS, life * EARLY_SHARE)

        if settled(session.record):
            return session
        try:
            return self._turns.once(session, purpose, settled=settled, usable=alive, work=fetch)
        except Unavailable:
            if alive(session.record):  # due but not dead: they serve through an outage
                return session
            raise

    def _fetch_user_keys(self, session: Session) -> Session:
        hops: list[Hop] = []
        try:
            keys = self._exchange(session, hops)
        except TokenNotAccepted as refusal:
            if not refusal.stale:
                raise _set_up_wrong() from refusal
            session = self._renew_tokens(session)
            keys = self._exchange_last(session, hops)
        wanted = _wanted(session.record)

        def keep(record: SessionRecord) -> SessionRecord:
            # Another role may have been chosen, or come with a refresh, while the pool was asked.
            kept = keys if _wanted(record) == wanted else record.user_keys
            kept_now = replace(record, user_keys=kept, identity_id=keys.identity_id)
            return noted(kept_now, hops)

        written = self._vault.change(session, keep)
        return written if written.record.user_keys else self._fetch_user_keys(written)

    def _exchange_last(self, session: Session, hops: list[Hop]) -> AwsKeys:
        try:
            return self._exchange(session, hops)
        except TokenNotAccepted as refusal:
            if not refusal.stale:
                raise _set_up_wrong() from refusal
            self._vault.end(session)
            raise SessionEnded(
                "The identity pool takes even a new token for an old one; sign in again.",
                code="id_token_not_accepted",
                alarm=True,
            ) from refusal

    def _exchange(self, session: Session, hops: list[Hop]) -> AwsKeys:
        record = session.record
        if record.tokens is None or record.person is None:
            raise SessionEnded("Nobody is signed in; sign in first.", code="signed_out")
        # A choice holds only while the role is in the token.
        chosen = record.chosen_role if record.chosen_role in record.person.roles else None
        try:
            keys = self._pool.keys(
                id_token=record.tokens.id_token,
                identity_id=record.identity_id,
                role_arn=chosen,
                hops=hops,
            )
        except IdentityGone as gone:
            raise OperatorFault(gone.sentence, code="identity_pool_refused", **gone.facts) from gone
        keys = replace(keys, role_arn=chosen or record.person.preferred_role)
        hops.append(replace(hops.pop(), detail=last_part(keys.role_arn)))
        return keys

    def _fetch_guest_keys(self, session: Session) -> Session:
        before = session.record.guest_keys
        hops: list[Hop] = []
        keys = self._guest(before.identity_id if before else None, hops)
        return self._vault.change(
            session, lambda record: noted(replace(record, guest_keys=keys), hops)
        )

    def _guest(self, identity_id: str | None, hops: list[Hop]) -> AwsKeys:
        try:
            return self._pool.keys(identity_id=identity_id, hops=hops)
        except IdentityGone as gone:
            raise OperatorFault(
                "The identity pool does not exist; check COGNITO_IDENTITY_POOL_ID.",
                code="identity_pool_refused",
            ) from gone


def _wanted(record: SessionRecord) -> tuple[object, ...]:
    """Whose role the credentials are to carry."""
    person = record.person
    rights = (person.groups, person.roles, person.preferred_role) if person else ()
    return (record.chosen_role, *rights)


def _user_keys(record: SessionRecord) -> AwsKeys | None:
    return record.user_keys


def _guest_keys(record: SessionRecord) -> AwsKeys | None:
    return record.guest_keys


def _set_up_wrong() -> OperatorFault:
    return OperatorFault(
        "The identity pool does not accept this user pool's tokens; check its providers, role"
        " mapping and trust policies.",
        code="identity_pool_refused",
    )

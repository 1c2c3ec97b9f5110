"""What the tokens and userInfo say of the person, from what is held or asked anew."""

import json
import time
from collections.abc import Callable
from dataclasses import replace

from webapp.errors import SessionEnded
from webapp.flow import Begun, noted
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import AccessRefused
from webapp.managed_login.tokens import key_id, read_claims
from webapp.records import Claims, SessionRecord
from webapp.store.vault import Session, Vault

MAX_USERINFO = 8 * 1024


def held_claims(record: SessionRecord) -> tuple[Claims, Claims]:
    """The claims of the ID token and of the access token, verified when they came.

    Raises SessionEnded when nobody is signed in.
    """
    if record.tokens is None:
        raise SessionEnded("You are not signed in.", code="signed_out")
    return read_claims(record.tokens.id_token), read_claims(record.tokens.access_token)


def held_tokens(record: SessionRecord) -> dict[str, str]:
    """ID token and access token as they came. Raises as `held_claims`."""
    if record.tokens is None:
        raise SessionEnded("You are not signed in.", code="signed_out")
    return {"id": record.tokens.id_token, "access": record.tokens.access_token}


def held_key_ids(record: SessionRecord) -> tuple[str | None, str | None]:
    """The ids of the keys that signed ID token and access token. Raises as `held_claims`."""
    if record.tokens is None:
        raise SessionEnded("You are not signed in.", code="signed_out")
    return key_id(record.tokens.id_token), key_id(record.tokens.access_token)


class UserInfo:
    """Asks userInfo for a session and keeps the answer in it. `now` gives epoch seconds."""

    def __init__(
        self, managed_login: ManagedLogin, vault: Vault, *, now: Callable[[], float] = time.time
    ) -> None:
        self._managed_login = managed_login
        self._vault = vault
        self._now = now

    def ask(self, session: Session) -> Session:
        """The session with the newest answer.

        Raises SessionEnded when the pool no longer accepts the access token or speaks of somebody
        else (OpenID Connect Core 5.3.2), ProviderUnavailable when it gives no sensible answer.
        """
        tokens, person = session.record.tokens, session.record.person
        if tokens is None or person is None:
            raise SessionEnded("You are not signed in.", code="signed_out")
        begun = Begun("userinfo", self._now())
        try:
            claims = self._managed_login.userinfo(tokens.access_token)
        except AccessRefused as refusal:
            self._vault.end(session)
            raise SessionEnded(
                "Cognito no longer accepts this session's access token.", code="access_refused"
            ) from refusal
        hop = begun.over()
        if claims.get("sub") != person.subject:
            self._vault.end(session)
            raise SessionEnded(
                "userInfo speaks of somebody else.", code="userinfo_subject", alarm=True
            )
        if len(json.dumps(claims)) > MAX_USERINFO:
            claims = {"sub": claims["sub"], "(note)": "the answer was too long to keep"}
        at = int(self._now())
        return self._vault.change(
            session,
            lambda record: noted(replace(record, userinfo=claims, userinfo_at=at), [hop]),
        )

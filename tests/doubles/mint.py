"""Mints tokens in Cognito's shape, with hooks by which a test falsifies them."""

import hashlib
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.doubles.keys import Json, SigningKey, b64url, compact
from tests.doubles.users import User

Change = Callable[[Json, Json], object]


@dataclass
class Draft:
    """A token before it is signed, with the key that would sign it."""

    header: Json
    claims: Json
    key: SigningKey = field(repr=False)

    def signed(self) -> str:
        """The token, honestly signed over whatever header and claims stand in the draft."""
        return compact(self.header, json.dumps(self.claims).encode(), self.key)


Write = Callable[[Draft], str]


class TokenHooks:
    """Hooks of one kind of token: call it to change header and claims, `write` to replace all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hooks: list[tuple[Change | None, Write | None, int | None]] = []
        self.minted: list[str] = []
        """Every token given out, in order."""

    def __call__(self, change: Change, times: int | None = None) -> None:
        """Change header and claims in place, before signing: `lambda header, claims: ...`."""
        with self._lock:
            self._hooks.append((change, None, times))

    def write(self, write: Write, times: int | None = None) -> None:
        """Let this write the whole token from the draft; see forge.py for the known attacks."""
        with self._lock:
            self._hooks.append((None, write, times))

    def heal(self) -> None:
        """Drop every hook."""
        with self._lock:
            self._hooks.clear()

    def issue(self, draft: Draft) -> str:
        """Run the hooks in their order and return the token."""
        token: str | None = None
        with self._lock:
            hooks, self._hooks = self._hooks, []
            for change, write, times in hooks:
                if change is not None:
                    change(draft.header, draft.claims)
                if write is not None:
                    token = write(draft)
                if times is None or times > 1:
                    self._hooks.append((change, write, None if times is None else times - 1))
            token = draft.signed() if token is None else token
            self.minted.append(token)
        return token


@dataclass
class Occasion:
    """What the tokens of one sign-in have in common; `revoked` ends the family."""

    user: User
    scope: str
    auth_time: int
    refresh_ends_at: float
    nonce: str | None = None
    origin_jti: str = field(default_factory=lambda: str(uuid.uuid4()))
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    revoked: bool = False


class Mint:
    """Makes the two tokens of a user pool client; lifetimes in seconds."""

    def __init__(self, issuer: str, client_id: str) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.id_lifetime = 3600
        self.access_lifetime = 3600
        self.id_token = TokenHooks()
        self.access_token = TokenHooks()

    def heal(self) -> None:
        """Drop every hook."""
        self.id_token.heal()
        self.access_token.heal()

    def issue_access(self, occasion: Occasion, now: float, key: SigningKey) -> str:
        """An access token: client_id and scope, no aud."""
        user = occasion.user
        claims = self._common(occasion, now, "access", self.access_lifetime) | {
            "client_id": self.client_id,
            "scope": occasion.scope,
            "username": user.username,
            "version": 2,
        }
        claims |= user.access_claims
        return self.access_token.issue(Draft(_header(key), claims, key))

    def issue_id(self, occasion: Occasion, now: float, key: SigningKey, access: str) -> str:
        """An ID token; the nonce is there only in the first one of a sign-in."""
        user = occasion.user
        claims = self._common(occasion, now, "id", self.id_lifetime) | {
            "at_hash": at_hash(access),
            "aud": self.client_id,
            "cognito:username": user.username,
            "email": user.email,
            "email_verified": user.email_verified,
        }
        if user.roles:
            claims["cognito:roles"] = list(user.roles)
        if user.preferred_role:
            claims["cognito:preferred_role"] = user.preferred_role
        if occasion.nonce is not None:
            claims["nonce"] = occasion.nonce
        claims |= user.claims
        return self.id_token.issue(Draft(_header(key), claims, key))

    def _common(self, occasion: Occasion, now: float, use: str, lifetime: int) -> Json:
        claims: Json = {
            "auth_time": occasion.auth_time,
            "event_id": occasion.event_id,
            "exp": int(now) + lifetime,
            "iat": int(now),
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "origin_jti": occasion.origin_jti,
            "sub": occasion.user.sub,
            "token_use": use,
        }
        if occasion.user.groups:
            claims["cognito:groups"] = list(occasion.user.groups)
        return claims


def at_hash(access_token: str) -> str:
    """Left half of SHA-256 over the access token (OpenID Connect Core 3.1.3.6)."""
    return b64url(hashlib.sha256(access_token.encode()).digest()[:16])


def _header(key: SigningKey) -> Json:
    return {"kid": key.kid, "alg": "RS256"}

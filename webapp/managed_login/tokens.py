"""Verification of ID and access tokens, each alone (OpenID Connect Core 3.1.3.7, RFC 7519).

RS256 is pinned; a token cannot name its own key or algorithm. Sizes are checked before anything is
decoded. A refusal says which check failed, never what the token held.
"""

import base64
import binascii
import hashlib
import hmac
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from joserfc import jws
from joserfc.errors import JoseError

from webapp.managed_login.keys import SigningKeys, UnknownKey
from webapp.managed_login.strict_json import Malformed, loads_object
from webapp.records import Claims, Person

MAX_TOKEN = 16 * 1024
MAX_HEADER = 2 * 1024
MAX_SUBJECT = 255
MAX_GROUPS = 200
MAX_ITEM = 2048  # as long as an ARN with the longest path may be
# What HTML does not allow in text (HTML, 13.1.4): no page could show such a name as it is.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
LEEWAY_SECONDS = 60
# The answer to a code is minted in that moment: an older one comes from a clock that is wrong.
LATEST_SECONDS = 300
ALGORITHMS = ["RS256"]
# Beside the needed ones only a certificate's fingerprint, which some add and nobody follows.
HEADER_MEMBERS = {"alg", "kid", "typ", "x5t", "x5t#S256"}


class TokenRefused(Exception):
    """A token failed a check. `check` names it; the token's content stays out.

    `facts` are for operators: by how many seconds the pool's clock seems to be ahead of ours.
    """

    def __init__(self, check: str, **facts: int) -> None:
        super().__init__(f"token refused: {check}")
        self.check = check
        self.facts = facts


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Verifies the tokens of one issuer for one client. `now` gives epoch seconds."""

    keys: SigningKeys
    issuer: str
    client_id: str
    now: Callable[[], float] = time.time

    def id_token(
        self, token: object, *, access_token: str | None = None, nonce: str | None = None
    ) -> Claims:
        """The claims of a good ID token.

        `nonce` is None at a refresh, where the token need not repeat it. Raises TokenRefused, or
        ProviderUnavailable when the signing keys cannot be had.
        """
        claims, algorithm = self._signed(token)
        self._issued(claims, use="id")
        audience = claims.get("aud")
        if audience not in (self.client_id, [self.client_id]):
            raise TokenRefused("aud")
        if "azp" in claims and claims["azp"] != self.client_id:
            raise TokenRefused("azp")
        skew = round(claims["iat"] - self.now())
        if nonce is not None and skew < -LATEST_SECONDS:  # OpenID Connect Core 3.1.3.7, item 10
            raise TokenRefused("iat", skew_seconds=skew)
        given = claims.get("nonce")
        if nonce is not None and not (
            isinstance(given, str) and hmac.compare_digest(given.encode(), nonce.encode())
        ):
            raise TokenRefused("nonce")
        if "at_hash" in claims and access_token is not None:
            self._bound(claims["at_hash"], access_token, algorithm)
        return claims

    def access_token(self, token: object, *, subject: str) -> Claims:
        """The claims of a good access token of the same person. Raises as `id_token` does."""
        claims, _ = self._signed(token)
        self._issued(claims, use="access")
        if claims.get("client_id") != self.client_id:
            raise TokenRefused("client_id")
        if claims["sub"] != subject:
            raise TokenRefused("sub")
        return claims

    def _signed(self, token: object) -> tuple[Claims, str]:
        if not isinstance(token, str) or not token or len(token) > MAX_TOKEN:
            raise TokenRefused("size")
        head = token.partition(".")[0]
        if len(head) > MAX_HEADER or token.count(".") != 2 or not token.isascii():
            raise TokenRefused("format")
        try:
            key = self.keys.get(_key_id(head))
            payload = jws.deserialize_compact(token, key, algorithms=ALGORITHMS).payload
        except UnknownKey:
            raise TokenRefused("kid") from None
        except (JoseError, ValueError, TypeError):
            raise TokenRefused("signature") from None
        try:
            return loads_object(payload), "RS256"
        except Malformed:
            raise TokenRefused("claims") from None

    def _issued(self, claims: Claims, *, use: str) -> None:
        if claims.get("iss") != self.issuer:
            raise TokenRefused("iss")
        if claims.get("token_use") != use:
            raise TokenRefused("token_use")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
            raise TokenRefused("sub")
        now = self.now()
        skew = round(_instant(claims, "iat") - now)
        if _instant(claims, "exp") <= now - LEEWAY_SECONDS:
            raise TokenRefused("exp", skew_seconds=skew)
        if skew > LEEWAY_SECONDS:
            raise TokenRefused("iat", skew_seconds=skew)
        if "nbf" in claims and _instant(claims, "nbf") > now + LEEWAY_SECONDS:
            raise TokenRefused("nbf")

    @staticmethod
    def _bound(at_hash: object, access_token: str, algorithm: str) -> None:
        # OpenID Connect Core 3.1.3.6: the left half of the hash that the algorithm's name gives.
        digest = hashlib.new(f"sha{algorithm[2:]}", access_token.encode()).digest()
        expected = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
        if not isinstance(at_hash, str) or not hmac.compare_digest(at_hash.encode(), expected):
            raise TokenRefused("at_hash")


def read_claims(token: str) -> Claims:
    """The claims of a token that was verified before and has been in our keeping since."""
    return _decoded(token.split(".")[1])


def key_id(token: str) -> str | None:
    """The id of the key that signed a token that was verified before; None when it names none."""
    return _key_id(token.partition(".")[0])


def person_of(claims: Claims) -> Person:
    """Who an ID token speaks of. Lists are capped, foreign types passed over, controls marked."""
    return Person(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        username=_text(claims.get("cognito:username")) or str(claims["sub"]),
        email=_text(claims.get("email")),
        name=_text(claims.get("name")),
        groups=_list(claims.get("cognito:groups")),
        roles=_list(claims.get("cognito:roles")),
        preferred_role=_text(claims.get("cognito:preferred_role")),
    )


def _decoded(segment: str) -> Claims:
    try:
        raw = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        return loads_object(raw)
    except (binascii.Error, Malformed, ValueError):
        raise TokenRefused("format") from None


@lru_cache(maxsize=64)  # one header per signing key, repeated in every token
def _key_id(head: str) -> str | None:
    """The key that a header names. Raises TokenRefused when it wants anything but RS256."""
    header = _decoded(head)
    if header.get("alg") != "RS256":
        raise TokenRefused("alg")
    if not header.keys() <= HEADER_MEMBERS:
        raise TokenRefused("header")
    kid = header.get("kid")
    if not isinstance(kid, str | None):
        raise TokenRefused("kid")
    return kid


def _instant(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(name)
    try:
        instant = float(value)
    except OverflowError:
        raise TokenRefused(name) from None
    if not math.isfinite(instant) or not 0 < instant < 1e11:
        raise TokenRefused(name)
    return instant


def _text(value: object) -> str | None:
    return _NO_TEXT.sub("\ufffd", value[:512]) if isinstance(value, str) and value else None


def _list(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    texts = (item[:MAX_ITEM] for item in value[:MAX_GROUPS] if isinstance(item, str))
    return tuple(_NO_TEXT.sub("\ufffd", text) for text in texts)

"""Verify the ID token that travels in `X-Cognito-Id-Token` (OpenID Connect Core 3.1.3.7).

The size and the alphabet are checked before anything is decoded, the header before any key is
looked for, the signature before any claim is read. RS256 only; the key comes from the pool's key
set and from nowhere else. No refusal carries a part of the token.
"""

import base64
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from .keys import KeysUnavailable, SigningKeys
from .refusal import Refused

LEEWAY_SECONDS = 60
# API Gateway takes 10,240 bytes of request line and headers together; no real token is longer.
MAX_TOKEN_CHARACTERS = 10_240
MAX_HEADER_CHARACTERS = 512
HEADER_NAME = "x-cognito-id-token"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# Whatever else a JOSE header may hold (jku, jwk, x5u, x5c, crit, b64, zip) asks us to trust it.
_HEADER_KEYS = frozenset({"alg", "kid", "typ"})

Claims = Mapping[str, Any]


def read_id_token(headers: Mapping[str, object]) -> str | None:
    """Return the header's value, None when it is absent; refuse (401) what is not one plain value.

    Payload format 2.0 lower-cases every name and joins repeats by a comma. A name in another
    spelling therefore never came through API Gateway, and a comma means two headers; the comma is
    refused with every other foreign character in `IdTokenVerifier.verify`.
    """
    spellings = [name for name in headers if name.lower() == HEADER_NAME]
    if not spellings:
        return None
    if spellings != [HEADER_NAME]:
        raise Refused(401, "token_header_ambiguous")
    value = headers[HEADER_NAME]
    if not isinstance(value, str) or not value:
        raise Refused(401, "token_header_empty")
    return value


class IdTokenVerifier:
    """Verifies ID tokens of one user pool and one app client. `now` gives seconds since 1970."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        keys: SigningKeys,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._keys = keys
        self._now = now

    def verify(self, token: str) -> Claims:
        """Return the claims. Raises `Refused`: 401 for a bad token, 503 when no key can be had."""
        if len(token) > MAX_TOKEN_CHARACTERS or not _COMPACT.fullmatch(token):
            raise Refused(401, "token_malformed")
        kid = _kid_of(token.partition(".")[0])
        try:
            key = self._keys.find(kid)
        except KeysUnavailable as error:
            raise Refused(503, "keys_unavailable") from error
        if key is None:
            raise Refused(401, "token_key_unknown")
        try:
            claims = jwt.decode(token, key, algorithms=["RS256"]).claims
        except (JoseError, ValueError, RecursionError) as error:
            # `from None`: the library's text may quote what it read.
            raise Refused(401, f"token_{type(error).__name__}") from None
        self._check(claims)
        return claims

    def _check(self, claims: Claims) -> None:
        now = self._now()
        if claims.get("iss") != self.issuer:
            raise Refused(401, "token_issuer")
        if claims.get("aud") != self._client_id:
            raise Refused(401, "token_audience")
        if claims.get("token_use") != "id":
            raise Refused(401, "token_use")
        if _seconds(claims, "exp") + LEEWAY_SECONDS <= now:
            raise Refused(401, "token_expired")
        if _seconds(claims, "iat") - LEEWAY_SECONDS > now:
            raise Refused(401, "token_from_the_future")
        if "nbf" in claims and _seconds(claims, "nbf") - LEEWAY_SECONDS > now:
            raise Refused(401, "token_not_yet_valid")
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise Refused(401, "token_subject")


def _kid_of(segment: str) -> str:
    if len(segment) > MAX_HEADER_CHARACTERS:
        raise Refused(401, "token_header_size")
    try:
        header = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        raise Refused(401, "token_header_unreadable") from None
    if not isinstance(header, dict) or not _HEADER_KEYS.issuperset(header):
        raise Refused(401, "token_header_foreign")
    if header.get("alg") != "RS256":
        raise Refused(401, "token_algorithm")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise Refused(401, "token_kid")
    return kid


def _seconds(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused(401, f"token_{name}")
    return float(value)

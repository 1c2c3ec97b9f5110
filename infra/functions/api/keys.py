"""The user pool's signing keys, fetched when needed and kept while the Lambda stays warm.

An unknown `kid` asks for the key set again, but not more often than `REFETCH_SECONDS`: a storm of
invented ids costs one request. A key set that cannot be had is `KeysUnavailable`, never a yes.
"""

import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

MAX_AGE_SECONDS = 3600.0  # a key that Cognito takes back is forgotten within the hour
REFETCH_SECONDS = 60.0
RETRY_SECONDS = 5.0  # after a fetch that failed
FETCH_TIMEOUT_SECONDS = 2.0
MAX_KEY_SET_BYTES = 65_536
MIN_MODULUS_BITS = 2048  # RFC 7518 section 3.3

_log = logging.getLogger("portico.api")


class KeysUnavailable(Exception):
    """The key set could not be fetched or read."""


def fetch_key_set(url: str) -> object:
    """Return the JSON document at `url`; raise `KeysUnavailable` for every way it can fail."""
    # Built by hand: no proxy from the environment, no redirect, no file: or ftp: address.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(url, timeout=FETCH_TIMEOUT_SECONDS) as answer:
            body: bytes = answer.read(MAX_KEY_SET_BYTES + 1)
        if len(body) > MAX_KEY_SET_BYTES:
            raise KeysUnavailable("the key set is too large")
        document: object = json.loads(body)
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise KeysUnavailable(f"the key set cannot be had: {type(error).__name__}") from error
    return document


class SigningKeys:
    """Public RSA keys by `kid`. `now` counts seconds and never goes back (time.monotonic)."""

    def __init__(
        self,
        url: str,
        *,
        fetch: Callable[[str], object] = fetch_key_set,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._fetch = fetch
        self._now = now
        self._keys: Mapping[str, RSAKey] = {}
        self._fetched_at = float("-inf")
        self._next_try_at = float("-inf")
        self._last_try_failed = False

    def find(self, kid: str) -> RSAKey | None:
        """Return the key, or None when the pool has none of that id.

        Raises `KeysUnavailable` when that cannot be known, because the last fetch failed.
        """
        if kid not in self._keys or self._now() - self._fetched_at > MAX_AGE_SECONDS:
            self._refresh()
        key = self._keys.get(kid)
        if key is None and self._last_try_failed:
            raise KeysUnavailable("the key set cannot be had")
        return key

    def _refresh(self) -> None:
        now = self._now()
        if now < self._next_try_at:
            return
        try:
            self._keys = _read_keys(self._fetch(self._url))
        except KeysUnavailable as error:
            # Keys in hand stay good: Cognito being away must not sign everybody out.
            self._last_try_failed = True
            self._next_try_at = now + RETRY_SECONDS
            _log.warning(json.dumps({"event": "keys_unavailable", "reason": str(error)}))
            return
        self._last_try_failed = False
        self._fetched_at = now
        self._next_try_at = now + REFETCH_SECONDS


def _read_keys(document: object) -> dict[str, RSAKey]:
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise KeysUnavailable("the key set has no keys")
    keys: dict[str, RSAKey] = {}
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA":
            continue
        kid, use = entry.get("kid"), entry.get("use", "sig")
        if not isinstance(kid, str) or use != "sig" or entry.get("alg", "RS256") != "RS256":
            continue
        try:
            key = RSAKey.import_key({"kty": "RSA", "n": entry["n"], "e": entry["e"]})
            bits = key.public_key.key_size
        except (JoseError, KeyError, TypeError, ValueError):
            continue
        if bits >= MIN_MODULUS_BITS:
            keys[kid] = key
    if not keys:
        raise KeysUnavailable("the key set has no usable key")
    return keys

"""The pool's signing keys (JWKS, RFC 7517): parsed once, kept, fetched again rarely.

An unknown key id may mean that the pool rotated its keys, or that somebody makes ids up. So it
causes a fetch, but at most one in five minutes for the whole process.
"""

import base64
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from webapp.deadlines import NEXT_TRY_SECONDS, NOTICE_SECONDS, PROVIDER_SECONDS
from webapp.errors import ProviderUnavailable
from webapp.managed_login.metadata import Metadata
from webapp.managed_login.strict_json import Malformed, loads_object
from webapp.managed_login.trouble import out_of_order, unreached
from webapp.outbound import KIB, OutboundFailed, Sender

FRESH_SECONDS = 3600
LONGEST_SECONDS = 24 * 3600
UNKNOWN_PAUSE_SECONDS = 300
RETRY_SECONDS, AGED_RETRY_SECONDS = 2.0, 60.0
MIN_BITS, MAX_BITS, MAX_EXPONENT_BITS = 2048, 8192, 32
MAX_KEYS = 100
CAP = 256 * KIB


class UnknownKey(Exception):
    """No key of the pool has this id."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The last fetch that brought keys: how many there were so far, how long this one took."""

    count: int = 0
    milliseconds: float = 0.0


class SigningKeys:
    """The keys of one issuer. Thread-safe; one fetch at a time."""

    def __init__(
        self, outbound: Sender, metadata: Metadata, *, now: Callable[[], float] = time.time
    ) -> None:
        self._outbound = outbound
        self._metadata = metadata
        self._now = now
        self._lock = threading.Lock()
        self.fetched = Fetched()
        self._keys: dict[str | None, RSAKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._unknown_at = float("-inf")

    @property
    def ready(self) -> bool:
        """Whether there are keys that may still be used."""
        return bool(self._keys) and self._now() - self._fetched_at < LONGEST_SECONDS

    def get(self, kid: str | None) -> RSAKey:
        """The key with this id; without an id the only key there is.

        Raises UnknownKey when the pool has none, ProviderUnavailable when the keys cannot be had.
        """
        self._freshen()
        key = self._find(kid) or self._find_anew(kid)
        if key is None:
            raise UnknownKey("no such key")
        return key

    def warm(self) -> None:
        """Fetch the keys if there are none. Raises ProviderUnavailable."""
        self._freshen()

    def _find(self, kid: str | None) -> RSAKey | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    def _freshen(self) -> None:
        if self._now() - self._fetched_at < FRESH_SECONDS:
            return
        # Old keys serve through an outage, for a day: one thread asks for newer, no other waits.
        # Without any all wait for the first try, and for one that is made again only a moment.
        patience = PROVIDER_SECONDS if self._tried_at == float("-inf") else NEXT_TRY_SECONDS
        if not self._lock.acquire(timeout=0 if self.ready else patience):
            if self.ready:
                return
            raise ProviderUnavailable("The user pool's signing keys are being asked for.")
        try:
            if self._now() - self._fetched_at < FRESH_SECONDS:
                return
            pause = AGED_RETRY_SECONDS if self.ready else RETRY_SECONDS
            if abs(self._now() - self._tried_at) >= pause:
                self._load(NOTICE_SECONDS if self.ready else PROVIDER_SECONDS)
            elif not self.ready:
                raise ProviderUnavailable("The user pool's signing keys cannot be had.")
        except ProviderUnavailable:
            if not self.ready:
                raise
        finally:
            self._lock.release()

    def _find_anew(self, kid: str | None) -> RSAKey | None:
        """Ask the pool once; whoever waited meanwhile looks at what that brought."""
        with self._lock:
            key = self._find(kid)
            # abs: a clock that was put back must not make the pause an hour long.
            if key is None and abs(self._now() - self._unknown_at) >= UNKNOWN_PAUSE_SECONDS:
                with suppress(ProviderUnavailable):
                    self._load()
                self._unknown_at = self._now()
                key = self._find(kid)
            return key

    def _load(self, deadline: float = PROVIDER_SECONDS) -> None:
        try:
            self._read(deadline)
        finally:
            # At the end, so that those who waited share the failure instead of repeating it.
            self._tried_at = self._now()

    def _read(self, deadline: float) -> None:
        begun = time.perf_counter()
        try:
            reply = self._outbound.send(
                "GET",
                self._metadata.endpoints().keys,
                headers={"Accept": "application/json"},
                deadline=deadline,
                cap=CAP,
                safe=True,
            )
            if reply.status != 200 or reply.cut:
                raise out_of_order("The user pool's signing keys cannot be had.", reply)
            keys = _usable(loads_object(reply.body).get("keys"))
        except (OutboundFailed, Malformed) as error:
            raise unreached("The user pool's signing keys cannot be had.", error) from error
        if not keys:
            raise ProviderUnavailable("The user pool's key set holds no usable key.")
        took = (time.perf_counter() - begun) * 1000
        self.fetched = Fetched(self.fetched.count + 1, took)
        self._keys = keys
        self._fetched_at = self._now()


def _usable(entries: object) -> dict[str | None, RSAKey]:
    """The RS256 keys among the entries; whatever else is there is passed over."""
    if not isinstance(entries, list):
        raise Malformed("no list of keys")
    keys: dict[str | None, RSAKey] = {}
    repeated: set[str | None] = set()
    for entry in entries[:MAX_KEYS]:
        key = _rsa(entry)
        if key is None:
            continue
        kid = entry.get("kid")
        if kid in keys and keys[kid].thumbprint() != key.thumbprint():
            repeated.add(kid)
        keys[kid] = key
    return {kid: key for kid, key in keys.items() if kid not in repeated}


def _rsa(entry: Any) -> RSAKey | None:
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or "d" in entry:
        return None
    if entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    if not isinstance(entry.get("kid"), str | None):
        return None
    try:
        # Some libraries pad, against RFC 7515 section 2; it means the same.
        n, e = entry["n"].rstrip("="), entry["e"].rstrip("=")
        # Before it is made: a key that is too short would be warned of, a huge one worked on.
        if not (MIN_BITS <= _bits(n) <= MAX_BITS and _bits(e) <= MAX_EXPONENT_BITS):
            return None
        key = RSAKey.import_key({"kty": "RSA", "n": n, "e": e})
        numbers = key.public_key.public_numbers()
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return key if numbers.n & numbers.e & 1 and numbers.e >= 65537 else None


def _bits(number: str) -> int:
    """How long a number of a key is. Raises ValueError for what is no number."""
    return int.from_bytes(base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()

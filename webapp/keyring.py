"""Every key that SECRET_KEY and its fall-backs give, one per purpose, made once at start.

The first key writes, all keys read. A one-byte mark names the key that wrote, so that reading
under several keys still costs one look-up.
"""

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


def _derive(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose (the expand step of RFC 5869)."""
    return hmac.digest(secret, b"portico/1/" + purpose.encode() + b"\x01", "sha256")


@dataclass(frozen=True, slots=True)
class Key:
    """The keys that stand behind one SECRET_KEY."""

    mark: int
    name: bytes
    """Tells it from other keys, to anybody; 16 bytes that give nothing away."""
    index: bytes = field(repr=False)
    records: bytes = field(repr=False)
    csrf: bytes = field(repr=False)
    attempts: bytes = field(repr=False)
    labels: AESGCM = field(repr=False)
    errands: AESGCM = field(repr=False)
    cookie: AESGCM = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "Key":
        """The family of keys that `secret` gives."""
        return cls(
            mark=_derive(secret, "mark")[0],
            name=_derive(secret, "name")[:16],
            index=_derive(secret, "index"),
            records=_derive(secret, "records"),
            csrf=_derive(secret, "csrf"),
            attempts=_derive(secret, "attempts"),
            labels=AESGCM(_derive(secret, "labels")),
            errands=AESGCM(_derive(secret, "errands")),
            cookie=AESGCM(_derive(secret, "cookie")),
        )

    def seal_label(self, plain: bytes, place: bytes) -> bytes:
        """A few bytes for one place in the store, for whoever has the key (AES-256-GCM)."""
        return _seal(self.labels, plain, place)

    def open_label(self, sealed: bytes, place: bytes) -> bytes | None:
        """What `seal_label` sealed; None for anything else."""
        return _open(self.labels, sealed, place)

    def seal_errand(self, plain: bytes, place: bytes) -> bytes:
        """What is still to be done for somebody who has left, for whoever has the key."""
        return _seal(self.errands, plain, place)

    def open_errand(self, sealed: bytes, place: bytes) -> bytes | None:
        """What `seal_errand` sealed; None for anything else."""
        return _open(self.errands, sealed, place)


def _seal(box: AESGCM, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + box.encrypt(nonce, plain, bound_to)


def _open(box: AESGCM, sealed: bytes, bound_to: bytes) -> bytes | None:
    if len(sealed) < NONCE_BYTES + 16:
        return None
    try:
        return box.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except InvalidTag:
        return None


class Keyring:
    """The writing key and all reading keys."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets:
            raise ValueError("a key ring needs at least one key")
        self._keys = tuple(Key.of(secret) for secret in secrets)

    @property
    def writing(self) -> Key:
        """The key that writes."""
        return self._keys[0]

    @property
    def reading(self) -> tuple[Key, ...]:
        """All keys, the writing one first."""
        return self._keys

    def marked(self, mark: int) -> tuple[Key, ...]:
        """The keys that carry this mark: one, rarely two, none when the key is gone."""
        return tuple(key for key in self._keys if key.mark == mark)

    def seal_cookie(self, plain: bytes, purpose: bytes) -> bytes:
        """Encrypt a short value for a browser to hold (AES-256-GCM, random nonce)."""
        return _seal(self.writing.cookie, plain, purpose)

    def open_cookie(self, sealed: bytes, purpose: bytes) -> bytes | None:
        """The plain value, or None for anything that no key of ours sealed for this purpose."""
        opened = (_open(key.cookie, sealed, purpose) for key in self._keys)
        return next((plain for plain in opened if plain is not None), None)

    def csrf_token(self, bound_to: bytes) -> str:
        """The proof of intent that belongs to one session, or to one day for nobody."""
        return hmac.digest(self.writing.csrf, bound_to, "sha256").hex()[:43]

    def csrf_matches(self, given: str, bound_to: bytes) -> bool:
        """Whether `given` is the token of `bound_to` under any key; constant time per key."""
        return any(
            hmac.compare_digest(
                hmac.digest(key.csrf, bound_to, "sha256").hex()[:43].encode(),
                given.encode("utf-8", "replace"),
            )
            for key in self._keys
        )

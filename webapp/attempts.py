"""The attempts to sign in that one browser has under way, in one short-lived encrypted cookie.

The server keeps nothing until a callback comes. An attempt is one seed of 256 random bits: its
first half is the state, nonce and code verifier are derived from the whole. The cookie is capped
in count and size, so that many tabs fit and no header limit is ever met.
"""

import base64
import hmac
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from webapp.keyring import Keyring
from webapp.records import SignInAttempt

PURPOSE = b"attempts/1"
LIFE_SECONDS = 15 * 60
# Remembered longer than usable, so that a late callback can say why and keep the way on.
COOKIE_SECONDS = 60 * 60
SEED_BYTES = 32
MAX_ATTEMPTS = 12
MAX_PLAIN_BYTES = 640
_HEAD = struct.Struct(">32sIH")
_NO_SEED = bytes(SEED_BYTES)  # no attempt has it; the entry that does is a notice


@dataclass(frozen=True, slots=True)
class Secrets:
    """What leaves with an attempt (state, nonce) and what stays (verifier)."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


class Attempts:
    """Makes attempts, packs them for the browser, finds one by the state that came back."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring

    def start(self, next_path: str, now: float) -> SignInAttempt:
        """A new attempt heading for `next_path`."""
        return SignInAttempt(os.urandom(SEED_BYTES), int(now), next_path)

    def pack(self, attempts: Sequence[SignInAttempt], notice: str = "") -> str:
        """The cookie's value; the oldest attempts give way when there are too many.

        `notice` is a short word for the next page, where the address has no room for it.
        """
        kept = [_entry(_NO_SEED, 0, notice)] if notice else []
        size = sum(map(len, kept))
        for attempt in sorted(attempts, key=lambda one: one.started_at, reverse=True):
            entry = _entry(attempt.seed, attempt.started_at, attempt.next_path)
            if len(kept) == MAX_ATTEMPTS or size + len(entry) > MAX_PLAIN_BYTES:
                break
            kept.append(entry)
            size += len(entry)
        return _text(self._ring.seal_cookie(b"".join(kept), PURPOSE))

    def unpack(self, cookie: str | None, now: float) -> list[SignInAttempt]:
        """The attempts in a cookie, newest first; none for anything that is not ours."""
        return [
            one
            for one in self._entries(cookie)
            if one.seed != _NO_SEED and now - one.started_at < COOKIE_SECONDS
        ]

    def notice(self, cookie: str | None) -> str:
        """The notice in a cookie, or nothing."""
        return next((one.next_path for one in self._entries(cookie) if one.seed == _NO_SEED), "")

    def _entries(self, cookie: str | None) -> list[SignInAttempt]:
        if not cookie or len(cookie) > 2 * MAX_PLAIN_BYTES:
            return []
        try:
            sealed = base64.b64decode(cookie + "=" * (-len(cookie) % 4), b"-_", validate=True)
        except ValueError:
            return []
        plain = self._ring.open_cookie(sealed, PURPOSE)
        found: list[SignInAttempt] = []
        while plain:
            seed, started_at, length = _HEAD.unpack_from(plain)
            end = _HEAD.size + length
            found.append(SignInAttempt(seed, started_at, plain[_HEAD.size : end].decode()))
            plain = plain[end:]
        return found


def secrets_of(attempt: SignInAttempt) -> Secrets:
    """State, nonce and verifier of an attempt."""
    return Secrets(
        state=_state(attempt),
        nonce=_text(hmac.digest(attempt.seed, b"nonce", "sha256")[:24]),
        verifier=_text(hmac.digest(attempt.seed, b"verifier", "sha256")),
    )


def find(attempts: Sequence[SignInAttempt], state: str) -> SignInAttempt | None:
    """The attempt that this state belongs to."""
    given = state.encode("utf-8", "replace")
    return next((one for one in attempts if hmac.compare_digest(_state(one).encode(), given)), None)


def is_stale(attempt: SignInAttempt, now: float) -> bool:
    """Whether the attempt took too long to be believed."""
    return now - attempt.started_at > LIFE_SECONDS


def _entry(seed: bytes, started_at: int, text: str) -> bytes:
    raw = text.encode()
    return _HEAD.pack(seed, started_at, len(raw)) + raw


def _state(attempt: SignInAttempt) -> str:
    return _text(attempt.seed[: SEED_BYTES // 2])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

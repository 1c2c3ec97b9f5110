"""The attempts to sign in that one browser has under way, in one short-lived encrypted cookie.

The server keeps nothing until a callback comes. An attempt is one seed of 256 random bits: its
first half is the state, nonce and code verifier are derived from the whole. The cookie is capped
in count and size, so that many tabs fit and no header limit is ever met. What room the attempts
leave is for a word to the next page and for the console's last calls.
"""

import base64
import hmac
import os
import struct
from collections.abc import Callable, Sequence
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
# No attempt begins like these: such an entry is a notice, or the trail of the console's calls.
_NOTICE = bytes(SEED_BYTES)
_TRAIL = bytes(SEED_BYTES - 1) + b"\x01"


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

    def pack(
        self,
        attempts: Sequence[SignInAttempt],
        notice: str = "",
        trail: Callable[[int], bytes] = lambda room: b"",
    ) -> str:
        """The cookie's value; the oldest attempts give way when there are too many.

        `notice` is a short word for the next page, where the address has no room for it. `trail`
        gives what else is to be kept in so many bytes. Empty when there is nothing to keep.
        """
        kept = [_entry(_NOTICE, 0, notice.encode())] if notice else []
        size = sum(map(len, kept))
        for attempt in sorted(attempts, key=lambda one: one.started_at, reverse=True):
            entry = _entry(attempt.seed, attempt.started_at, attempt.next_path.encode())
            if len(kept) == MAX_ATTEMPTS or size + len(entry) > MAX_PLAIN_BYTES:
                break
            kept.append(entry)
            size += len(entry)
        rest = trail(max(0, MAX_PLAIN_BYTES - size - _HEAD.size))
        if rest:
            kept.append(_entry(_TRAIL, 0, rest))
        return _text(self._ring.seal_cookie(b"".join(kept), PURPOSE)) if kept else ""

    def unpack(self, cookie: str | None, now: float) -> list[SignInAttempt]:
        """The attempts in a cookie, newest first; none for anything that is not ours."""
        return [
            SignInAttempt(first, started_at, text.decode())
            for first, started_at, text in self._entries(cookie)
            if first not in (_NOTICE, _TRAIL) and now - started_at < COOKIE_SECONDS
        ]

    def notice(self, cookie: str | None) -> str:
        """The notice in a cookie, or nothing."""
        return self._beside(cookie, _NOTICE).decode()

    def trail(self, cookie: str | None) -> bytes:
        """The trail of calls in a cookie, or nothing."""
        return self._beside(cookie, _TRAIL)

    def _beside(self, cookie: str | None, mark: bytes) -> bytes:
        return next((raw for first, _, raw in self._entries(cookie) if first == mark), b"")

    def _entries(self, cookie: str | None) -> list[tuple[bytes, int, bytes]]:
        if not cookie or len(cookie) > 2 * MAX_PLAIN_BYTES:
            return []
        try:
            sealed = base64.b64decode(cookie + "=" * (-len(cookie) % 4), b"-_", validate=True)
        except ValueError:
            return []
        plain = self._ring.open_cookie(sealed, PURPOSE)
        found: list[tuple[bytes, int, bytes]] = []
        while plain:
            first, started_at, length = _HEAD.unpack_from(plain)
            end = _HEAD.size + length
            found.append((first, started_at, plain[_HEAD.size : end]))
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


def _entry(seed: bytes, started_at: int, raw: bytes) -> bytes:
    return _HEAD.pack(seed, started_at, len(raw)) + raw


def _state(attempt: SignInAttempt) -> str:
    return _text(attempt.seed[: SEED_BYTES // 2])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

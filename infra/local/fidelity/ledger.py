"""What the mends remember beside ministack: retired refresh tokens and sign-in times.

Tokens are kept as SHA-256 digests. Every question about time takes `now`, seconds since the epoch.
"""

import hashlib
import threading
from collections.abc import Mapping
from typing import Any


class Ledger:
    """Retired refresh tokens (rotation) and the sign-in time of each token family."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._retired_at: dict[str, float] = {}
        self._signed_in_at: dict[str, int] = {}

    def retire(self, refresh_token: str, *, now: float) -> None:
        """Start the grace period of a rotated token; a second rotation does not extend it."""
        self._retired_at.setdefault(_digest(refresh_token), now)

    def is_spent(self, refresh_token: str, *, grace_seconds: int, now: float) -> bool:
        """Return whether a token was rotated out and its grace period is over."""
        retired_at = self._retired_at.get(_digest(refresh_token))
        return retired_at is not None and now >= retired_at + grace_seconds

    def note_sign_in(self, family: str, at: int) -> None:
        """Remember when the person of a token family (origin_jti) proved who they are."""
        self._signed_in_at[family] = at

    def signed_in_at(self, family: str) -> int | None:
        """Return the family's sign-in time, or None for one from before a restart."""
        return self._signed_in_at.get(family)

    def dump(self) -> dict[str, Any]:
        """Return the ledger as JSON-able data, for a kept state."""
        return {"retired_at": dict(self._retired_at), "signed_in_at": dict(self._signed_in_at)}

    def load(self, data: Mapping[str, Any]) -> None:
        """Take back what `dump` gave."""
        self._retired_at.update(data.get("retired_at", {}))
        self._signed_in_at.update(data.get("signed_in_at", {}))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""Everybody signed out at once, by an operator: each session belongs to a generation.

A recall is a small row in the store that names the generation of today; a session of another one is
over. One look-up serves all pages of a process for half a second, so a page still costs one read.
"""

import hmac
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from webapp.keyring import Key, Keyring
from webapp.store.base import Store

LOOK_SECONDS = 0.5
SLACK_SECONDS = 300
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class _Seen:
    generation: str
    until: float


class Recall:
    """Which generation counts. `absolute` is a session's longest life in seconds.

    `now` gives epoch seconds, `clock` is monotonic.
    """

    def __init__(
        self,
        store: Store,
        ring: Keyring,
        *,
        absolute: int,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._ring = ring
        self._absolute = absolute
        self._now = now
        self._clock = clock
        self._seen = _Seen("", 0.0)

    def admits(self, generation: str) -> bool:
        """Whether a session of this generation still counts. Raises StoreUnavailable."""
        seen = self._seen
        if self._clock() >= seen.until:
            seen = self._look()
        # No recall, or none any more: whatever it ended has come to its own end since.
        return seen.generation in ("", generation)

    def current(self) -> str:
        """The generation for a new session, asked anew: it must not be born dead.

        Raises StoreUnavailable.
        """
        return self._look().generation

    def everybody(self) -> None:
        """End every session there is, on all hosts within half a second.

        Raises StoreUnavailable.
        """
        now, key, place = self._now(), self._ring.writing, os.urandom(32)
        plain = time.time_ns().to_bytes(_TIME_BYTES, "big") + os.urandom(9)
        self._store.create(
            place,
            b"",
            expires_at=int(now) + self._absolute + SLACK_SECONDS,  # outlives what it ends
            person=_everybody(key),
            now=now,
            label=key.seal_label(plain, place),
        )
        self._seen = _Seen("", 0.0)

    def _look(self) -> _Seen:
        until, now = self._clock() + LOOK_SECONDS, self._now()
        newest = max(
            (
                plain
                for key in self._ring.reading
                for one in self._store.listed(_everybody(key), now=now)
                if (plain := key.open_label(one.label, one.key)) is not None
            ),
            default=b"",
        )
        self._seen = seen = _Seen(newest[_TIME_BYTES:].hex(), until)
        return seen


def _everybody(key: Key) -> bytes:
    """The name under which recalls are listed, as if it were a person."""
    return hmac.digest(key.index, b"everybody", "sha256")

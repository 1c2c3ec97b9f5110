"""One does the work, the others take the result: over threads, workers and hosts.

A claim in the store says whose turn it is. It is renewed while the work runs, so slow work is not
done twice, and it ends by itself when the worker dies.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from webapp import budget, deadlines
from webapp.breaker import ENDLESS, Seats
from webapp.errors import SessionEnded, StoreUnavailable, Unavailable
from webapp.records import SessionRecord
from webapp.store.vault import Session, Vault

CLAIM_SECONDS = deadlines.CLAIM_SECONDS
WAIT_SECONDS = deadlines.TURN_WAIT_SECONDS
LOOK_SECONDS = 0.05
EASY_LOOKS = 20
"""So long, a second, anybody may wait; a turn that lasts longer does not take every thread."""


class Turns:
    """Takes turns on one vault. `now` gives epoch seconds, `pause` waits.

    `waiting` bounds how many wait for long, in all turns of this process together.
    """

    def __init__(
        self,
        vault: Vault,
        *,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        wait: float = WAIT_SECONDS,
        waiting: Seats = ENDLESS,
    ) -> None:
        self._vault = vault
        self._now = now
        self._pause = pause
        self._wait = wait
        self._waiting = waiting

    def once(
        self,
        session: Session,
        purpose: bytes,
        *,
        settled: Callable[[SessionRecord], bool],
        usable: Callable[[SessionRecord], bool],
        work: Callable[[Session], Session],
    ) -> Session:
        """A session for which `settled` holds.

        If it is our turn, `work` makes it so; if another is at it, wait, unless what we have is
        still `usable`. Raises what `work` raises, SessionEnded when the session is gone, and
        Unavailable when the other one takes too long, or too many wait already.
        """
        name = purpose + session.place
        owner = os.urandom(16)
        looks = int(self._wait / LOOK_SECONDS)
        seated = False
        try:
            for look in range(looks):
                if self._claim(name, owner):
                    return self._do(session, name, owner, settled, work)
                if usable(session.record):
                    return session
                if look == EASY_LOOKS:
                    seated = self._waiting.taken()
                if budget.left() <= 0 or (look >= EASY_LOOKS and not seated):
                    break
                self._pause(LOOK_SECONDS)
                session = self._reload(session)
                if settled(session.record):
                    return session
        finally:
            if seated:
                self._waiting.give_back()
        raise Unavailable("Another request is still at it; try again shortly.", code="busy")

    def _do(
        self,
        session: Session,
        name: bytes,
        owner: bytes,
        settled: Callable[[SessionRecord], bool],
        work: Callable[[Session], Session],
    ) -> Session:
        stop = threading.Event()
        beat = threading.Thread(target=self._renew, args=(name, owner, stop), daemon=True)
        try:
            # The turn before ours may have settled it between our look and our claim.
            current = self._reload(session)
            if settled(current.record):
                return current
            beat.start()
            return work(current)
        finally:
            stop.set()
            with suppress(StoreUnavailable):
                self._vault.store.release(name, owner)

    def _renew(self, name: bytes, owner: bytes, stop: threading.Event) -> None:
        while not stop.wait(CLAIM_SECONDS / 3):
            with suppress(StoreUnavailable):
                self._claim(name, owner)

    def _claim(self, name: bytes, owner: bytes) -> bool:
        return self._vault.store.claim(name, owner, now=self._now(), seconds=CLAIM_SECONDS)

    def _reload(self, session: Session) -> Session:
        current = self._vault.reload(session)
        if current is None:
            raise SessionEnded(
                "This session ended meanwhile; sign in again.", code="ended_meanwhile"
            )
        return current

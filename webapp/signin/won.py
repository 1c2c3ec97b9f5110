"""A renewed token on its way from the provider into the store: it must not get lost in between.

A refresh token that rotates without a grace exists in one process alone until the store has it.
Whoever renews says so in the store first. What the store then does not take is written by a thread
of that process as soon as it does; and whoever finds the word of somebody else waits a moment for
that, before presenting a token that may be spent. docs/decisions/0024 has the reasons.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from webapp import budget
from webapp.deadlines import KEEP_SECONDS, REFRESH_SECONDS
from webapp.errors import SessionEnded, StoreUnavailable
from webapp.records import SessionRecord
from webapp.store.vault import Change, Session, Vault

WORD_SECONDS = 300.0
"""How long somebody's word counts, and for how long what is not written yet is tried."""
ARRIVAL_SECONDS = 2.5
"""How long the next one waits for it: a store that is back is found to be within a second."""
LOOK_SECONDS = 0.25
MOST = 10_000


@dataclass(slots=True)
class Word:
    """That a token is being renewed. `owner` is None where somebody else's word stands."""

    session: Session
    owner: bytes | None = field(repr=False)
    owed: bool = False


@dataclass(frozen=True, slots=True)
class _Owed:
    word: Word
    change: Change = field(repr=False)
    lost: Callable[[], object] = field(repr=False)
    until: float


class Won:
    """Knows of tokens that are on their way. `now` gives epoch seconds, `pause` waits."""

    def __init__(
        self,
        vault: Vault,
        *,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._vault = vault
        self._now = now
        self._pause = pause
        self._lock = threading.Lock()
        self._owed: list[_Owed] = []
        self._writer: threading.Thread | None = None

    @contextmanager
    def renewing(self, session: Session) -> Iterator[Word]:
        """Say for as long as the block that this session's token is being renewed.

        And for as long as what it won is owed to the store. Raises StoreUnavailable.
        """
        name, owner = b"won/" + session.place, os.urandom(16)
        said = self._vault.store.claim(name, owner, now=self._now(), seconds=WORD_SECONDS)
        word = Word(session, owner if said else None)
        try:
            yield word
        finally:
            if not word.owed:
                self._take_back(word)

    def arrived(self, session: Session, settled: Callable[[SessionRecord], bool]) -> Session | None:
        """What somebody else has won, if it comes in time. Raises as Vault.change does."""
        for _ in range(int(ARRIVAL_SECONDS / LOOK_SECONDS)):
            if budget.left() < REFRESH_SECONDS + 2 * LOOK_SECONDS:
                return None  # whoever waited for a turn that ended has waited for this as well
            self._pause(LOOK_SECONDS)
            current = self._vault.reload(session)
            if current is None:
                raise SessionEnded(
                    "This session ended meanwhile; sign in again.", code="ended_meanwhile"
                )
            if settled(current.record):
                return current
        return None

    def write(self, word: Word, change: Change, lost: Callable[[], object]) -> Session:
        """Write what was won. `lost` is called when the session is gone by then.

        Raises SessionEnded then, and StoreUnavailable when the store does not take it in
        KEEP_SECONDS; after that it is tried from the background.
        """
        ends_at = time.monotonic() + KEEP_SECONDS  # tries that time out take long themselves
        tries = int(KEEP_SECONDS / LOOK_SECONDS)
        for tried in range(tries):
            try:
                return self._vault.change(word.session, change)
            except SessionEnded:
                lost()
                raise
            except StoreUnavailable:
                if tried == tries - 1 or time.monotonic() >= ends_at:
                    self._owe(word, change, lost)
                    raise
                self._pause(LOOK_SECONDS)
        raise AssertionError("unreachable")

    @property
    def owed(self) -> int:
        """How many the store has not taken yet."""
        return len(self._owed)

    def _owe(self, word: Word, change: Change, lost: Callable[[], object]) -> None:
        with self._lock:
            if len(self._owed) >= MOST:
                return
            word.owed = True
            self._owed.append(_Owed(word, change, lost, self._now() + WORD_SECONDS))
            if self._writer is None:
                self._writer = threading.Thread(target=self._settle, daemon=True, name="won")
                self._writer.start()

    def _settle(self) -> None:
        while True:
            with self._lock:
                if not self._owed:
                    self._writer = None
                    return
                owed = self._owed[0]
            if self._settled(owed):
                with self._lock:
                    self._owed.remove(owed)
            else:
                self._pause(LOOK_SECONDS)  # the store is out for the others as well

    def _settled(self, owed: _Owed) -> bool:
        try:
            self._vault.change(owed.word.session, partial(_unless_renewed, owed))
        except SessionEnded:
            owed.lost()
        except StoreUnavailable:
            if self._now() < owed.until:
                return False
            owed.lost()
        self._take_back(owed.word)
        return True

    def _take_back(self, word: Word) -> None:
        if word.owner is not None:
            with suppress(StoreUnavailable):  # then the next one waits in vain, once
                self._vault.store.release(b"won/" + word.session.place, word.owner)


def _unless_renewed(owed: _Owed, record: SessionRecord) -> SessionRecord:
    # Within a grace somebody may have renewed the old token once more, and that one stands.
    before = owed.word.session.record.tokens
    return owed.change(record) if record.tokens == before else record

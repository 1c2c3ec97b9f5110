"""Sign-outs that the session store could not keep: refused on this host, and finished later."""

import hmac
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import get_args

from webapp.errors import StoreUnavailable
from webapp.keyring import Keyring
from webapp.refusals import TOLD_BYTES, Refusal, Refusals
from webapp.signin.errands import Errands
from webapp.signin.leaving import Depth, Errand, Leaving
from webapp.store.base import Store

_DEPTHS: tuple[Depth, ...] = get_args(Depth)
CLAIM_SECONDS = 5.0
NOBODY, UNTOLD = bytes(32), bytes(TOLD_BYTES)


class Belated:
    """Finishes, as soon as the store answers, what it could not be told. `life` is the longest that
    a session may still live, in seconds; `now` gives epoch seconds.
    """

    def __init__(
        self,
        refusals: Refusals,
        leaving: Leaving,
        errands: Errands,
        store: Store,
        ring: Keyring,
        *,
        life: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._refusals = refusals
        self._leaving = leaving
        self._errands = errands
        self._store = store
        self._ring = ring
        self._life = life
        self._now = now

    def refuse(self, errand: Errand, places: list[bytes], *, told: str | None = None) -> None:
        """Take the errand's ticket for nobody's on this host until the store has ended its session.

        `told` is the refresh token that the provider has been told of already.
        """
        until = int(self._now()) + self._life
        person = bytes.fromhex(errand.person) or NOBODY
        ticket = (errand.ticket or "").encode()
        self._refusals.add(
            [
                Refusal(
                    place,
                    errand.begun,
                    until,
                    _DEPTHS.index(errand.depth),
                    person,
                    self._name(told),
                    self._ring.writing.seal_errand(ticket, place),
                )
                for place in places
            ]
        )

    def work(self) -> None:
        """Finish what waits; next to nothing when that is nothing. Raises StoreUnavailable."""
        for one in self._refusals.waiting():
            name, owner = b"belated/" + one.place, os.urandom(16)
            # All workers of the host see it at the same time.
            if self._store.claim(name, owner, now=self._now(), seconds=CLAIM_SECONDS):
                try:
                    self._finish(one)
                finally:
                    with suppress(StoreUnavailable):
                        self._store.release(name, owner)

    def _finish(self, one: Refusal) -> None:
        errand = self._errand(one)
        # Written down before the record ends, as in every sign-out: only the record has the tokens.
        slip = self._errands.note(errand) if errand.depth != "app" else None
        try:
            ended = self._leaving.end_late(errand)
        except StoreUnavailable:
            if slip:
                self._errands.done(slip)  # this host's own note is enough
            raise
        self._refusals.over(one.place)
        if slip is None:
            return
        if not ended.refresh or self._name(ended.refresh) == one.told:
            self._errands.done(slip)
            return
        slip.errand = ended
        self._errands.put_off(slip, pause=0.0)

    def _errand(self, one: Refusal) -> Errand:
        opened = (key.open_errand(one.ticket, one.place) for key in self._ring.reading)
        ticket = next((plain.decode() for plain in opened if plain is not None), None)
        person = "" if one.person == NOBODY else one.person.hex()
        told = one.told != UNTOLD
        return Errand(one.begun, _DEPTHS[one.depth], ticket, person, told=told)

    def _name(self, token: str | None) -> bytes:
        """By what a refresh token is known again, without holding it."""
        if token is None:
            return UNTOLD
        return hmac.digest(self._ring.writing.index, token.encode(), "sha256")[:TOLD_BYTES]

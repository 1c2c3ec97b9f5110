"""What must still be done for a person who has left: kept in the store, tried until it is done.

A sign-out writes its errand before it begins and takes it away when all was reached. Else whichever
process of the fleet looks next picks it up. `docs/decisions/0019` has the reasons.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial

from webapp.errors import ProviderUnavailable, StoreUnavailable
from webapp.managed_login.client import ManagedLogin
from webapp.signin.leaving import Errand, Leaving
from webapp.store.shelf import Due, Lying, Shelf

LIFE_SECONDS = 30 * 86_400
"""A refresh token's life at Cognito unless the app client says otherwise (AWS:
RefreshTokenValidity); after that there is nothing left to revoke."""
AHEAD_SECONDS = 86_400
"""How long an errand lies that was written ahead, and its tombstone when it is done at once. One
that was tried in vain lies for all of LIFE_SECONDS."""
GRACE_SECONDS = 10.0
"""Nobody picks an errand up while the sign-out that wrote it is at it."""
SLOW_SECONDS = 30.0
"""Longer than GlobalSignOut with a renewal of its token takes, each step up to its deadline."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
MOST = 10_000
FAILURES = 2
"""After so many failures in one go the provider is taken to be out, and the rest waits."""


@dataclass(slots=True)
class Slip:
    """An errand in the hands of whoever is at it. `lying` is None while the store has no copy."""

    errand: Errand
    due: float
    lying: Lying | None = None
    tries: int = 0


class Errands:
    """Revocations and the like under way. `now` gives epoch seconds.

    Nothing here but `work` raises StoreUnavailable: what the store does not take is held in this
    process until it does. `report` is told of errands that are lost, and how many; `hurry` within
    how many seconds to look again.
    """

    def __init__(
        self,
        managed_login: ManagedLogin,
        leaving: Leaving,
        shelf: Shelf,
        *,
        now: Callable[[], float] = time.time,
        report: Callable[[str, int], object] = lambda event, count: None,
    ) -> None:
        self._managed_login = managed_login
        self._leaving = leaving
        self._shelf = shelf
        self._now = now
        self._report = report
        self._held: dict[int, Slip] = {}
        self.hurry: Callable[[float], object] = lambda seconds: None

    def revoke(self, refresh_token: str) -> bool:
        """Revoke now; if the provider is out of reach, later. Whether it is done already."""
        slip = self.note(self._revocation(refresh_token))
        try:
            self._managed_login.revoke(refresh_token)
        except ProviderUnavailable:
            self.put_off(slip)
            return False
        self.done(slip)
        return True

    def later(self, refresh_token: str) -> None:
        """Revoke from the background, again and again."""
        self._write(Slip(self._revocation(refresh_token), self._now()), LIFE_SECONDS)
        self.hurry(0.0)

    def note(self, errand: Errand) -> Slip:
        """Write down what is about to be done, so that a crash on the way loses nothing."""
        slip = Slip(errand, self._now() + GRACE_SECONDS)
        self._write(slip, AHEAD_SECONDS)
        return slip

    def keep(self, slip: Slip, errand: Errand, *, grace: float = GRACE_SECONDS) -> None:
        """Write down how far it came; nobody else picks it up within `grace` seconds."""
        slip.errand, slip.due = errand, self._now() + grace
        self._write(slip, LIFE_SECONDS)

    def put_off(self, slip: Slip, *, pause: float | None = None) -> None:
        """Leave what is left for later: after `pause` seconds, or after twice the last pause."""
        slip.tries += 1
        if pause is None:
            pause = min(FIRST_PAUSE * 2 ** min(slip.tries - 1, 30), LONGEST_PAUSE)
        slip.due = self._now() + pause
        if slip.due >= slip.errand.begun + LIFE_SECONDS:
            self._report("errand_given_up", 1)
            self.done(slip)
            return
        self._write(slip, LIFE_SECONDS)
        self.hurry(pause)

    def done(self, slip: Slip) -> None:
        """Take it away: nothing is left to do."""
        self._held.pop(id(slip), None)
        if slip.lying is not None:
            with suppress(StoreUnavailable):  # then it is done once more, which does no harm
                self._shelf.remove(slip.lying.key)

    def carry_out(self, slip: Slip) -> None:
        """Do all that is left of it. Raises Unavailable, with progress kept."""
        ended = self._leaving.end_late(slip.errand)
        if ended != slip.errand:
            self.keep(slip, ended, grace=SLOW_SECONDS)
        slip.errand = self._leaving.tell(slip.errand, partial(self.keep, slip, grace=SLOW_SECONDS))
        self.done(slip)

    def work(self) -> None:
        """Do what is due and within reach. Raises StoreUnavailable."""
        self._shelve()
        failures = 0
        for slip in list(self._held.values()):
            if slip.due <= self._now() and failures < FAILURES:
                with suppress(StoreUnavailable):
                    failures += not self._tried(slip)
        if not self._shelf.our_turn():
            return
        lying = self._shelf.lying()
        self._drop(lying[MOST:])
        for one in lying[:MOST]:
            if one.due > self._now():
                continue
            if failures >= FAILURES or not self._shelf.our_turn():
                return
            failures += not self._picked_up(one)

    @property
    def waiting(self) -> int:
        """How many wait in this process alone, since the store takes none."""
        return len(self._held)

    def _shelve(self) -> None:
        for slip in list(self._held.values()):
            self._write(slip, LIFE_SECONDS)
            if id(slip) in self._held:
                return  # the store is still out

    def _picked_up(self, due: Due) -> bool:
        with self._shelf.taken(due) as lying:
            errand = _errand(lying.plain) if lying else None
            if lying is None or errand is None:
                return True
            return self._tried(Slip(errand, due.due, lying, lying.tries))

    def _tried(self, slip: Slip) -> bool:
        try:
            self.carry_out(slip)
        except ProviderUnavailable:
            self.put_off(slip)
            return False
        return True

    def _revocation(self, refresh_token: str) -> Errand:
        return Errand(int(self._now()), refresh=refresh_token, ended=True)

    def _write(self, slip: Slip, life: float) -> None:
        plain, until = _plain(slip.errand), slip.errand.begun + life
        try:
            if slip.lying is None:
                slip.lying = self._shelf.put(plain, due=slip.due, until=until)
            else:
                lying = replace(slip.lying, plain=plain, until=int(until), tries=slip.tries)
                # Where another process has taken it up meanwhile, ours is its older state.
                slip.lying = self._shelf.again(lying, due=slip.due) or slip.lying
        except StoreUnavailable:
            if len(self._held) >= MOST and id(slip) not in self._held:
                self._report("errand_dropped", 1)
            else:
                self._held[id(slip)] = slip
        else:
            self._held.pop(id(slip), None)

    def _drop(self, surplus: list[Due]) -> None:
        for one in surplus:
            self._shelf.remove(one.key)
        if surplus:
            self._report("errand_dropped", len(surplus))


def _plain(errand: Errand) -> bytes:
    return json.dumps(asdict(errand), separators=(",", ":")).encode()


def _errand(plain: bytes) -> Errand | None:
    try:
        return Errand(**json.loads(plain))
    except (ValueError, TypeError):  # of another release, which will find it
        return None

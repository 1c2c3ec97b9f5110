"""What befalls a fleet in a soak: a deck of cards, shuffled by the seed, one after another."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Literal

from tests.security.fleet import Fleet
from tests.soak.facts import Outage, OutOf
from tests.soak.hands import harms
from tests.soak.provider import Provider, Sickness

CALM_SECONDS = (1.5, 3.0)
OUT_SECONDS = (2.0, 4.0)
Part = Literal["provider", "pool", "api"]


class Chaos:
    """Plays the deck until its time is over. `outages` tells what was done, and when.

    `say` is told each card as it is played, `out` bounds how long a part is out, in seconds.
    """

    def __init__(
        self,
        fleet: Fleet,
        provider: Provider,
        *,
        dice: random.Random,
        say: Callable[[str], object],
        calm: tuple[float, float] = CALM_SECONDS,
        out: tuple[float, float] = OUT_SECONDS,
        only: Sequence[str] = (),
    ) -> None:
        self._fleet, self._provider = fleet, provider
        self._dice, self._say = dice, say
        self._calm, self._out = calm, out
        self._long = (out[1] + 2.0, out[1] + 4.0)
        self.outages: list[Outage] = []
        self._deck: list[tuple[str, Callable[[], object]]] = [
            ("kill a worker", self._kill_one),
            ("kill a worker", self._kill_one),
            ("kill all workers of a host", self._kill_all),
            ("restart a host", self._restart),
            ("kill with grants in hand", self._kill_with_grants_in_hand),
            ("kill while the store is out", self._kill_without_store),
            ("store out with grants in hand", self._store_out_with_grants_in_hand),
            *((f"store {name}", self._store_card(name)) for name in harms(fleet.store)),
            *(self._card("provider", how) for how in ("reset", "503", "hang", "slow")),
            *(self._card("pool", how) for how in ("reset", "503", "hang")),
            *(self._card("api", how) for how in ("reset", "hang", "slow")),
        ]
        if only:
            self._deck = [card for card in self._deck if card[0] in only]

    def run(self, seconds: float) -> None:
        """Card after card, with calm between; the last one ends in time."""
        until, waiting = time.monotonic() + seconds, list[tuple[str, Callable[[], object]]]()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, self._dice.uniform(*self._calm)))
            if until - time.monotonic() < self._long[1]:
                time.sleep(max(0.0, until - time.monotonic()))
                return
            if not waiting:
                waiting = self._dice.sample(self._deck, len(self._deck))
            name, play = waiting.pop()
            self._say(name)
            play()

    # --- cards --------------------------------------------------------------------------------

    def _kill_one(self) -> None:
        number = self._dice.randrange(len(self._fleet.hosts))
        host = self._fleet.hosts[number]
        self._kill(number, self._dice.sample(host.workers, 1))

    def _kill_all(self) -> None:
        number = self._dice.randrange(len(self._fleet.hosts))
        self._kill(number, self._fleet.hosts[number].workers)

    def _restart(self) -> None:
        number = self._dice.randrange(len(self._fleet.hosts))
        with self._noting("restart", "SIGTERM, then a new start", number):
            self._fleet.hosts[number].restart()

    def _kill_with_grants_in_hand(self) -> None:
        """The provider rotates tokens, and some who asked die before the answer has come."""
        with self._ill("provider", "late"):
            time.sleep(self._dice.uniform(1.0, 1.6))
            self._kill_one()

    def _store_out_with_grants_in_hand(self) -> None:
        """Tokens have rotated when the store goes, and it stays away for longer than usual."""
        name = self._dice.choice(sorted(harms(self._fleet.store)))
        with self._ill("provider", "late"):
            time.sleep(self._dice.uniform(0.9, 1.3))
            with self._noting("store", name), harms(self._fleet.store)[name]():
                time.sleep(self._dice.uniform(*self._long))

    def _kill_without_store(self) -> None:
        self._out_of_store(self._dice.choice(sorted(harms(self._fleet.store))), self._kill_one)

    def _store_card(self, name: str) -> Callable[[], object]:
        return lambda: self._out_of_store(name, lambda: None)

    def _card(self, part: Part, how: Sickness) -> tuple[str, Callable[[], object]]:
        return f"{part} {how}", lambda: self._out_of_part(part, how)

    # --- how ----------------------------------------------------------------------------------

    def _out_of_store(self, name: str, meanwhile: Callable[[], object]) -> None:
        with self._noting("store", name), harms(self._fleet.store)[name]():
            meanwhile()
            time.sleep(self._dice.uniform(*self._out))

    def _out_of_part(self, part: Part, how: Sickness) -> None:
        with self._ill(part, how):
            time.sleep(self._dice.uniform(*self._out))

    def _kill(self, number: int, pids: list[int]) -> None:
        host = self._fleet.hosts[number]
        many = len(host.workers)
        with self._noting("kill", f"kill -9 {len(pids)} of {many}", number):
            for pid in pids:
                with suppress(AssertionError):  # it went by itself a moment ago
                    host.kill_worker(pid)
            host.await_workers(many, without=pids)

    @contextmanager
    def _ill(self, part: Part, how: Sickness) -> Iterator[None]:
        ways = self._provider.parts[part]
        with self._noting(part, how):
            for way in ways:
                way.fall_ill(how)
            try:
                yield
            finally:
                for way in ways:
                    way.heal()

    @contextmanager
    def _noting(self, part: OutOf, how: str, host: int | None = None) -> Iterator[None]:
        began = time.time()
        try:
            yield
        finally:
            self.outages.append(Outage(part, how, began, time.time(), host))

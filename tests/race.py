"""Races by barrier: each round lets several threads start at one moment."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

LONGEST_LEAD = 0.002


class Race:
    """Runs runners at once, again and again, with the head start of a seeded dice."""

    def __init__(
        self, runners: int = 2, *, lead: float = LONGEST_LEAD, seed: int = 20_261_120
    ) -> None:
        self._lead = lead
        self._barrier = threading.Barrier(runners)
        self._dice = random.Random(seed)
        self._pool = ThreadPoolExecutor(runners)

    def run(self, *runners: Callable[[], object]) -> list[object]:
        """What each came to: its result, or the exception that ended it."""
        leads = [self._dice.uniform(0, self._lead) for _ in runners]
        leads[self._dice.randrange(len(leads))] = 0.0

        def one(runner: Callable[[], object], lead: float) -> object:
            self._barrier.wait(10)
            time.sleep(lead)
            try:
                return runner()
            except Exception as error:
                return error

        futures = [
            self._pool.submit(one, runner, lead)
            for runner, lead in zip(runners, leads, strict=True)
        ]
        return [future.result(30) for future in futures]

    def __enter__(self) -> "Race":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


def at_once(*runners: Callable[[], object]) -> list[object]:
    """One race without a head start: what each came to, its result or its exception."""
    with Race(len(runners), lead=0.0) as race:
        return race.run(*runners)

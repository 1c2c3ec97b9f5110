"""What must still be told to the provider after a person is gone: retried until it is done.

The person never waits for it. An errand lives in this process until it succeeds or no longer
matters; `docs/decisions` says what a crash in between costs.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from webapp.errors import ProviderUnavailable, Unavailable

LIFE_SECONDS = 3600.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
MAX_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class _Errand:
    job: Callable[[], object] = field(repr=False)  # it may hold a token
    until: float
    pause: float = FIRST_PAUSE


class Errands:
    """Revocations and the like under way.

    `revoke_now` raises ProviderUnavailable while it does not succeed; between two tries of anything
    are at most `longest` seconds.
    """

    def __init__(
        self,
        revoke_now: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        longest: float = LONGEST_PAUSE,
    ) -> None:
        self._revoke_now = revoke_now
        self._clock = clock
        self._pause = pause
        self._longest = longest
        self._waiting: queue.Queue[_Errand] = queue.Queue(MAX_WAITING)
        self._lock = threading.Lock()
        self._runner: threading.Thread | None = None

    def revoke(self, refresh_token: str) -> bool:
        """Revoke now; if the provider is out of reach, later. Whether it is done already."""
        try:
            self._revoke_now(refresh_token)
        except ProviderUnavailable:
            self.later(refresh_token)
            return False
        return True

    def later(self, refresh_token: str) -> None:
        """Revoke from the background, again and again for an hour."""
        self.repeat(partial(self._revoke_now, refresh_token))

    def repeat(self, job: Callable[[], object], life: float = LIFE_SECONDS) -> None:
        """Do a job from the background until it no longer raises Unavailable, or `life` is over."""
        try:
            self._waiting.put_nowait(_Errand(job, self._clock() + life))
        except queue.Full:
            return
        with self._lock:
            # Made when first needed, so that it lives in the worker and not in gunicorn's parent.
            if self._runner is None or not self._runner.is_alive():
                self._runner = threading.Thread(target=self._run, daemon=True, name="errands")
                self._runner.start()

    @property
    def waiting(self) -> int:
        """How many are not done."""
        return self._waiting.qsize()

    def _run(self) -> None:
        while True:
            errand = self._waiting.get()
            if self._clock() >= errand.until:
                continue
            try:
                errand.job()
            except Unavailable:
                self._pause(errand.pause)
                longer = min(errand.pause * 2, self._longest)
                self._waiting.put(_Errand(errand.job, errand.until, longer))

"""The parts outside, each behind a breaker of its own: what falls sick together, rests together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from webapp.breaker import FAILURES, Breaker, Seats, Verdict
from webapp.observe import event
from webapp.outbound import Outbound, Part, no_sign_of_life

FEWEST_THREADS = 4
"""Of a server that does not say how many it has."""
STORE_FIRST_PAUSE, STORE_LONGEST_PAUSE = 0.25, 1.0
"""Every page waits for the store, so it is looked at again sooner than others."""
STORE_FAIR_SECONDS = 0.3
"""An attempt at the store that had less time says nothing of it."""
TABLE_FAILURES = 12
"""One operation sends again about five times what found no connection; one alone opens nothing."""

Report = Callable[[str, str], object]


@dataclass(frozen=True)
class Parts:
    """Ways out, one for each fate.

    `login` is Managed Login's own host: tokens, revocation, userInfo. `directory` is the user
    pool's in the region: discovery, signing keys, GlobalSignOut. When one of them is sick the other
    goes on: a renewal with known keys does not care for discovery.
    """

    login: Part
    directory: Part
    identity_pool: Part
    sts: Part
    api: Part
    api_aside: Part
    """The API for threads beside those that serve: one breaker, but no seat of theirs."""


def behind_breakers(outbound: Outbound, threads: int | None, report: Report) -> Parts:
    """All parts over one way out, for a process with so many threads for requests."""
    count = threads or FEWEST_THREADS
    house = Seats(count - 2 if count > 8 else count - 1)

    def breaker(name: str, seats: int) -> Breaker:
        return Breaker(
            no_sign_of_life,
            seats=Seats(seats),
            house=house,
            report=partial(report, name),
        )

    def part(name: str, seats: int) -> Part:
        return Part(outbound, breaker(name, seats), heeds=True)

    api = breaker("api", half(count))
    return Parts(
        login=part("login", provider_seats(count)),
        directory=part("directory", provider_seats(count)),
        identity_pool=part("identity_pool", half(count)),
        sts=part("sts", half(count)),
        # A throttled call of the API is one person's, who reads it: the others go on.
        api=Part(outbound, api),
        api_aside=Part(outbound, api, aside=True),
    )


def turn_seats(threads: int | None) -> Seats:
    """How many may wait for what another request does for the same session."""
    return Seats(max(FEWEST_THREADS, half(threads or FEWEST_THREADS)))


def matrices(threads: int | None) -> int:
    """How many access matrices run at a time: each holds a thread, and an API that hangs half."""
    return 2 if (threads or FEWEST_THREADS) > 8 else 1


def provider_seats(threads: int) -> int:
    """How many calls of the user pool may wait: 24 sign-ins do at a time, of 32 threads."""
    return threads - max(1, threads * 6 // 32)


def half(threads: int) -> int:
    """Half of the threads, and at least one call."""
    return max(1, threads // 2)


def store_breaker(verdict: Verdict, failures: int = FAILURES) -> Breaker:
    """A breaker for a store. Without a bulkhead: every page has one call, and none may be refused.

    Its deadline is short, so a store that hangs holds the threads for a second, and then none.
    """
    return Breaker(
        verdict,
        failures=failures,
        first_pause=STORE_FIRST_PAUSE,
        longest_pause=STORE_LONGEST_PAUSE,
        report=partial(log_part, "store"),
    )


table_silent: Verdict = partial(no_sign_of_life, fair=STORE_FAIR_SECONDS)
"""What a failure says of DynamoDB."""


def log_part(name: str, state: str) -> None:
    """Note that a part fell silent, or answers again."""
    event("part_" + state, level="warning" if state == "opened" else "info", part=name)

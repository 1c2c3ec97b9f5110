"""A soak from its start to its verdict."""

import random
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.doubles import User, person
from tests.doubles.users import ADMIN_ROLE, TEAM_A_ROLE, TEAM_B_ROLE
from tests.security.fleet import Fleet, fleet_of
from tests.security.fleet_stores import Kind
from tests.soak.chaos import CALM_SECONDS, OUT_SECONDS, Chaos
from tests.soak.crowd import OVER, ROLL_CALL, Crowd, Post
from tests.soak.facts import Diary, Facts
from tests.soak.provider import Provider
from tests.soak.seat import Who

SECRET = "soak-of-two-hosts-" * 3
EARLIEST_SHARE = 0.2
"""A short-lived token may be renewed in the last fifth of its life, and not before."""
SETTLING_SECONDS = 14.0
"""From the last fault to the roll call: more than the ten seconds that a sign-out may be late."""
FINISHING_SECONDS = 12.0
"""About what the last requests and the roll call take."""


@dataclass(frozen=True)
class Plan:
    """How much. Times are in seconds, `life` that of a token and `keys_life` that of AWS keys."""

    kind: Kind
    seconds: float = 170.0
    seed: int = 20_261_120
    people: int = 36
    processes: int = 2
    workers: int = 2
    threads: int = 16
    life: int = 12
    keys_life: float = 25.0
    settling: float = SETTLING_SECONDS
    calm: tuple[float, float] = CALM_SECONDS
    out: tuple[float, float] = OUT_SECONDS
    only: tuple[str, ...] = ()
    """The cards that are played; all of them when none is named."""

    @property
    def load_seconds(self) -> float:
        """How long the load lasts, with its faults."""
        return max(5.0, self.seconds - self.settling - FINISHING_SECONDS)


class Progress:
    """Says on standard error what is under way."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, what: str) -> None:
        seconds = time.monotonic() - self._began
        print(f"soak {seconds:5.0f} s  {what}", file=sys.stderr, flush=True)


def soaked(plan: Plan, folder: Path, say: Progress) -> Facts:
    """Everything that came to pass; Ctrl-C cuts it short, and what was seen till then counts."""
    say(f"starting two hosts over {plan.kind}")
    with fleet_of(
        folder,
        plan.kind,
        workers=plan.workers,
        threads=plan.threads,
        behind_proxy=plan.kind != "sqlite",
        client_secret="soak+secret/of=the:client",
        SECRET_KEY=SECRET,
    ) as fleet:
        facts = _under_load(plan, fleet, say)
        return replace(facts, log=_lines(fleet), complaints=_complaints(fleet))


def _under_load(plan: Plan, fleet: Fleet, say: Progress) -> Facts:
    issuer, dice = fleet.cognito.issuer, random.Random(plan.seed)
    issuer.pool.rotation, issuer.pool.rotation_grace = True, 0.0
    issuer.mint.id_lifetime = issuer.mint.access_lifetime = plan.life
    fleet.cognito.pool.lifetime = plan.keys_life
    people = [_somebody(number) for number in range(plan.people)]
    issuer.add(*people)
    provider = Provider(fleet.cognito)
    chaos = Chaos(
        fleet,
        provider,
        dice=random.Random(dice.random()),
        say=say,
        calm=plan.calm,
        out=plan.out,
        only=plan.only,
    )
    over_at, diary = float("inf"), Diary()
    with Crowd(_posts(plan, fleet, people, dice)) as crowd:
        try:
            say(f"{plan.people} people, load for {plan.load_seconds:.0f} s")
            chaos.run(plan.load_seconds)
            provider.heal()
            say(f"{crowd.answers:,} answers; everybody rests")
            crowd.rest()
            time.sleep(plan.settling)
            say("roll call")
            diary = crowd.gather(ROLL_CALL)
        except KeyboardInterrupt:
            over_at = time.time()
            say("stopped by hand")
            provider.heal()
            diary = crowd.gather(OVER)
    early = plan.life * EARLIEST_SHARE
    return Facts(diary, provider.grants, chaos.outages, float(plan.life), early, over_at=over_at)


def _posts(plan: Plan, fleet: Fleet, people: list[User], dice: random.Random) -> list[Post]:
    return [
        Post(
            fleet.base_url,
            [host.port for host in fleet.hosts],
            [
                Who(one.email.partition("@")[0], one.email, one.sub, tuple(one.roles))
                for one in people[number :: plan.processes]
            ],
            float(plan.life),
            dice.randrange(1 << 30),
            SECRET,
        )
        for number in range(plan.processes)
    ]


def _somebody(number: int) -> User:
    teams = (("TeamA", TEAM_A_ROLE), ("TeamB", TEAM_B_ROLE))
    groups = teams if number % 2 else (("Admin", ADMIN_ROLE),)
    return person(f"soak-{number:02}@example.com", *groups)


def _lines(fleet: Fleet) -> list[str]:
    return [line for host in fleet.hosts for line in host.log.splitlines()]


def _complaints(fleet: Fleet) -> list[str]:
    complaints = fleet.cognito.complaints
    while fleet.cognito.complaints:
        with suppress(AssertionError):  # they are forgotten with that, server by server
            fleet.cognito.assert_quiet()
    return complaints

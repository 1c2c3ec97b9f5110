"""A whole run, part after part."""

import contextlib
import sys
import time

from tests.bench import apart, full, together
from tests.bench.measure import Field, Table
from tests.bench.plan import Plan
from tests.bench.stand import Stand
from tests.bench.together import PARTY, PORTICO, Figures
from tests.bench.token_check import token_check


class Progress:
    """Says on standard error what is under way, and what the last part took."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def __call__(self, part: str) -> None:
        seconds = time.perf_counter() - self._began
        print(f"bench {seconds:5.0f} s  {part}", file=sys.stderr, flush=True)


def everything(stand: Stand, plan: Plan, table: Table, figures: Figures, *, floors: bool) -> None:
    """Fill table and figures; what was measured before an error stays in them.

    `floors` leaves Portico out.
    """
    say = Progress()
    main = stand.folder / "main.db"
    with contextlib.ExitStack() as stack:
        say("starting")
        bare = [stand.bare_page(), stand.bare_relying_party(stand.folder / "bare.db")]
        runners = [stack.enter_context(start) for start in bare]
        if not floors:
            runners.append(stack.enter_context(stand.portico(f"sqlite:///{main}")))
        field = Field(stand, runners, {PARTY, PORTICO})
        say("interleaved rounds")
        figures |= together.rounds(field, table, plan)
        say("cold connections to the provider")
        figures |= together.cold(field, plan)
        say("sixteen connections")
        together.busy(field, table, plan)
        say("pages while sign-ins wait")
        figures |= together.waiting(field, plan)
        if floors:
            return
        say("access matrix")
        figures |= together.matrix(field, plan)
        say("provider calls, cookies, growth")
        figures |= together.provider_calls(field) | together.cookies(field)
        figures["token"] = stand.work(token_check).result()
        figures |= apart.growth(stand, field.runners[PORTICO], main, plan)
    url = f"sqlite:///{main}"
    say("starts and memory")
    figures |= apart.starts(stand, plan, url) | apart.memory(stand, url)
    say("two workers")
    figures |= apart.workers(stand, main, plan)
    say(f"filling three stores with {plan.stored[1]:,} sessions")
    with full.filled(stand, plan) as pairs:
        say("the same with few and many sessions")
        figures |= full.measured(stand, pairs, table, plan)
    say("done")

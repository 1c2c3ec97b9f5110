"""What needs a server of its own: start, memory, a second worker, a store that is full.

Each part gives figures by the keys of budget.py.
"""

import contextlib
import functools
import sqlite3
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.bench import jobs
from tests.bench.jobs import HTML, JSON
from tests.bench.measure import ratio
from tests.bench.plan import BUSY_CONNECTIONS, Plan
from tests.bench.stand import Running, Stand
from tests.bench.together import Figures

Start = Callable[..., AbstractContextManager[Running]]
SECONDS = 0.7
"""How long each server is kept busy at a turn."""


def starts(stand: Stand, plan: Plan, store_url: str) -> Figures:
    """Seconds from the command to the first 200, the median of a few starts."""
    seconds = []
    for _ in range(plan.starts):
        with stand.portico(store_url) as running:
            seconds.append(running.started)
    return {"start": statistics.median(seconds)}


def memory(stand: Stand, store_url: str) -> Figures:
    """Memory at rest after a few pages: parent and first worker, then what a second one adds."""
    totals = []
    for workers in (1, 2):
        with stand.portico(store_url, workers=workers, preload=True) as running:
            stand.drive(running, jobs.busy_pages, "/", HTML, "", BUSY_CONNECTIONS, 0.3)
            totals.append(sum(running.server.memory()))
    return {"memory_first": totals[0], "memory_more": totals[1] - totals[0]}


def growth(stand: Stand, running: Running, store: Path, plan: Plan) -> Figures:
    """What a sign-in leaves behind in the worker and in the store's files, in KB (10^3 bytes)."""
    count = max(200, plan.sign_ins * 3)
    stand.drive(running, jobs.sign_ins, "/login", count // 2)
    before, kept = sum(running.server.memory()), _size(store)
    stand.drive(running, jobs.sign_ins, "/login", count)
    return {
        "memory_session": (sum(running.server.memory()) - before) * 1000 / count,
        "store_session": (_size(store) - kept) / 1000 / count,
    }


def _size(store: Path) -> int:
    with contextlib.closing(sqlite3.connect(store)) as database:
        # What waits in the write-ahead log is no larger in the end than in the file itself.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store.stat().st_size


def workers(stand: Stand, store: Path, plan: Plan) -> Figures:
    """Pages a second of two workers over those of one, at sixteen connections, by turns."""
    party = functools.partial(stand.bare_relying_party, store.with_suffix(".bare"))
    portico = functools.partial(stand.portico, f"sqlite:///{store}")
    figures: Figures = {}
    starts: dict[str, Start] = {"workers": portico, "workers_bare": party}
    for key, start in starts.items():
        with start(workers=1) as one, start(workers=2) as two:
            rates: dict[str, list[float]] = {"one": [], "two": []}
            for _ in range(plan.workers_rounds + 1):
                for name, running in (("one", one), ("two", two)):
                    cookie = stand.drive(running, jobs.visit, 0).cookie
                    sample = stand.drive(
                        running, jobs.busy_pages, "/me", JSON, cookie, BUSY_CONNECTIONS, SECONDS
                    )
                    rates[name].append(len(sample.latencies) / sample.elapsed)
        figures[key] = ratio(rates["two"][1:], rates["one"][1:])  # the first one warms
    return figures

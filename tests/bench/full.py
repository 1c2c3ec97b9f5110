"""Few sessions stored and many, on every store, by turns: what a store costs, and a full one."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tests.bench import jobs, prefill
from tests.bench.jobs import JSON
from tests.bench.measure import Table, ratio, take
from tests.bench.plan import EMULATOR_SECONDS, Plan
from tests.bench.stand import Running, Stand
from tests.bench.together import FEWEST_ROUNDS, Figures
from tests.contract.redis_server import started
from tests.parts import program

NO_REDIS = "no Redis"
STORES = {"": "SQLite", "_redis": "Redis", "_dynamodb": "DynamoDB"}
"""Portico's, by the ending of their figures."""
KINDS = {"page": "page", "sign_in": "sign-in"}
"""Operations as figures name them, and as tables do."""
WARM_PAGES, WARM_SIGN_INS = 40, 10


class Pair(NamedTuple):
    """The same application over a store with few sessions, and over one with many."""

    few: Running
    many: Running


@contextlib.contextmanager
def filled(stand: Stand, plan: Plan) -> Iterator[dict[str, Pair]]:
    """Every pair that this machine can have, by the ending of its figures; `_bare` is the floor."""
    folder, counts = stand.folder, plan.stored
    pairs: dict[str, Pair] = {}
    with contextlib.ExitStack() as stack:
        start = stack.enter_context
        tables = dict(zip(("few", "many"), counts, strict=True))
        emulator, way = start(stand.emulator(tables))
        bare = [folder / f"bare-{name}.db" for name in tables]
        pairs["_bare"] = Pair(*(start(stand.bare_relying_party(path)) for path in bare))
        for running in pairs["_bare"]:
            stand.drive(running, jobs.visit, 0)  # makes the table that is to be filled
        urls = [f"sqlite:///{folder / name}.db" for name in tables]
        work = [stand.work(prefill.prefill_portico, *one) for one in zip(urls, counts, strict=True)]
        work += [stand.work(prefill.prefill_bare, *one) for one in zip(bare, counts, strict=True)]
        caches: list[str] = []
        if program("redis"):
            server = start(started(folder / "redis"))
            caches = [f"{server.url}/{number}" for number in range(2)]
            gathered = zip(caches, counts, strict=True)
            work += [stand.work(prefill.prefill_redis, *one) for one in gathered]
        for done in work:
            done.result()
        emulator.wait_listening(EMULATOR_SECONDS)
        pairs[""] = Pair(*(start(stand.portico(url)) for url in urls))
        if caches:
            pairs["_redis"] = Pair(*(start(stand.portico(url)) for url in caches))
        items = [f"dynamodb://{name}" for name in tables]
        pairs["_dynamodb"] = Pair(*(start(stand.portico(url, way)) for url in items))
        yield pairs


def measured(stand: Stand, pairs: Mapping[str, Pair], table: Table, plan: Plan) -> Figures:
    """Each store's cost over SQLite's, and with many sessions over with few; rows for `table`.

    Pages go over many browsers by turns, so that each is another record.
    """
    for pair in pairs.values():
        for running in pair:
            once(stand, running, Table(), "", WARM_PAGES, WARM_SIGN_INS)
    rounds, began = Table(), time.perf_counter()
    for number in range(plan.stored_rounds):
        if number >= FEWEST_ROUNDS and time.perf_counter() - began > plan.stored_seconds:
            break
        for ending, pair in pairs.items():
            for name in Pair._fields if number % 2 else reversed(Pair._fields):
                running = getattr(pair, name)
                once(stand, running, rounds, ending + name, plan.stored_pages, plan.stored_sign_ins)
    for ending, store in STORES.items():
        for what in KINDS.values() if ending in pairs else ():
            table[f"Portico on {store}", what] = rounds[f"{ending}few", what]
    return compared(rounds, set(pairs))


def once(stand: Stand, running: Running, table: Table, who: str, pages: int, sign_ins: int) -> None:
    """Some sign-ins, then pages of those people."""
    signed = take(stand, running, jobs.sign_ins, "/login", sign_ins)
    table[who, "sign-in"].add(signed)
    turns = list(signed.sample.cookies)
    table[who, "page"].add(take(stand, running, jobs.pages, "/me", JSON, turns, pages))


def compared(rounds: Table, endings: set[str]) -> Figures:
    """The figures of what was measured; a word in the place of those that this machine lacks."""
    figures: Figures = {}
    for ending in ("_bare", *STORES):
        for key, what in KINDS.items():
            full, beside = f"stored_{key}{ending}", f"{key}{ending}"
            here = ending in endings
            few, many = (rounds[ending + name, what].cpu for name in Pair._fields)
            figures[full] = ratio(many, few) if here else NO_REDIS
            if ending in STORES and ending:
                sqlite = rounds["few", what].cpu
                figures[beside] = ratio(few, sqlite) if here else NO_REDIS
    return figures

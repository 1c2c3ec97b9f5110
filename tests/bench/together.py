"""Everyone measured together, by turns: cost, rate, calls to the provider, pages while it is slow.

Each part gives figures by the keys of budget.py.
"""

import statistics
import time

from tests.bench import jobs
from tests.bench.client import Connection
from tests.bench.jobs import HTML, JSON
from tests.bench.measure import Field, Table, quantile, ratio
from tests.bench.operations import get
from tests.bench.plan import (
    BUSY_CONNECTIONS,
    MATRIX_API_SECONDS,
    PAGE_EVERY_SECONDS,
    WAITING_SECONDS,
    WAITING_SIGN_INS,
    Plan,
)

Figures = dict[str, float | str]
"""By the keys of budget.py; a word where the machine lacks what it takes."""
PAGE, PARTY, PORTICO = "Bare page", "Bare relying party", "Portico"
FEWEST_ROUNDS = 2
TO_ME = "/login?next=/me"


def once(field: Field, table: Table, plan: Plan, who: str) -> None:
    """One round of everything that one server offers."""
    take, cookies, n = field.take, [field.visits[who].cookie], plan.pages
    if who == PAGE:
        table[who, "page"].add(take(who, jobs.pages, "/", HTML, cookies, n))
        return
    table[who, "page"].add(take(who, jobs.pages, "/me", JSON, cookies, n))
    table[who, "sign-in"].add(take(who, jobs.sign_ins, "/login", plan.sign_ins))
    table[who, "call"].add(take(who, jobs.calls, field.visits[who], plan.calls))
    if who == PORTICO:
        table[who, "home"].add(take(who, jobs.pages, "/", HTML, cookies, n))
        table[who, "home signed out"].add(take(who, jobs.pages, "/", HTML, [""], n))
        table[who, "sign-in to /me"].add(take(who, jobs.sign_ins, TO_ME, plan.sign_ins))


def rounds(field: Field, table: Table, plan: Plan) -> Figures:
    """Interleaved rounds, the order turning; the first round only warms."""
    names = list(field.runners)
    small = plan._replace(pages=60, sign_ins=20, calls=20)
    for who in names:
        once(field, Table(), small, who)
    began = time.perf_counter()
    for number in range(plan.rounds):
        if number >= FEWEST_ROUNDS and time.perf_counter() - began > plan.rounds_seconds:
            break  # a machine this busy gets fewer rounds, so that the run still ends in time
        for place in range(len(names)):
            once(field, table, plan, names[(place + number) % len(names)])
    if PORTICO not in names:
        return {}

    def over(what: str, floor: str, floor_what: str) -> float:
        return ratio(table[PORTICO, what].cpu, table[floor, floor_what].cpu)

    return {
        "me": over("page", PARTY, "page"),
        "home": over("home", PAGE, "page"),
        "sign_in": over("sign-in", PARTY, "sign-in"),
        "sign_in_me": over("sign-in to /me", PARTY, "sign-in"),
        "call": over("call", PARTY, "call"),
    }


def provider_calls(field: Field) -> Figures:
    """Calls to the outside that Portico makes for one operation of each kind."""
    visit = field.visits[PORTICO]
    page = field.take(PORTICO, jobs.pages, "/me", JSON, [visit.cookie], 20).calls
    home = field.take(PORTICO, jobs.pages, "/", HTML, [visit.cookie], 20).calls
    call = field.take(PORTICO, jobs.calls, visit, 20).calls
    return {
        "calls_sign_in": sum(field.take(PORTICO, jobs.sign_ins, "/login", 20).calls.values()),
        "calls_page": max(sum(page.values()), sum(home.values())),
        "calls_api": call.get("api", 0.0),
        "calls_other": sum(n for name, n in call.items() if name != "api"),
    }


def cookies(field: Field) -> Figures:
    """Size of the signed-in cookie, and how many the anonymous home page sets."""
    target = field.runners[PORTICO].target
    connection = Connection(target.port)
    answer = connection.ask(get(target, "/"))
    connection.close()
    return {
        "cookie": len(field.visits[PORTICO].cookie),
        "anonymous_cookies": len(answer.headers("set-cookie")),
    }


def cold(field: Field, plan: Plan) -> Figures:
    """What a sign-in costs more when the provider closes its connection after each answer."""
    figures: Figures = {}
    for key, who in (("cold", PORTICO), ("cold_bare", PARTY)):
        extra = []
        for _ in range(plan.cold_rounds if who in field.runners else 0):
            warm = field.take(who, jobs.sign_ins, "/login", plan.sign_ins).cpu
            field.stand.counts("close=1")
            extra.append(field.take(who, jobs.sign_ins, "/login", plan.sign_ins).cpu - warm)
            field.stand.counts("close=0")
        if extra:
            figures[key] = statistics.median(extra)
    return figures


def busy(field: Field, table: Table, plan: Plan) -> None:
    """Operations a second, and p99, at sixteen connections."""
    many, seconds = BUSY_CONNECTIONS, plan.busy_seconds
    for (who, what), series in table.items():
        running, visit, drive = field.runners[who], field.visits[who], field.stand.drive
        if what == "sign-in":
            sample = drive(running, jobs.busy_sign_ins, many, seconds)
        elif what == "call":
            sample = drive(running, jobs.busy_calls, visit, many, seconds)
        elif what in ("page", "home"):
            at_me = what == "page" and who != PAGE
            path, accept = ("/me", JSON) if at_me else ("/", HTML)
            sample = drive(running, jobs.busy_pages, path, accept, visit.cookie, many, seconds)
        else:
            continue
        series.rate = len(sample.latencies) / sample.elapsed
        series.busy_p99 = quantile(sample.latencies, 0.99)


def matrix(field: Field, plan: Plan) -> Figures:
    """The access matrix at an API that takes its time; the first run fetches the keys."""
    stand, running, visit = field.stand, field.runners[PORTICO], field.visits[PORTICO]
    stand.drive(running, jobs.access_matrix, visit)
    stand.counts(f"api_delay={MATRIX_API_SECONDS}")
    runs = [stand.drive(running, jobs.access_matrix, visit) for _ in range(plan.matrices)]
    stand.counts("api_delay=0")
    return {
        "matrix": statistics.median(run.wall / run.slowest for run in runs),
        "matrix_calls": max(run.calls for run in runs),
    }


def waiting(field: Field, plan: Plan) -> Figures:
    """Pages while many sign-ins wait on a slow token endpoint."""
    figures: Figures = {}
    stand, seconds = field.stand, plan.waiting_seconds
    for ending, who in (("", PORTICO), ("_bare", PARTY)):
        if who not in field.runners:
            continue
        running, cookie = field.runners[who], field.visits[who].cookie
        stand.counts(f"delay={WAITING_SECONDS}")
        under_way = stand.work(jobs.busy_sign_ins, running.target, WAITING_SIGN_INS, seconds)
        pages = stand.drive(
            running, jobs.paced_pages, "/me", JSON, cookie, PAGE_EVERY_SECONDS, seconds
        )
        sign_ins = stand.finished(running, under_way)
        stand.counts("delay=0")
        figures[f"waiting_p99{ending}"] = quantile(pages.latencies, 0.99) * 1000
        if who == PORTICO:
            figures["waiting_rate"] = len(sign_ins.latencies) / sign_ins.elapsed
    return figures

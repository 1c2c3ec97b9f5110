"""What a person reads at the end of a soak, and the same as data."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.soak.facts import NO_ANSWER, REFUSED, Facts, Grant
from tests.soak.judge import Case, Verdict
from tests.soak.run import Plan

BEFORE_SECONDS, AFTER_SECONDS = 15.0, 3.0
MOST_LINES = 25
MOST_CASES = 12
STATUSES = {NO_ANSWER: "broken", REFUSED: "refused"}


def as_data(plan: Plan, facts: Facts, verdict: Verdict) -> dict[str, Any]:
    """Everything, ready for JSON."""
    return {
        "plan": {"store": plan.kind, **{k: v for k, v in vars(plan).items() if k != "kind"}},
        "good": verdict.good,
        "summary": summary(verdict),
        "sessions_lost": verdict.count("lost"),
        "refreshes_per_expiry": None if not verdict.expiries else verdict.per_expiry,
        "expiries": verdict.expiries,
        "resurrections": verdict.count("resurrection"),
        "foreign_answers": verdict.count("foreign"),
        "statuses": {str(k): n for k, n in sorted(_statuses(facts).items())},
        "answers": [
            {"what": what, "p50": _quantile(times, 0.5), "p99": _quantile(times, 0.99)}
            | {STATUSES.get(k, str(k)): n for k, n in sorted(statuses.items())}
            for what, (statuses, times) in sorted(_by_request(facts).items())
        ],
        "acts": dict(facts.diary.counts),
        "faults": dict(Counter(f"{one.part} {one.how}" for one in facts.outages)),
        "legal": dict(verdict.legal),
        "broken": [vars(case) | {"facts": list(_around(case, facts))} for case in verdict.broken],
    }


def as_text(plan: Plan, facts: Facts, verdict: Verdict) -> str:
    """The tables, the broken promises with what is needed to find out why, and the figures."""
    data = as_data(plan, facts, verdict)
    lines = [
        f"soak over {plan.kind}: {plan.seconds:.0f} s, {plan.people} people from {plan.processes}"
        f" client processes, 2 hosts x {plan.workers} workers x {plan.threads} threads,"
        f" tokens of {plan.life} s that rotate without grace, seed {plan.seed}",
        "",
        *_table(facts),
        "",
        _listed("acts", data["acts"]),
        _listed("faults", data["faults"]),
        _listed("refreshes", {"expiries": verdict.expiries, "grants": verdict.grants}),
    ]
    lines += [f"legal {count:>5} x {reason}" for reason, count in sorted(verdict.legal.items())]
    for number, case in enumerate(verdict.broken[:MOST_CASES]):
        lines += [
            "",
            f"BROKEN {number + 1}: {case.kind}, session {case.session or '-'}, {_clock(case.at)}",
        ]
        lines += [f"    {case.text}", *(f"    | {line}" for line in _around(case, facts))]
    if len(verdict.broken) > MOST_CASES:
        kinds = Counter(case.kind for case in verdict.broken)
        lines += ["", f"{len(verdict.broken)} broken promises in all: {dict(kinds)}"]
    return "\n".join([*lines, "", summary(verdict)])


def summary(verdict: Verdict) -> str:
    """The figures in one line; beside the promised ones, whatever else is wrong."""
    known = ("lost", "double refresh", "resurrection", "foreign", "500", "unforeseen")
    wrong = verdict.count("500") + verdict.count("unforeseen")
    rest = Counter(case.kind for case in verdict.broken if case.kind not in known)
    said = [
        f"sessions lost {verdict.count('lost')}",
        f"refreshes per expiry {verdict.per_expiry:.3f}",
        f"resurrections {verdict.count('resurrection')}",
        f"foreign answers {verdict.count('foreign')}",
        f"{wrong} times 500" if wrong else "no 500",
    ]
    return ", ".join([*said, *(f"{kind} {count}" for kind, count in sorted(rest.items()))])


def _by_request(facts: Facts) -> dict[str, tuple[Counter[int], list[float]]]:
    found: dict[str, tuple[Counter[int], list[float]]] = defaultdict(lambda: (Counter(), []))
    for what, status, seconds in facts.diary.answers:
        found[what][0][status] += 1
        found[what][1].append(seconds)
    return found


def _statuses(facts: Facts) -> Counter[int]:
    return Counter(status for _, status, _ in facts.diary.answers)


def _table(facts: Facts) -> list[str]:
    statuses = sorted(_statuses(facts))
    heads = "".join(f"{STATUSES.get(status, status):>8}" for status in statuses)
    lines = [f"{'':30}{heads}{'p50 ms':>9}{'p99 ms':>9}"]
    for what, (counts, times) in sorted(_by_request(facts).items()):
        cells = "".join(f"{counts[status] or '':>8}" for status in statuses)
        halves = (_quantile(times, 0.5) * 1000, _quantile(times, 0.99) * 1000)
        lines.append(f"{what:30}{cells}{halves[0]:>9.0f}{halves[1]:>9.0f}")
    return lines


def _around(case: Case, facts: Facts) -> Iterator[str]:
    """Faults, grants and log lines near a case, in the order of time."""
    if not case.at or case.at == float("inf"):
        return
    since, until = case.at - BEFORE_SECONDS, case.at + AFTER_SECONDS
    found = [
        (one.began, f"fault   {one.part} {one.how}, {one.ended - one.began:.1f} s, host {one.host}")
        for one in facts.outages
        if one.began <= until and one.ended >= since
    ]
    codes = {one.code for one in facts.diary.signed_in if one.session == case.session}
    families = {one.family for one in facts.grants if one.token in codes}
    subjects = {one.subject for one in facts.grants if one.family in families} - {""}
    found += [
        (one.at, _grant(one, families))
        for one in facts.grants
        if one.at <= until
        and (one.family in families or (one.kind == "everywhere" and one.subject in subjects))
    ][-MOST_LINES:]
    found += [
        (one.asked.began, f"broken  {one.asked.what} at host {one.asked.host}")
        for one in facts.diary.broken
        if one.session == case.session != "" and since <= one.asked.began <= until
    ]
    found += [(at, f"log     {line[:400]}") for at, line in _log_of(case, facts.log)]
    for at, text in sorted(found)[-2 * MOST_LINES :]:
        yield f"{_clock(at)} {text}"


def _grant(one: Grant, ours: set[str]) -> str:
    of = "" if one.family in ours else f" of their sign-in {one.family[:8]}"
    return f"grant   {one.kind} {one.outcome} {one.token} -> {one.won or '-'}{of}"


def _log_of(case: Case, log: list[str]) -> Iterator[tuple[float, str]]:
    """The log lines that name the session, and those of the same requests."""
    ids = {word for word in case.text.split() if len(word) == 16}
    ours = [line for line in log if case.session and case.session in line]
    for line in ours:
        if line.startswith("{"):
            ids.add(str(json.loads(line).get("request_id", "")))
    for line in log:
        if line.startswith("{"):
            event = json.loads(line)
            if event.get("request_id") in ids - {""} or (case.session and case.session in line):
                yield _epoch(str(event.get("timestamp"))), line


def _epoch(text: str) -> float:
    whole, _, part = text.rstrip("Z").partition(".")
    seconds = time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone
    return seconds + float(f"0.{part or 0}")


def _clock(at: float) -> str:
    if at in (0.0, float("inf")):
        return "-"
    return time.strftime("%H:%M:%S", time.gmtime(at)) + f"{at % 1:.3f}"[1:]


def _listed(head: str, counts: dict[str, int]) -> str:
    return f"{head}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

"""From facts to a verdict: what broke a promise, and what was legal, with its reason.

Nothing here looks at a clock or at the fleet, so that a planted fault can be judged as a true one.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.soak.facts import REFUSED, Broken, Facts, Finding, Grant, Outage

LATE_SECONDS = 10.0
"""A sign-out that the store could not keep is done so long after it is back (SO-06)."""
HELD_SECONDS = 2.0
"""How long a won token may be in one worker's hands alone: the provider's late answer, a write."""
SLACK_SECONDS = 1.5
"""Times in tokens are whole seconds, and requests take a while."""
BACK_SECONDS = 1.0
"""Between a new worker's start and its first answer."""

KILLED = "session ended: worker killed between grant and write, grace 0 (CC-04)"
KILLED_AGAIN = "the token of such a session tried once more"
EVERYWHERE_LATE = (
    "session ended: their own sign-out everywhere, asked for before, was held up by a fault"
)
SAME_SECOND = (
    "session ended: signed in within a second of their own sign-out everywhere, which was held up"
)
LEAVING = "a sign-out everywhere tried the token that a refresh had spent a moment before"
OUT_OF_STORE = "signed out while the store was out: the other host knows within 10 s (SO-06)"
ELSEWHERE = "ended from another browser less than a second before (SE-14)"
AT_A_KILL = "no answer: in flight when its worker was killed or its host restarted (RT-01)"
NO_WORKER = "no connection: the host was being restarted, or had no worker left"


@dataclass
class Case:
    """One thing that is wrong, or legal for this reason."""

    kind: str
    text: str
    at: float
    session: str = ""
    reason: str | None = None


@dataclass
class Verdict:
    """`broken` holds every broken promise, by its kind; `legal` counts what has a reason."""

    broken: list[Case] = field(default_factory=list)
    legal: Counter[str] = field(default_factory=Counter)
    expiries: int = 0
    grants: int = 0

    @property
    def per_expiry(self) -> float:
        """Refreshes for each token that came to its end; nan when there was none."""
        return self.grants / self.expiries if self.expiries else float("nan")

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not self.broken

    def count(self, kind: str) -> int:
        """How often this promise was broken."""
        return sum(case.kind == kind for case in self.broken)

    def add(self, case: Case) -> None:
        """Sort it where it belongs."""
        if case.reason:
            self.legal[case.reason] += 1
        else:
            self.broken.append(case)


def judge(facts: Facts) -> Verdict:
    """The verdict over a soak."""
    verdict, case = Verdict(), _File(facts)
    for finding in facts.diary.findings:
        if finding.asked.ended < facts.over_at:
            reason = case.reason_for(finding)
            text = f"{finding.person}: {finding.asked.what} at host {finding.asked.host}"
            told = f"{text} answered {finding.asked.status} {finding.said}".rstrip()
            verdict.add(Case(finding.kind, told, finding.asked.began, finding.session, reason))
    case.count_refreshes(verdict)
    for broken in facts.diary.broken:
        if broken.asked.ended < facts.over_at:
            verdict.add(case.of_broken(broken))
    for text in facts.complaints:
        verdict.add(Case("complaint", text, facts.over_at))
    for case_of_log in _log_trouble(facts.log):
        verdict.add(case_of_log)
    return verdict


class _File:
    """The facts, by session and sign-in."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._grants = [one for one in facts.grants if one.at < facts.over_at]
        families = {one.token: one.family for one in self._grants if _is(one, "code")}
        self._family = {one.session: families.get(one.code, "") for one in facts.diary.signed_in}
        self._asked: dict[str, float] = {}
        for out in facts.diary.signed_out:
            self._asked.setdefault(out.session, out.asked_at)  # the first time
        self._session = {family: session for session, family in self._family.items()}
        self._by_family: dict[str, list[Grant]] = defaultdict(list)
        for grant in self._grants:
            self._by_family[grant.family].append(grant)

    # --- findings -----------------------------------------------------------------------------

    def reason_for(self, finding: Finding) -> str | None:
        """Why this was legal, or None."""
        if finding.kind == "lost":
            return self._why_lost(finding)
        if finding.kind == "resurrection":
            return self._why_seen(finding)
        return None

    def _why_lost(self, finding: Finding) -> str | None:
        family, ended = self._family.get(finding.session, ""), finding.asked.ended
        history = [one for one in self._by_family[family] if family and one.at <= ended]
        twice = [one for one in history if self._is_double(one, history)]
        if twice and all(self._died_with(one, history) for one in twice):
            return KILLED
        began = next((one.at for one in history if _is(one, "code")), ended)
        subject = next((one.subject for one in history), "")
        for one in self._grants:
            theirs = _is(one, "everywhere") and one.subject == subject and one.family != family
            if theirs and began <= one.at <= ended and self._was_held_up(one, began):
                return EVERYWHERE_LATE
        for out in self._facts.diary.signed_out if subject else ():
            theirs = out.how == "everywhere" and self._subject(out.session) == subject
            # Sessions and sign-outs are dated in whole seconds; in doubt a sign-out goes further.
            if theirs and out.asked_at <= began < int(out.granted_at) + 1:
                return SAME_SECOND
        return None

    def _subject(self, session: str) -> str:
        history = self._by_family.get(self._family.get(session, ""), [])
        return next((one.subject for one in history), "")

    def _was_held_up(self, everywhere: Grant, began: float) -> bool:
        """Whether it was asked for before the session began, and kept from being done at once."""
        asked_at = self._asked.get(self._session.get(everywhere.family, ""), everywhere.at)
        return asked_at < began and any(
            one.began <= everywhere.at and one.ended >= asked_at - SLACK_SECONDS
            for one in self._facts.outages
            if one.part in ("provider", "store", "kill", "restart")
        )

    def _why_seen(self, finding: Finding) -> str | None:
        asked, until = finding.asked.began, finding.allowed_until
        if until != float("inf"):
            return ELSEWHERE if asked <= until else None
        if finding.asked.host == finding.out_host:
            return None
        return OUT_OF_STORE if asked <= self._store_back(finding.since) + LATE_SECONDS else None

    def _store_back(self, since: float) -> float:
        """When the store was within reach again after a sign-out that it did not take."""
        back = since
        outages = sorted(one for one in self._facts.outages if one.part == "store")
        for one in sorted(outages, key=lambda outage: outage.began):
            if one.began <= back + LATE_SECONDS and one.ended > back:
                back = one.ended
        return back

    # --- refreshes ----------------------------------------------------------------------------

    def count_refreshes(self, verdict: Verdict) -> None:
        """Every token is renewed once, and not before it is due."""
        for family, history in self._by_family.items():
            if not family:
                continue
            session = self._session.get(family, "")
            for one in history:
                if not _is(one, "refresh"):
                    if self._is_double(one, history):
                        reason = self._why_double(one, history, session)
                        verdict.grants += reason is None
                        text = f"{one.token} was presented again after it had been spent"
                        verdict.add(Case("double refresh", text, one.at, session, reason))
                    continue
                verdict.grants += 1
                issued = next((g.at for g in history if g.won == one.token), None)
                due = None if issued is None else issued + self._facts.life - self._facts.early
                if due is not None and one.at < due - SLACK_SECONDS:
                    text = f"{one.token} was renewed {due - one.at:.1f} s before it was due"
                    verdict.add(Case("double refresh", text, one.at, session))
                else:
                    verdict.expiries += 1

    def _why_double(self, one: Grant, history: list[Grant], session: str) -> str | None:
        if self._asked.get(session, one.at) < one.at:
            return LEAVING
        return KILLED_AGAIN if self._died_with(one, history) else None

    def _is_double(self, one: Grant, history: list[Grant]) -> bool:
        refused = one.kind == "refresh" and one.outcome == "refused"
        return refused and self._spent(one, history) is not None

    @staticmethod
    def _spent(one: Grant, history: list[Grant]) -> Grant | None:
        earlier = (g for g in history if _is(g, "refresh") and g.token == one.token)
        return next((g for g in earlier if g.at <= one.at), None)

    def _died_with(self, one: Grant, history: list[Grant]) -> bool:
        """Whether somebody may have died with what this token had won, before it was written."""
        spent = self._spent(one, history)
        if spent is None or any(g.token == spent.won for g in history if g.kind == "refresh"):
            return False  # what it won was kept: somebody presented it later
        until = spent.at + HELD_SECONDS
        for outage in self._facts.outages:
            if outage.part == "store" and outage.began <= until and outage.ended >= spent.at:
                until = max(until, outage.ended + HELD_SECONDS)
        return any(spent.at - 0.1 <= kill.began <= until for kill in self._kills())

    def _kills(self) -> Iterable[Outage]:
        return (one for one in self._facts.outages if one.part == "kill")

    # --- requests without an answer -------------------------------------------------------------

    def of_broken(self, broken: Broken) -> Case:
        """A request that got no answer: legal at a kill or restart of its host."""
        asked = broken.asked
        legal = any(
            one.host == asked.host
            and one.began - 0.2 <= asked.ended
            and asked.began <= one.ended + BACK_SECONDS
            for one in self._facts.outages
            if one.part in ("kill", "restart")
        )
        seconds = asked.ended - asked.began
        text = f"{asked.what} at host {asked.host} got no answer after {seconds:.2f} s"
        reason = (NO_WORKER if asked.status == REFUSED else AT_A_KILL) if legal else None
        return Case("no answer", text, asked.began, broken.session, reason)


def _is(grant: Grant, kind: str) -> bool:
    return grant.kind == kind and grant.outcome == "granted"


def _log_trouble(log: list[str]) -> Iterator[Case]:
    """What the application itself calls unforeseen, and every traceback."""
    for number, line in enumerate(log):
        if line.startswith("{"):
            event = json.loads(line)
            if event.get("event") == "unforeseen":
                text = f"{event.get('error')} in {event.get('where')} {event.get('request_id')}"
                yield Case("unforeseen", text, 0.0)
        elif line.startswith("Traceback"):
            yield Case("traceback", " / ".join(log[number : number + 12])[-600:], 0.0)

"""Examinations for a page: one at a time in a process, each within its time, kept for a moment."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from webapp import budget
from webapp.deadlines import EXAMINATION_SECONDS
from webapp.doctor.examination import Patient, examined
from webapp.doctor.findings import Finding, unknown
from webapp.errors import Unavailable
from webapp.outbound import MIB, OutboundTimedOut, Reply, Sender

KEPT_SECONDS = 10.0
"""Who presses again so soon reads what was found."""


class Hurried:
    """A Sender that no examination outlives: it takes what is left of this thread's time."""

    def __init__(self, outbound: Sender) -> None:
        self._outbound = outbound

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline: float,
        cap: int = MIB,
        safe: bool = False,
    ) -> Reply:
        """As Outbound.send."""
        left = budget.left()
        if left <= 0:
            raise OutboundTimedOut("There is no time left.", reason="no time left")
        return self._outbound.send(
            method,
            url,
            headers=headers,
            body=body,
            deadline=min(deadline, left),
            cap=cap,
            safe=safe,
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What an examination found, and when (epoch seconds)."""

    findings: tuple[Finding, ...]
    at: float

    @property
    def to_change(self) -> int:
        """How many findings ask for a change."""
        return sum(finding.verdict == "change" for finding in self.findings)


class Rounds:
    """Examines one patient, who is brought at the first time and kept.

    However many ask, one thread of the process is busy with it, for `seconds` at most.
    """

    def __init__(
        self,
        patient: Callable[[], Patient],
        *,
        seconds: float = EXAMINATION_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._bring = patient
        self._seconds = seconds
        self._now = now
        self._busy = threading.Lock()
        self._patient: Patient | None = None
        self._last: Report | None = None

    def report(self) -> Report:
        """What is the matter now. Raises Unavailable while another examination is under way."""
        last = self._last
        if last is not None and abs(self._now() - last.at) < KEPT_SECONDS:
            return last
        if not self._busy.acquire(blocking=False):
            raise Unavailable(
                "An examination is under way; its findings can be read in a moment.",
                code="examining",
            )
        try:
            with budget.Within(min(self._seconds, budget.left())):
                self._last = Report(tuple(self._looked_at()), self._now())
        finally:
            self._busy.release()
        return self._last

    def _looked_at(self) -> list[Finding]:
        if self._patient is None:
            self._patient = self._bring()
        found = []
        for finding in examined(self._patient):
            found.append(finding)
            if budget.left() <= 0:
                found.append(
                    unknown(
                        "the rest",
                        f"not looked at: the checks had taken {self._seconds:g} seconds",
                        "Run the command `doctor`, which takes its time.",
                    )
                )
                break
        return found

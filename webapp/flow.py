"""What happened to a session, step by step: facts for the page that shows them, never a secret.

A step is a word, a moment, a duration and a short detail. In the record it is one line of text, so
that a page that does not show it pays for no more than its letters.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from webapp.records import SessionRecord

Kind = Literal[
    "left", "back", "code", "keys", "checks", "identity", "credentials", "refresh", "role",
    "userinfo",
]  # fmt: skip
SIGN_IN: frozenset[str] = frozenset({"left", "back", "code", "keys", "checks"})
MOST = 24
"""So many steps are kept. Of more, the oldest after the sign-in go."""
LONGEST_DETAIL = 48


GUEST = "guest"
"""The detail of a step that was made for nobody in particular."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step: `at` in epoch seconds, how long it took in milliseconds, and a word about it.

    The word is `fetched` or `kept` for the key set, `rotated` or `kept` for a refresh, and for keys
    of AWS and a choice of role the role's name, if it is known, or `guest`.
    """

    kind: Kind
    at: float
    milliseconds: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A step under way, to be timed: begun `at` (epoch seconds)."""

    kind: Kind
    at: float
    _counter: float = field(default_factory=time.perf_counter, init=False, repr=False)

    def over(self, detail: str = "") -> Hop:
        """The step, now that it is done."""
        return Hop(self.kind, self.at, (time.perf_counter() - self._counter) * 1000, detail)


def last_part(arn: str | None) -> str:
    """The name of a role, which is what comes after the last slash of its ARN."""
    return (arn or "").rpartition("/")[2]


def noted(record: SessionRecord, hops: Iterable[Hop]) -> SessionRecord:
    """The record with these steps at the end of its flow."""
    flow = record.flow + tuple(_line(one, record.created_at) for one in hops)
    if len(flow) > MOST:
        first = 0
        while first < MOST and flow[first].partition(" ")[0] in SIGN_IN:
            first += 1
        flow = flow[:first] + flow[first + len(flow) - MOST :]
    return replace(record, flow=flow)


def hops_of(record: SessionRecord) -> list[Hop]:
    """The steps of a record, oldest first; a line that is not of this form is passed over."""
    found = (_hop(line, record.created_at) for line in record.flow)
    return [one for one in found if one is not None]


def _line(hop: Hop, begun: int) -> str:
    after = round((hop.at - begun) * 1000)
    took = "-" if hop.milliseconds is None else f"{hop.milliseconds:.1f}"
    return f"{hop.kind} {after} {took} {hop.detail[:LONGEST_DETAIL]}".rstrip()


def _hop(line: str, begun: int) -> Hop | None:
    kind, after, took, detail = [*line.split(" ", 3), "", "", ""][:4]
    try:
        return Hop(
            kind,  # type: ignore[arg-type]  # shown by those who know it, passed over by others
            begun + int(after) / 1000,
            None if took == "-" else float(took),
            detail,
        )
    except ValueError:
        return None

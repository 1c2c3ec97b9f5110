"""What the parts of a soak tell each other: plain facts with times, ready to be judged.

All times are epoch seconds of one machine. Sessions go by the name that the application's own log
gives them, tokens and codes by a hash: no secret is kept.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

FindingKind = Literal[
    "foreign",  # an answer with somebody else in it
    "resurrection",  # a page of a session that was signed out of
    "lost",  # signed out without having asked
    "lost update",  # a change that was acknowledged and is not there
    "500",
    "odd",  # an answer that nothing explains
]
OutOf = Literal["kill", "restart", "store", "provider", "pool", "api"]
NO_ANSWER = 0
"""The connection broke before the answer was whole."""
REFUSED = -1
"""There was no connection."""


class Asked(NamedTuple):
    """One request as its sender saw it."""

    what: str
    host: int
    began: float
    ended: float
    status: int

    @property
    def broken(self) -> bool:
        """Whether no answer came."""
        return self.status <= NO_ANSWER


class SignedIn(NamedTuple):
    """A session and the authorization code that it came from."""

    session: str
    code: str
    at: float


class SignedOut(NamedTuple):
    """An end that was asked for, by this browser or from another one, and when.

    Noted when it is asked for, and once more when that was granted.
    """

    session: str
    how: str
    asked_at: float
    granted_at: float = 0.0


class Broken(NamedTuple):
    """A request of a session that got no answer."""

    session: str
    asked: Asked


class Finding(NamedTuple):
    """Something a client thinks is wrong; the judge may know a reason.

    `since` is when the session was last seen well (lost) or was signed out (resurrection), and
    `allowed_until` until when it may still live elsewhere; inf waits for the store to be back.
    `out_host` is the host that took a sign-out: there it is refused at once.
    """

    kind: FindingKind
    person: str
    session: str
    asked: Asked
    said: str = ""
    since: float = 0.0
    allowed_until: float = 0.0
    out_host: int = -1


@dataclass
class Diary:
    """All that one client process saw."""

    answers: list[tuple[str, int, float]] = field(default_factory=list)
    """Each request: what it was, its status, its seconds."""
    signed_in: list[SignedIn] = field(default_factory=list)
    signed_out: list[SignedOut] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Acts that were done and answered: sign-ins, sign-outs by depth, bursts, roll call."""

    def add(self, other: "Diary") -> None:
        """Take in what another process saw."""
        self.answers += other.answers
        self.counts += other.counts
        self.signed_in += other.signed_in
        self.signed_out += other.signed_out
        self.broken += other.broken
        self.findings += other.findings


class Grant(NamedTuple):
    """One question to the provider's back channel, as the provider saw it.

    `kind` is code, refresh, revoke or everywhere; `outcome` is granted, refused, or the fault that
    answered in its stead. `token` is what was presented, `family` the sign-in that it belongs to.
    """

    kind: Literal["code", "refresh", "revoke", "everywhere"]
    at: float
    outcome: str
    token: str
    family: str
    subject: str = ""
    won: str = ""
    """The refresh token that came back."""


class Outage(NamedTuple):
    """Something that was done to the fleet or to what is behind it, from when to when.

    `host` is the host whose workers were killed or that was restarted, else None.
    """

    part: OutOf
    how: str
    began: float
    ended: float
    host: int | None = None


@dataclass
class Facts:
    """Everything that is judged. `life` is a token's in seconds, `early` how much before its end
    it may be renewed.
    """

    diary: Diary
    grants: list[Grant]
    outages: list[Outage]
    life: float
    early: float
    log: list[str] = field(default_factory=list, repr=False)
    complaints: list[str] = field(default_factory=list)
    """What the doubles had to complain of."""
    over_at: float = float("inf")
    """What was seen later does not count: somebody ended it by hand."""


def named(secret: str) -> str:
    """A short one-way name for a token or code."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12] if secret else ""

"""One browser of one person: the session it believes in, and a sharp eye on every answer."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.soak.facts import Broken, Diary, Finding, FindingKind, SignedOut
from tests.soak.wire import Jar, Line, Reply

ANYBODY = re.compile(rb"soak-\d+@example\.com")
REQUEST_ID = re.compile(rb"\b[0-9a-f]{16}\b")
# Pages for everybody: they tell somebody signed in by name.
OPEN_PAGES = ("GET /", "GET /api")
BUSY = (502, 503, 504)
CONFIRM_SECONDS = 25.0
"""Longer than any outage, so that a session is not called lost for being out of reach."""


@dataclass(frozen=True)
class Who:
    """The person, as answers name them."""

    name: str
    email: str
    sub: str
    roles: tuple[str, ...] = ()


@dataclass
class Held:
    """A session that the browser believes in. `asked` says that its end has been asked for."""

    session: str
    ticket: str = field(repr=False)
    since: float
    asked: bool = False
    csrf: str = field(default="", repr=False)
    role: str | None = None


@dataclass(frozen=True)
class Ghost:
    """A session that is over. See Finding for what the times mean."""

    session: str
    ticket: str = field(repr=False)
    since: float
    allowed_until: float
    out_host: int


class Seat:
    """A browser, and what it finds wrong. `cut_short` says that the hosts may be gone already."""

    def __init__(self, who: Who, line: Line, diary: Diary, cut_short: Callable[[], bool]) -> None:
        self.who = who
        self.jar = Jar()
        self.held: Held | None = None
        self.ghosts: list[Ghost] = []
        self._wish: SignedOut | None = None
        self._line = line
        self._diary = diary
        self._cut_short = cut_short

    def believe(self, session: str, ticket: str) -> Held:
        """A sign-in has been answered."""
        self.held, self._wish = Held(session, ticket, time.time()), None
        return self.held

    def ask_for_the_end(self, how: str) -> None:
        """From here on the session may end at any moment, by this person's own wish."""
        if self.held is not None:
            self.held.asked = True
            self._wish = SignedOut(self.held.session, how, time.time())
            self._diary.signed_out.append(self._wish)

    def bury(self, *, allowed_until: float = 0.0, out_host: int = -1) -> None:
        """The session's end has been acknowledged; from here on nobody may see it again."""
        held, self.held, now = self.held, None, time.time()
        if held is not None:
            self.ghosts.append(Ghost(held.session, held.ticket, now, allowed_until, out_host))
            if self._wish:
                self._diary.signed_out.append(self._wish._replace(granted_at=now))

    def note(self, reply: Reply, held: Held | None) -> Reply:
        """Look at an answer to a request that was sent in this belief."""
        asked = reply.asked
        self._count(reply)
        if asked.broken:
            self._diary.broken.append(Broken(held.session if held else "", asked))
            return reply
        if asked.status == 500:
            self.find("500", reply, held)
        others = {one for one in ANYBODY.findall(reply.body) if one != self.who.email.encode()}
        if others:
            self.find("foreign", reply, held, said=f"names {sorted(others)}")
        if held is None or held.asked or held is not self.held:
            return reply
        if self._says_signed_out(reply):
            self._confirm(reply, held)
        elif asked.status < 400:
            held.since = max(held.since, asked.began)
        elif asked.status not in (*BUSY, 500):
            self.find("odd", reply, held)
        return reply

    def find(
        self, kind: FindingKind, reply: Reply, held: Held | None, *, said: str = "", **more: float
    ) -> None:
        """Write a finding down."""
        session, since = (held.session, held.since) if held else ("", 0.0)
        told = f"{said} {self._told(reply)}".strip()
        given = {"since": since, **more}
        self._diary.findings.append(
            Finding(kind, self.who.name, session, reply.asked, told, since=given["since"])
        )

    def look_for(self, ghost: Ghost, host: int) -> Reply:
        """Whether a host still takes a ticket that has been signed out."""
        reply = self._line.look(host, ghost.ticket)
        self._count(reply, " (signed out)")
        if reply.status == 200:
            self._diary.findings.append(
                Finding(
                    "resurrection",
                    self.who.name,
                    ghost.session,
                    reply.asked,
                    self._told(reply),
                    ghost.since,
                    ghost.allowed_until,
                    ghost.out_host,
                )
            )
        return reply

    def lives(self, ticket: str) -> bool | None:
        """Whether any host still takes this ticket; None when none gave an answer in time."""
        until, dead = time.time() + CONFIRM_SECONDS, set[int]()
        while time.time() < until and not self._cut_short():
            for host in range(len(self._line.ports)):
                reply = self._line.look(host, ticket)
                if reply.status == 200:
                    return True
                if reply.status == 401:
                    dead.add(host)
            if len(dead) == len(self._line.ports):
                return False
            time.sleep(0.3)
        return False if dead else None

    def _count(self, reply: Reply, more: str = "") -> None:
        asked = reply.asked
        self._diary.answers.append((asked.what + more, asked.status, asked.ended - asked.began))

    def _confirm(self, reply: Reply, held: Held) -> None:
        alive = self.lives(held.ticket)
        said = {True: "yet it lives", False: "it is gone", None: "nobody knows"}[alive]
        self.find("odd" if reply.status == 403 and alive else "lost", reply, held, said=said)
        self.held = None
        self.jar.clear()

    def _says_signed_out(self, reply: Reply) -> bool:
        what, status = reply.asked.what, reply.status
        if status in (401, 403):
            return True
        if status == 303:
            aim = self._line.path_of(reply.location)
            return aim.startswith("/login") or (what != "POST /logout" and aim == "/")
        shown = status == 200 and what in OPEN_PAGES
        return shown and self.who.email.encode() not in reply.body

    def _told(self, reply: Reply) -> str:
        """What an answer says of itself: an error's code, a request id."""
        code = str(reply.json.get("error", ""))
        ids = [str(reply.json.get("request_id") or "")]
        ids += [one.decode() for one in REQUEST_ID.findall(reply.body)[:1]]
        return " ".join(filter(None, [code, *dict.fromkeys(ids)]))

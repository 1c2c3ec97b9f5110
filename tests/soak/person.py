"""One person with two browsers, who does whatever the dice say, often several things at once."""

import math
import random
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.soak.facts import Diary, SignedIn, named
from tests.soak.seat import BUSY, Held, Seat, Who
from tests.soak.wire import JSON, Line, Reply
from webapp.views.home import NOTICES

PAGES = ("/", "/session", "/credentials", "/api", "/sessions")
DEPTHS = ("app", "cognito", "everywhere", "switch")
STORE_PENDING = NOTICES["store"].partition(";")[0].encode()
ENDED_ELSEWHERE_SECONDS = 1.0
"""How long another browser may still be let in after its end was asked for (SE-14, SO-11)."""
FINISHED_SECONDS = 30.0
"""By when a sign-out that broke off half-way has been finished by another process."""
GHOSTS = 6
"""So many signed-out tickets of each browser are tried again and again."""
TRIES = 8


class Person:
    """Lives until `over` says so; `tabs` runs what happens at once."""

    def __init__(
        self,
        who: Who,
        line: Line,
        diary: Diary,
        *,
        dice: random.Random,
        tabs: Executor,
        life: float,
        over: Callable[[], bool],
        nap: Callable[[float], object],
        cut_short: Callable[[], bool],
    ) -> None:
        self._who, self._line, self._diary = who, line, diary
        self._dice, self._tabs, self._life = dice, tabs, life
        self._over, self._nap = over, nap
        self.seats = [Seat(who, line, diary, cut_short) for _ in range(2)]
        self._acts: list[tuple[Callable[[Seat, Held], object], int]] = [
            (self._page, 30),
            (self._me, 20),
            (self._burst, 8),
            (self._call, 12),
            (self._call_as_guest, 4),
            (self._choose_role, 4 if len(who.roles) > 1 else 0),
            (self._sign_out, 5),
            (self._sign_in_again, 1),
            (self._end_others, 2),
            (self._come_back_late, 2),
        ]

    @property
    def name(self) -> str:
        """Their name in the findings."""
        return self._who.name

    def run(self) -> None:
        """One act after another."""
        while not self._over():
            seat = self._dice.choice(self.seats)
            if seat.ghosts and self._dice.random() < 0.15:
                seat.look_for(self._dice.choice(seat.ghosts[-GHOSTS:]), self._host())
            if seat.held is None:
                self._arrive(seat)
            elif seat.held.asked:
                self._sign_out(seat, seat.held)  # the last time nobody said what became of it
            else:
                acts, weights = zip(*self._acts, strict=True)
                self._dice.choices(acts, weights)[0](seat, seat.held)
            self._nap(self._dice.uniform(0.05, 0.6))

    def roll_call(self) -> None:
        """At the end: who is signed in is so on every host, and nobody else."""
        for seat in self.seats:
            for host in range(len(self._line.ports)):
                held = seat.held
                if held is not None and not held.asked:
                    self._diary.counts["roll call: signed in"] += 1
                    self._patiently(partial(self._ask_me, seat, held, host))
                for ghost in seat.ghosts[-GHOSTS:]:
                    self._diary.counts["roll call: signed out"] += 1
                    self._patiently(partial(seat.look_for, ghost, host))

    # --- acts ---------------------------------------------------------------------------------

    def _page(self, seat: Seat, held: Held) -> None:
        self._get(seat, held, self._dice.choice(PAGES))

    def _me(self, seat: Seat, held: Held) -> None:
        self._ask_me(seat, held, self._host())

    def _burst(self, seat: Seat, held: Held) -> None:
        """Several tabs at once, over all hosts."""
        self._diary.counts["bursts"] += 1
        paths = self._dice.choices(("/me", *PAGES), k=self._dice.randint(3, 7))
        for reply in self._at_once([self._getting(seat, path) for path in paths]):
            self._noted(seat, held, reply)

    def _come_back_late(self, seat: Seat, held: Held) -> None:
        """Stay away until the tokens have died, then open all tabs at once."""
        self._nap(self._life + self._dice.uniform(0.0, 2.0))
        if not self._over():
            self._burst(seat, held)

    def _call(self, seat: Seat, held: Held) -> None:
        if self._csrf(seat, held):
            self._noted_call(seat, held, self._calling(seat, held, "whoami", "user")())

    def _call_as_guest(self, seat: Seat, held: Held) -> None:
        if not self._csrf(seat, held):
            return
        reply = seat.note(self._calling(seat, held, "test-public", "guest")(), held)
        caller = _caller(reply)
        if caller is not None and caller.get("sub") is not None:
            seat.find("foreign", reply, held, said="a guest's call was somebody's")

    def _choose_role(self, seat: Seat, held: Held) -> None:
        """Take another role, with calls of the API beside it; it must stand afterwards."""
        if not self._csrf(seat, held):
            return
        role = self._dice.choice(self._who.roles)
        form = {"role": role, "csrf_token": held.csrf}
        host = self._host()
        choosing = self._tabs.submit(self._line.post, host, "/credentials/role", seat.jar, form)
        beside = [
            self._calling(seat, held, "whoami", "user") for _ in range(self._dice.randint(0, 2))
        ]
        replies = self._at_once(beside)
        held.role = None
        chosen = seat.note(choosing.result(), held)
        for reply in replies:
            self._noted_call(seat, held, reply)
        if chosen.status == 303 and seat.held is held:
            self._diary.counts["roles chosen"] += 1
            held.role = role
            self._ask_me(seat, held, self._host())

    def _sign_out(self, seat: Seat, held: Held) -> None:
        """Leave in one of the depths, now and then with other tabs still at it."""
        if not self._csrf(seat, held):
            return
        depth, host = self._dice.choice(DEPTHS), self._host()
        other = next(one for one in self.seats if one is not seat)
        concerned = [seat, other] if depth == "everywhere" else [seat]
        for one in concerned:
            one.ask_for_the_end(depth)
        paths = self._dice.choices(("/me", *PAGES), k=self._dice.choice((0, 0, 3, 5)))
        beside = [self._tabs.submit(self._getting(seat, path)) for path in paths]
        reply, tries = self._left(seat, held, host, depth)
        for tab in beside:
            seat.note(tab.result(), held)
        if reply is None:
            return
        self._diary.counts[f"sign-outs: {depth}"] += 1
        pending = self._is_pending(seat, reply)
        until = math.inf if pending else 0.0
        seat.bury(allowed_until=until, out_host=host)
        if depth == "everywhere":
            # One whose worker died half-way is finished by another process.
            late = ENDED_ELSEWHERE_SECONDS if tries == 1 else FINISHED_SECONDS
            other.bury(allowed_until=until or time.time() + late)
            other.jar.clear()
        ticket = seat.jar.ticket
        if ticket:
            seat.find("odd", reply, held, said="a sign-out left a ticket")
        if depth == "switch" and not ticket:
            self._switch(seat, reply)
        elif self._dice.random() < 0.7:
            seat.jar.clear()

    def _sign_in_again(self, seat: Seat, held: Held) -> None:
        """Sign in over a session that lives: the new one takes its place."""
        seat.ask_for_the_end("another sign-in")
        self._arrive(seat)
        if seat.held is held:
            self._settle(seat, held)

    def _end_others(self, seat: Seat, held: Held) -> None:
        """From /sessions, end what other browsers have."""
        if not self._csrf(seat, held):
            return
        other = next(one for one in self.seats if one is not seat)
        other.ask_for_the_end("end others")
        form = {"csrf_token": held.csrf}
        reply = self._line.post(self._host(), "/sessions/end-others", seat.jar, form)
        seat.note(reply, held)
        if other.held is None:
            return
        if reply.status == 303 and self._line.path_of(reply.location) == "/sessions":
            self._diary.counts["others ended"] += 1
            other.bury(allowed_until=time.time() + ENDED_ELSEWHERE_SECONDS)
            other.jar.clear()
        else:
            self._settle(other, other.held)

    # --- in and out ---------------------------------------------------------------------------

    def _arrive(self, seat: Seat) -> None:
        """Sign in: /login, the provider, /callback."""
        query = urlencode({"next": "/me", "login_hint": self._who.email})
        reply = seat.note(self._line.get(self._host(), f"/login?{query}", seat.jar), None)
        if reply.status == 302:
            self._come_in(seat, self._line.elsewhere(reply.location))
        elif reply.status in BUSY:
            self._nap(0.5)

    def _switch(self, seat: Seat, reply: Reply) -> None:
        """Follow a switch through the provider, where the same person gives their name again."""
        url = self._line.elsewhere(reply.location) if self._is_away(reply) else ""
        if "/oauth2/authorize" in url:
            hint = urlencode({"login_hint": self._who.email})
            self._come_in(seat, self._line.elsewhere(f"{url}&{hint}"))

    def _come_in(self, seat: Seat, callback: str) -> None:
        path, before = self._line.path_of(callback), seat.jar.ticket
        code = parse_qs(urlsplit(callback).query).get("code", [""])[0]
        for _ in range(TRIES):
            reply = seat.note(self._line.get(self._host(), path, seat.jar), None)
            if not (reply.asked.broken or reply.status in BUSY) or self._over():
                break
            self._nap(0.4)
        ticket = seat.jar.ticket
        if reply.status != 303 or not ticket or ticket == before:
            return
        replaced = seat.held is not None
        seat.bury()
        session = self._line.session_of(ticket)
        seat.believe(session, ticket)
        self._diary.signed_in.append(SignedIn(session, named(code), time.time()))
        self._diary.counts["sign-ins over another" if replaced else "sign-ins"] += 1

    def _left(self, seat: Seat, held: Held, host: int, depth: str) -> tuple[Reply | None, int]:
        """Ask for the way out until it is granted, and how often; None when nobody granted it."""
        form = {"csrf_token": held.csrf, "depth": depth}
        for tries in range(1, TRIES + 1):
            reply = seat.note(self._line.post(host, "/logout", seat.jar, form), held)
            if reply.status == 303:
                return reply, tries
            if self._over():
                break
            self._nap(0.5)
        self._settle(seat, held)
        return None, tries

    def _settle(self, seat: Seat, held: Held) -> None:
        """An end was asked for and nobody said what became of it: believe what is there."""
        if seat.lives(held.ticket):
            # It may yet end by itself: whoever took the request may finish it later.
            return
        seat.held = None
        seat.jar.clear()

    def _is_pending(self, seat: Seat, reply: Reply) -> bool:
        """Whether the page after a sign-out says that the store has still to be told."""
        home = self._line.path_of(reply.location) or "/"  # back from the provider, it is /
        for _ in range(TRIES):
            page = seat.note(self._line.get(self._host(), home, seat.jar), None)
            if page.status == 200:
                return STORE_PENDING in page.body
            self._nap(0.2)
        return True

    def _is_away(self, reply: Reply) -> bool:
        return not self._line.path_of(reply.location)

    # --- requests -----------------------------------------------------------------------------

    def _host(self) -> int:
        return self._dice.randrange(len(self._line.ports))

    def _get(self, seat: Seat, held: Held, path: str) -> Reply:
        return self._noted(seat, held, self._getting(seat, path)())

    def _getting(self, seat: Seat, path: str) -> Callable[[], Reply]:
        host, accept = self._host(), {"accept": JSON} if path == "/me" else {}
        return lambda: self._line.get(host, path, seat.jar, **accept)

    def _ask_me(self, seat: Seat, held: Held, host: int) -> Reply:
        return self._noted(seat, held, self._line.get(host, "/me", seat.jar, accept=JSON))

    def _noted(self, seat: Seat, held: Held, reply: Reply) -> Reply:
        seat.note(reply, held)
        if reply.asked.what == "GET /me" and reply.status == 200:
            self._check_me(seat, held, reply)
        elif reply.status in BUSY:
            self._nap(self._dice.uniform(0.1, 0.4))
        return reply

    def _check_me(self, seat: Seat, held: Held, reply: Reply) -> None:
        said = reply.json
        if said.get("sub") != self._who.sub:
            seat.find("foreign", reply, held, said="another sub")
        held.csrf = str(said.get("csrf_token") or "")
        if held.role and said.get("role") != held.role:
            seat.find("lost update", reply, held, said=f"{said.get('role')} for {held.role}")
            held.role = None

    def _csrf(self, seat: Seat, held: Held) -> str:
        if not held.csrf:
            self._ask_me(seat, held, self._host())
        return held.csrf if seat.held is held else ""

    def _calling(self, seat: Seat, held: Held, endpoint: str, identity: str) -> Callable[[], Reply]:
        form = {"endpoint": endpoint, "identity": identity, "csrf_token": held.csrf}
        host = self._host()
        return lambda: self._line.post(host, "/api/call", seat.jar, form)

    def _noted_call(self, seat: Seat, held: Held, reply: Reply) -> None:
        seat.note(reply, held)
        caller = _caller(reply)
        if caller is None:
            return
        self._diary.counts["signed calls"] += 1
        if caller.get("sub") != self._who.sub:
            seat.find("foreign", reply, held, said=f"called as {caller.get('sub')}")
        elif held.role and caller.get("role") != held.role:
            seat.find("lost update", reply, held, said=f"called as {caller.get('role')}")
            held.role = None

    def _at_once(self, sending: list[Callable[[], Reply]]) -> list[Reply]:
        return [tab.result() for tab in [self._tabs.submit(one) for one in sending]]

    def _patiently(self, ask: Callable[[], Reply]) -> None:
        """Until there is an answer; what kind of one, the asking itself looks at."""
        for _ in range(60):
            reply = ask()
            if not (reply.asked.broken or reply.status in BUSY):
                return
            time.sleep(0.5)
        self._diary.counts["roll call: no answer"] += 1


def _caller(reply: Reply) -> dict[str, Any] | None:
    """Whom the API saw, where the call went well."""
    if reply.status != 200 or reply.json.get("status") != 200:
        return None
    body = reply.json.get("body")
    caller = body.get("caller") if isinstance(body, dict) else None
    return caller if isinstance(caller, dict) else {}

"""Between a browser's cookies and the vault. Every doubt about a cookie means: nobody.

Two cookies at most: the ticket of a session, and the attempts to sign in, with the trail of the
console's calls and the language that was chosen. Both carry the `__Host-` prefix wherever https is;
a page that needs neither sets neither and asks the store nothing.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from flask import Flask, Response, g, request

from webapp import cookies
from webapp.attempts import COOKIE_SECONDS, Attempts
from webapp.clients import Client, Clients
from webapp.elsewhere import Elsewhere
from webapp.errors import KeysDiffer, SessionEnded, StoreUnavailable
from webapp.observe import event, fingerprint, seen
from webapp.records import SessionRecord, SignInAttempt
from webapp.refusals import Refusals
from webapp.store.sealing import Ticket
from webapp.store.vault import Session, Vault
from webapp.trail import PastCall, owner_of, packed, unpacked, with_call

TICKET = "portico"
ATTEMPTS = "portico-signin"
YEAR = 31_536_000


@dataclass(slots=True)
class _Visit:
    """What one request found and what its answer shall set."""

    session: Session | None = None
    looked: bool = False
    ticket_to_set: str | None = None
    attempts_to_set: list[SignInAttempt] | None = field(default=None, repr=False)
    notice: str = ""
    calls_to_set: list[PastCall] | None = None
    language_to_set: str = ""
    personal: bool = False


class Sessions:
    """The sessions of one application. `secure` says whether cookies may demand https.

    `is_strangers` says of a ticket's mark whether it may be that of a key in use elsewhere.
    """

    def __init__(
        self,
        vault: Vault,
        attempts: Attempts,
        clients: Clients,
        refusals: Refusals,
        *,
        secure: bool,
        now: Callable[[], float] = time.time,
        is_strangers: Callable[[int], bool] = lambda mark: False,
    ) -> None:
        self._vault = vault
        self._attempts = attempts
        self._clients = clients
        self._secure = secure
        self._now = now
        self._is_strangers = is_strangers
        prefix = "__Host-" if secure else ""
        self._ticket_name = prefix + TICKET
        self._attempts_name = prefix + ATTEMPTS
        self._refusals = refusals
        self._elsewhere = Elsewhere()

    def install(self, app: Flask) -> None:
        """Write the cookies behind every view."""
        app.after_request(self.write)

    def current(self) -> Session | None:
        """The session of this request, a guest's included; read from the store once.

        Raises StoreUnavailable.
        """
        visit = self._visit()
        if not visit.looked:
            cookie = self._cookie(self._ticket_name)
            if cookie is not None:
                visit.personal = True
                visit.session = self._opened(cookie)
            visit.looked = True
        return visit.session

    def keep(self, session: Session) -> None:
        """Use a newer state of the session for the rest of this request."""
        visit = self._visit()
        seen(partial(_name_of, session))
        known = visit.session.record.refreshed_at if visit.session else None
        if session.record.refreshed_at not in (None, known):
            event("refreshed")
        if visit.session is None or visit.session.ticket != session.ticket:
            visit.ticket_to_set = session.ticket.text
        visit.session, visit.looked, visit.personal = session, True, True

    def drop(self) -> None:
        """Forget the session; the answer takes the cookie away."""
        visit = self._visit()
        visit.session, visit.looked, visit.personal, visit.ticket_to_set = None, True, True, ""
        if self._attempts.trail(self._sealed()):
            visit.calls_to_set = []

    def client(self) -> Client:
        """The browser that sent this request."""
        return self._clients.of(request.headers.get("User-Agent", ""), request.remote_addr)

    def ticket(self) -> str | None:
        """The ticket as this browser shows it, if it has the form of one."""
        cookie = self._cookie(self._ticket_name)
        return cookie if cookie and Ticket.parse(cookie) else None

    def attempts(self) -> list[SignInAttempt]:
        """The sign-ins that this browser has under way."""
        known = self._visit().attempts_to_set
        return self._attempts.unpack(self._sealed(), self._now()) if known is None else known

    def set_attempts(self, attempts: Sequence[SignInAttempt]) -> None:
        """Remember these in place of those before."""
        self._visit().attempts_to_set = list(attempts)

    def leave_notice(self, notice: str) -> None:
        """Leave a word for the next page of ours that takes it."""
        self.set_attempts(self.attempts())
        self._visit().notice = notice

    def take_notice(self) -> str:
        """The word that an earlier answer left; it is gone with this one."""
        notice = self._attempts.notice(self._sealed())
        if notice:
            self.set_attempts(self.attempts())
        return notice

    def calls(self) -> list[PastCall]:
        """The calls that were made in this session of late, newest first."""
        visit = self._visit()
        if visit.calls_to_set is not None:
            return visit.calls_to_set
        return unpacked(self._attempts.trail(self._sealed()), self._owner())

    def note_call(self, call: PastCall) -> None:
        """Remember a call of this session beside those before; the oldest are forgotten."""
        self._visit().calls_to_set = with_call(self.calls(), call)

    def language(self) -> str:
        """The code of the language that this browser chose, as it came; empty if it did not."""
        return cookies.parted(self._cookie(self._attempts_name), 0, 0)[0]

    def choose_language(self, code: str) -> None:
        """Remember the language of this browser's pages for a year."""
        self._visit().language_to_set = code

    def seconds_left(self, record: SessionRecord) -> int:
        """How long the session would live without another request."""
        return self._vault.seconds_left(record)

    @property
    def idle(self) -> int:
        """The idle lifetime in seconds."""
        return self._vault.idle

    def write(self, response: Response) -> Response:
        """Set what changed, and keep every personal answer out of every cache."""
        visit: _Visit | None = g.get("visit")
        if visit is None:
            return response
        if visit.ticket_to_set is not None:
            self._set(response, self._ticket_name, visit.ticket_to_set, None)
        beside = (visit.attempts_to_set, visit.calls_to_set, visit.language_to_set or None)
        if beside != (None, None, None):
            waits = "" if beside[0] is not None else self._attempts.notice(self._sealed())
            sealed = self._attempts.pack(self.attempts(), visit.notice or waits, self._trail)
            code = visit.language_to_set or self.language()
            value = cookies.with_language(code, sealed, self._now())
            self._set(response, self._attempts_name, value, YEAR if code else COOKIE_SECONDS)
        if visit.personal or beside != (None, None, None):
            response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Cookie, Accept"  # who asks, and for a page or for JSON
        return response

    def _opened(self, cookie: str) -> Session | None:
        refused = self._refusals.refuses(partial(self._vault.places_of, cookie))
        session = None if refused else self._vault.open(cookie)
        if session is None:
            if not refused:
                self._look_for_strangers(cookie)
            event("session_not_found")  # ended, unknown or made up: the store cannot tell which
            return None
        seen(partial(_name_of, session))
        self._elsewhere.compare(session, self.client())
        try:
            return self._vault.touch(session)
        except SessionEnded:
            return None
        except StoreUnavailable as fault:
            # Reading worked, only the note of this visit did not: no reason to turn anyone away.
            event("last_seen_not_written", level="warning", facts=fault.facts)
            return session

    def _look_for_strangers(self, cookie: str) -> None:
        """Raise KeysDiffer for a ticket that another host may well open: nobody is signed out."""
        ticket = Ticket.parse(cookie)
        if ticket is not None and self._is_strangers(ticket.mark):
            raise KeysDiffer("Your session was begun at another server, which can open it.")

    def _trail(self, room: int) -> bytes:
        visit = self._visit()
        if visit.calls_to_set is None and not visit.looked:  # whose they are was not asked
            raw = self._attempts.trail(self._sealed())
            return raw if len(raw) <= room else b""
        # Those of somebody else than now are not kept.
        return packed(self._owner(), self.calls(), room)

    def _owner(self) -> bytes:
        session = self._visit().session
        return owner_of(session.record if session else None)

    def _sealed(self) -> str | None:
        value = self._cookie(self._attempts_name)
        return cookies.parted(value, self._now(), COOKIE_SECONDS)[1]

    def _cookie(self, name: str) -> str | None:
        return cookies.only(request.headers.get("Cookie"), name)

    def _set(self, response: Response, name: str, value: str, age: int | None) -> None:
        response.headers.add("Set-Cookie", cookies.line(name, value, age, secure=self._secure))

    @staticmethod
    def _visit() -> _Visit:
        visit: _Visit | None = g.get("visit")
        if visit is None:
            visit = g.visit = _Visit()
        return visit


__all__ = ["Session", "Sessions"]


def _name_of(session: Session) -> dict[str, object]:
    """A session as the log names it: by hash, and whose it is."""
    person = session.record.person
    named = {"session": fingerprint(session.place)}
    return {**named, "subject": person.subject} if person else {**named}

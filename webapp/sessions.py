"""Between a browser's cookies and the vault. Every doubt about a cookie means: nobody.

Two cookies at most: the ticket of a session and the attempts to sign in. Both carry the `__Host-`
prefix wherever https is; a page that needs neither sets neither and asks the store nothing.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from flask import Flask, Response, g, request

from webapp.attempts import COOKIE_SECONDS, Attempts
from webapp.clients import Client, Clients
from webapp.errors import KeysDiffer, SessionEnded, StoreUnavailable
from webapp.observe import event, fingerprint, seen
from webapp.records import SessionRecord, SignInAttempt
from webapp.refusals import Refusals
from webapp.store.sealing import Ticket
from webapp.store.vault import Session, Vault

T = TypeVar("T")
TICKET = "portico"
ATTEMPTS = "portico-signin"
MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class _Visit:
    """What one request found and what its answer shall set."""

    session: Session | None = None
    looked: bool = False
    ticket_to_set: str | None = None
    attempts_to_set: list[SignInAttempt] | None = field(default=None, repr=False)
    notice: str = ""
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
        self._strange: dict[tuple[bytes, Client], None] = {}

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
        visit.session, visit.looked, visit.personal = None, True, True
        visit.ticket_to_set = ""

    def client(self) -> Client:
        """The browser that sent this request."""
        return self._clients.of(request.headers.get("User-Agent", ""), request.remote_addr)

    def ticket(self) -> str | None:
        """The ticket as this browser shows it, if it has the form of one."""
        cookie = self._cookie(self._ticket_name)
        return cookie if cookie and Ticket.parse(cookie) else None

    def attempts(self) -> list[SignInAttempt]:
        """The sign-ins that this browser has under way."""
        visit = self._visit()
        if visit.attempts_to_set is not None:
            return visit.attempts_to_set
        return self._attempts.unpack(self._cookie(self._attempts_name), self._now())

    def set_attempts(self, attempts: Sequence[SignInAttempt]) -> None:
        """Remember these in place of those before."""
        self._visit().attempts_to_set = list(attempts)

    def leave_notice(self, notice: str) -> None:
        """Leave a word for the next page of ours that takes it."""
        self.set_attempts(self.attempts())
        self._visit().notice = notice

    def take_notice(self) -> str:
        """The word that an earlier answer left; it is gone with this one."""
        notice = self._attempts.notice(self._cookie(self._attempts_name))
        if notice:
            self.set_attempts(self.attempts())
        return notice

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
        if visit.attempts_to_set is not None:
            something = visit.attempts_to_set or visit.notice
            packed = self._attempts.pack(visit.attempts_to_set, visit.notice) if something else ""
            self._set(response, self._attempts_name, packed, COOKIE_SECONDS)
        if visit.personal or visit.attempts_to_set is not None:
            response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Cookie"
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
        self._compare(session)
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

    def _compare(self, session: Session) -> None:
        """Tell, once, of a session that goes on in another browser than the one that began it."""
        client, record = self.client(), session.record
        if client.name == record.client or not record.client:
            return
        if (session.place, client) not in self._strange:
            _remember(self._strange, (session.place, client))
            event(
                "session_in_another_browser",
                level="warning",
                began_in=record.client,
                now_in=client.name,
                same_network=client.network == record.network,
            )

    def _cookie(self, name: str) -> str | None:
        """The cookie's value if it came exactly once; two of a name may mean a planted one."""
        raw = request.headers.get("Cookie")
        if not raw or name not in raw:
            return None
        found = [
            value.strip()
            for key, _, value in (part.partition("=") for part in raw.split(";"))
            if key.strip() == name
        ]
        return found[0] if len(found) == 1 and found[0] else None

    def _set(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        # Written out: both values are URL-safe text of our own making, with nothing to quote.
        age = f"; Max-Age={seconds if value else 0}" if seconds or not value else ""
        secure = "; Secure" if self._secure else ""
        response.headers.add(
            "Set-Cookie", f"{name}={value}{age}{secure}; HttpOnly; Path=/; SameSite=Lax"
        )

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


def _remember(known: dict[T, None], one: T) -> None:
    known[one] = None
    if len(known) > MOST_REMEMBERED:
        known.pop(next(iter(known)), None)

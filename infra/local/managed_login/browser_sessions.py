"""Managed Login's own sign-in, kept per browser: why a second sign-in asks for nothing.

On AWS it is a cookie of one hour that API calls such as GlobalSignOut do not touch; only /logout
ends it. Here the cookie holds a random id, and the server's memory holds who it stands for.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

LIFETIME_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class BrowserSession:
    """Who signed in at Managed Login in one browser, and when; times in epoch seconds."""

    pool_id: str
    username: str
    started_at: float

    @property
    def expires_at(self) -> float:
        """Return when the browser must sign in again; use does not move it."""
        return self.started_at + LIFETIME_SECONDS


class BrowserSessions:
    """The sessions of one server process; `now` gives epoch seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._by_id: dict[str, BrowserSession] = {}
        self._lock = threading.Lock()

    def start(self, *, pool_id: str, username: str, replaces: str = "") -> str:
        """Return the id of a new session; the one that this browser had before ends."""
        session_id = secrets.token_urlsafe(32)
        now = self._now()
        session = BrowserSession(pool_id=pool_id, username=username, started_at=now)
        with self._lock:
            self._by_id = {
                key: kept
                for key, kept in self._by_id.items()
                if kept.expires_at > now and key != replaces
            }
            self._by_id[session_id] = session
        return session_id

    def find(self, session_id: str) -> BrowserSession | None:
        """Return the living session of this id."""
        with self._lock:
            session = self._by_id.get(session_id)
        return session if session is not None and session.expires_at > self._now() else None

    def end(self, session_id: str) -> None:
        """Forget the session; an unknown id is no error."""
        with self._lock:
            self._by_id.pop(session_id, None)

"""Closed unless opened: an address that is not on the short list wants somebody signed in."""

from collections.abc import Callable
from urllib.parse import quote

from flask import Flask, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from webapp.addresses import local_path
from webapp.errors import SessionEnded
from webapp.records import Person
from webapp.sessions import Session, Sessions
from webapp.signin.freshness import Freshness

# Each is open for a reason: pages for everybody and their language, the two ends of the sign-in,
# the way out, probes, the console and the matrix, where a guest may call the API, the way in steps,
# which strangers see by an example, and the options of a sign-in.
OPEN_ENDPOINTS = frozenset(
    {
        "home.home",
        "auth.login",
        "auth.callback",
        "auth.logout",
        "session.me",
        "language.choose",
        "console.console",
        "console.call",
        "history.compare",
        "flow.how_it_works",
        "access.plan",
        "access.run",
        "options.sign_in_options",
        "health.healthz",
        "health.readyz",
        "assets.asset",
        "tour.tour",
    }
)


# What says nothing of a person is served by a process that may not serve as well.
IMPERSONAL_ENDPOINTS = frozenset({"health.healthz", "health.readyz", "assets.asset"})


class Guard:
    """Hands the proven person to the views.

    `may_serve` raises what a process is to answer that must not serve at all.
    """

    def __init__(
        self,
        sessions: Sessions,
        freshness: Freshness,
        *,
        may_serve: Callable[[], object] = lambda: None,
    ) -> None:
        self._sessions = sessions
        self._freshness = freshness
        self._may_serve = may_serve

    def install(self, app: Flask) -> None:
        """Stand before every view."""
        app.before_request(self.admit)

    def admit(self) -> AnyResponse | None:
        """Let through what is open, or somebody signed in; an unknown address stays a 404."""
        if request.endpoint not in IMPERSONAL_ENDPOINTS:
            self._may_serve()
        if request.endpoint is None or request.endpoint in OPEN_ENDPOINTS:
            return None
        if self.signed_in() is not None:
            return None
        posted = request.method not in ("GET", "HEAD")
        target = "/" if posted else f"/login?next={quote(_here(), safe='/')}"
        response: AnyResponse = redirect(target, 303)
        response.set_data(b"")
        response.headers["Cache-Control"] = "no-store"
        return response

    def signed_in(self) -> tuple[Session, Person] | None:
        """The session and its person, tokens kept fresh, or None.

        Raises SessionEnded when the provider ended it just now, Unavailable when a part that it
        takes is out of reach.
        """
        session = self._sessions.current()
        if session is None or session.record.person is None:
            return None
        try:
            fresh = self._freshness.keep(session)
        except SessionEnded as ended:
            if not ended.keeps_cookie:
                self._sessions.drop()
            ended.next_path = _here()
            raise
        if fresh is not session:
            self._sessions.keep(fresh)
        person = fresh.record.person
        return (fresh, person) if person else None

    def must(self) -> tuple[Session, Person]:
        """As `signed_in`, for views behind the guard. Raises SessionEnded when nobody is."""
        found = self.signed_in()
        if found is None:
            raise SessionEnded("You are not signed in.", code="signed_out")
        return found


def _here() -> str:
    """The page that is asked for, if it is one to come back to."""
    if request.method not in ("GET", "HEAD"):
        return "/"
    query = request.query_string.decode("ascii", "replace")
    return local_path(f"{request.path}?{query}" if query else request.path)

"""What every answer carries and every request must prove, kept as data.

Host and origin are those of APP_BASE_URL and nothing else. A post proves intent by a token bound
to the session, beside Origin or Sec-Fetch-Site where the browser sends them.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from flask import Flask, Response, request

from webapp.errors import BadInput, Forbidden
from webapp.keyring import Keyring

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

STATIC_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # same-origin, not no-referrer: Chromium sends `Origin: null` with a post from such a page.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}
HSTS = "max-age=63072000; includeSubDomains"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; base-uri 'none';"
    " object-src 'none'; frame-ancestors 'none'"
)
# Asked by address, not by name: load balancers and container health checks.
ANY_HOST = ("/healthz", "/readyz")
CSRF_DAY_SECONDS = 43_200
FORM = "application/x-www-form-urlencoded"


class Placed(Protocol):
    """A session, as far as a token is bound to it."""

    @property
    def place(self) -> bytes:
        """Where its record lies; unlike the ticket, no secret."""


class Security:
    """Headers out, checks in. `login_origin` tells Managed Login's origin if known."""

    def __init__(
        self,
        ring: Keyring,
        *,
        base_url: str,
        proxy_hops: int,
        login_origin: Callable[[], str | None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._ring = ring
        self._base_url = base_url
        parts = urlsplit(base_url)
        self.secure = parts.scheme == "https"
        self._hosts = {parts.netloc, f"{parts.netloc}:{443 if self.secure else 80}"}
        self._proxy_hops = proxy_hops
        self._login_origin = login_origin
        self._now = now
        self._headers = list(STATIC_HEADERS.items())
        if self.secure:
            self._headers.append(("Strict-Transport-Security", HSTS))

    def install(self, app: Flask) -> None:
        """Put the checks before every view and the headers on every answer."""
        app.before_request(self.check_address)
        app.wsgi_app = self.dressed(app.wsgi_app)  # type: ignore[assignment, method-assign]

    def check_address(self) -> Response | None:
        """Refuse a foreign Host; send plain http behind a proxy to https."""
        # We live at the top of our origin: a prefix is a forged SCRIPT_NAME, which plain gunicorn
        # believes when it comes from this machine.
        if request.root_path:
            raise BadInput("This server has no such part.", code="prefix")
        if request.path in ANY_HOST:
            return None
        if request.headers.get("Host", "").lower() not in self._hosts:
            raise BadInput("This server does not answer under that name.", code="host")
        if self.secure and self._proxy_hops and request.scheme != "https":
            if request.method in ("GET", "HEAD"):
                return Response(
                    status=308, headers={"Location": self._base_url + quote(request.path)}
                )
            raise BadInput("This address takes posts over https only.", code="plain_http")
        return None

    def dressed(self, application: "WSGIApplication") -> "WSGIApplication":
        """The application with the headers that every answer has, whatever its status.

        At the border of WSGI, since no answer leaves by another way and a list is quick to extend.
        """

        def dress(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                names = {name for name, _ in headers}
                own = [pair for pair in self._headers if pair[0] not in names]
                own.append(("Content-Security-Policy", self._policy()))
                return start_response(status, headers + own, *rest)

            return application(environ, start)

        return dress

    def csrf_token(self, session: Placed | None) -> str:
        """The token for forms: bound to the session, or to half a day for somebody without one."""
        return self._ring.csrf_token(self._bound(session))

    def check_intent(self, session: Placed | None, former: Iterable[bytes] = ()) -> None:
        """Raise Forbidden unless the post provably came from a page of ours.

        `former` are places that the session had before, of which an older page may hold the token.
        """
        self.check_origin()
        given = request.form.getlist("csrf_token")
        if len(given) != 1 or len(given[0]) > 64:
            raise Forbidden(
                "The form's proof is missing; go back, reload and try again.", code="csrf"
            )
        places = (self._bound(session), *(b"session/" + place for place in former))
        if any(self._ring.csrf_matches(given[0], place) for place in places):
            return
        if session is None and self._ring.csrf_matches(given[0], self._bound(None, before=1)):
            return
        raise Forbidden(
            "The form is from an older session; go back, reload and try again.", code="csrf"
        )

    def check_origin(self) -> None:
        """Raise Forbidden for a post that another site caused, as far as the browser tells."""
        if request.mimetype != FORM:
            raise BadInput("Only an ordinary form is taken here.", code="media_type")
        _must_fit()
        origin = request.headers.get("Origin")
        if origin is not None and origin != self._base_url:
            raise Forbidden("Another site sent this form.", code="origin")
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None and site not in ("same-origin", "none"):
            raise Forbidden("Another site sent this form.", code="origin")

    def _bound(self, session: Placed | None, before: int = 0) -> bytes:
        if session is not None:
            return b"session/" + session.place
        return b"nobody/%d" % (int(self._now() // CSRF_DAY_SECONDS) - before)

    def _policy(self) -> str:
        # Chromium holds redirects of a form to form-action as well, so sign-out needs Cognito's
        # origin there; before it is known the directive is left out rather than wrong.
        origin = self._login_origin()
        return f"{POLICY}; form-action 'self' {origin}" if origin else POLICY


def _must_fit() -> None:
    """Raise RequestEntityTooLarge for a body of unknown length that is past the limit.

    One of known length is refused by its header; a chunked one Werkzeug cuts at the limit without a
    word, and says so only to whoever asks for more.
    """
    if request.content_length is None and request.form is not None:
        request.stream.read(1)

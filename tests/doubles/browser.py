"""A browser in small: cookies, Origin and Sec-Fetch headers, one redirect at a time.

Every HTML page that it fetches is inspected.
"""

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode, urljoin, urlsplit

from tests.doubles.cookies import Jar
from tests.doubles.issuer import FakeIssuer
from tests.doubles.page import inspect
from tests.doubles.response import Response
from tests.doubles.transport import InProcess, OverHttp, Transport
from tests.doubles.users import User

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Fields = Mapping[str, str] | Sequence[tuple[str, str]]
Overrides = Mapping[str, str | None]
Site = Literal["none", "same-origin", "same-site", "cross-site"]
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"


class Browser:
    """One person's browser at one application.

    `fetch_metadata` False makes it an old one without Origin and Sec-Fetch headers; in `headers`
    of a request a value of None leaves the header out.
    """

    def __init__(
        self,
        transport: Transport,
        base_url: str,
        *,
        issuer: FakeIssuer | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport
        self.base_url = base_url
        self.issuer = issuer
        self.cookies = Jar(now)
        self.fetch_metadata = True
        self.user_agent = ""
        """What the browser calls itself; nothing is sent while it is empty."""
        self.inspect_pages = True
        self.session_cookies: frozenset[str] | None = None
        """Names that mean a session, for the inspection; None: any cookie does."""
        self.responses: list[Response] = []
        """Everything that came, in order."""

    @classmethod
    def for_app(
        cls,
        app: "WSGIApplication",
        base_url: str = "http://localhost:8000",
        *,
        issuer: FakeIssuer | None = None,
        now: Callable[[], float] = time.time,
    ) -> "Browser":
        """A browser at an application in this process."""
        return cls(InProcess(app, base_url), base_url, issuer=issuer, now=now)

    @classmethod
    def over_http(
        cls,
        base_url: str,
        *,
        issuer: FakeIssuer | None = None,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
    ) -> "Browser":
        """A browser at an application that listens there."""
        return cls(OverHttp(base_url, tls), base_url, issuer=issuer, now=now)

    def request(
        self, method: str, url: str, *, headers: Overrides | None = None, body: bytes = b""
    ) -> Response:
        """Send one request, with these headers and the cookies, and keep what comes back.

        The address is a raw target such as /a?b=c, or an absolute one of this application.
        """
        parts = urlsplit(self.base_url)
        target = url.removeprefix(self.base_url) or "/"
        if not target.startswith(("/", "*")):
            raise AssertionError(f"{url[:200]!r} is not at {self.base_url}")
        held = self.cookies.for_url(parts._replace(path=target.partition("?")[0]))
        sent: dict[str, str | None] = {"Host": parts.netloc}
        if self.user_agent:
            sent["User-Agent"] = self.user_agent
        if held:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in held)
        sent |= headers or {}
        status, answered, data = self._transport.send(
            method, target, [(name, v) for name, v in sent.items() if v is not None], body
        )
        names = frozenset(name for name, _ in held)
        response = Response(method, self.base_url + target, status, tuple(answered), data, names)
        self.responses.append(response)
        for value in response.header_values("Set-Cookie"):
            self.cookies.take(value)
        if self.inspect_pages and method != "HEAD":
            inspect(response, self.session_cookies)
        return response

    def get(
        self,
        url: str,
        query: Fields | None = None,
        *,
        site: Site = "none",
        headers: Overrides | None = None,
    ) -> Response:
        """Go to an address, as by typing it (`site` none) or from a page there."""
        if query:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
        return self.request("GET", url, headers=self._navigation(site) | dict(headers or {}))

    def post(
        self,
        url: str,
        form: Fields | None = None,
        *,
        json: bool = False,
        headers: Overrides | None = None,
    ) -> Response:
        """Send a form from a page of the application; `json` as a script that asks for JSON."""
        sent = self._navigation("same-origin") | {"Content-Type": FORM}
        if json:
            sent |= self._script()
        if self.fetch_metadata:
            sent["Origin"] = self.base_url
        body = urlencode(form or {}).encode()
        return self.request("POST", url, headers=sent | dict(headers or {}), body=body)

    def follow(self, response: Response) -> Response:
        """Follow one redirect within the application; AssertionError for one that leads away."""
        location = response.location
        if not location.startswith(f"{self.base_url}/"):
            raise AssertionError(f"{response}: leads away, to {location[:200]}")
        return self.get(location, site="same-origin")

    def start(self, next: str | None = None, **query: str) -> str:  # noqa: A002 - the field's name
        """GET /login; returns the address at the pool to which it leads."""
        if next is not None:
            query["next"] = next
        return self.get("/login", query, site="same-origin").location

    def finish(self, callback: str) -> Response:
        """Come back from the pool with this callback address; the answer of /callback itself."""
        return self.get(callback, site="cross-site")

    def sign_in(self, user: User, next: str | None = None) -> Response:  # noqa: A002 - see start
        """Sign in and land: /login, the pool, /callback, and the page behind it."""
        if self.issuer is None:
            raise AssertionError("this browser knows no issuer")
        response = self.finish(self.issuer.approve(self.start(next), user))
        if response.status != 303:
            raise AssertionError(f"{response}: sign-in ended\n{response.text[:3000]}")
        return self.follow(response)

    def sign_out(self, depth: str | None = None) -> Response:
        """POST /logout in this depth; the answer of /logout itself."""
        form = {"csrf_token": self.csrf()}
        return self.post("/logout", form if depth is None else form | {"depth": depth})

    def me(self) -> dict[str, Any]:
        """GET /me as a script does; its JSON, also when signed out."""
        document = self.get("/me", site="same-origin", headers=self._script()).json()
        if not isinstance(document, dict):
            raise AssertionError(f"/me is {document!r}")
        return document

    def csrf(self, pages: Sequence[str] = ("/", "/api")) -> str:
        """The CSRF token: from /me when signed in, else from a form of these pages."""
        token = self.me().get("csrf_token")
        if token:
            return str(token)
        for page in pages:
            for form in self.get(page, site="same-origin").page.forms:
                if form.fields.get("csrf_token"):
                    return form.fields["csrf_token"]
        raise AssertionError(f"no csrf_token in /me nor in a form of {', '.join(pages)}")

    def call(
        self, endpoint: str, identity: str, *, json: bool = True, **parameters: str
    ) -> Response:
        """POST /api/call for an endpoint of the catalogue, as this identity."""
        form = {"endpoint": endpoint, "identity": identity, "csrf_token": self.csrf()}
        return self.post("/api/call", form | parameters, json=json)

    def twin(self) -> "Browser":
        """Another browser with a copy of the cookies: a thief, or a second tab in a race."""
        other = Browser(self._transport, self.base_url, issuer=self.issuer)
        other.cookies = self.cookies.copy()
        other.fetch_metadata = self.fetch_metadata
        other.inspect_pages = self.inspect_pages
        other.session_cookies = self.session_cookies
        return other

    def absolute(self, path: str) -> str:
        """The address of a path of the application."""
        return urljoin(self.base_url, path)

    def _navigation(self, site: Site) -> dict[str, str | None]:
        headers: dict[str, str | None] = {"Accept": HTML, "Accept-Language": "en"}
        if self.fetch_metadata:
            headers |= {
                "Sec-Fetch-Site": site,
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
                "Sec-Fetch-User": "?1",
            }
        return headers

    def _script(self) -> dict[str, str | None]:
        headers: dict[str, str | None] = {"Accept": "application/json"}
        if self.fetch_metadata:
            headers |= {
                "Sec-Fetch-Site": "same-origin",
                "Sec-Fetch-Mode": "cors",
                "Sec-Fetch-Dest": "empty",
                "Sec-Fetch-User": None,
            }
        return headers

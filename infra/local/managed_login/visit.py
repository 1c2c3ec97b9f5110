"""One request in the light of its cookies, and the cookies that an answer sets.

Cookies carry no Secure attribute: this server is reached over http on loopback only. SameSite=Lax
lets the top-level visit that an application starts bring the browser session, and nothing else.
"""

import re
import secrets
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from infra.local.asgi import Request
from infra.local.managed_login.authorize_request import LANGUAGES, AuthorizeRequest
from infra.local.managed_login.browser_sessions import LIFETIME_SECONDS
from infra.local.managed_login.steps import STEP_SECONDS, flow_name

SESSION_COOKIE = "offline_login"
FORM_COOKIE = "offline_login_form"
LANGUAGE_COOKIE = "offline_login_lang"

_YEAR_SECONDS = 31_536_000
_BROWSER_NAME = re.compile(r"[A-Za-z0-9_-]{32}")

Cookies = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request, its cookies, the language of the answer and the sign-in that it belongs to."""

    request: Request
    cookies: dict[str, str]
    language: str
    browser: str
    is_new_browser: bool
    oauth: AuthorizeRequest | None = None

    @property
    def query(self) -> str:
        """Return the OAuth parameters that links and forms carry on; "" outside a sign-in."""
        return "" if self.oauth is None else self.oauth.query()

    @property
    def flow(self) -> str:
        """Return the name of this sign-in."""
        return flow_name(self.query)

    @property
    def session_id(self) -> str:
        """Return the id of the browser session, "" without one."""
        return self.cookies.get(SESSION_COOKIE, "")

    @property
    def step_id(self) -> str:
        """Return the id of the step that this sign-in waits at, "" without one."""
        return self.cookies.get(_step_cookie(self.flow), "")

    def url(self, path: str, *, extra: str = "") -> str:
        """Return a page of ours that carries this sign-in on."""
        query = "&".join(part for part in (self.query, extra) if part)
        return f"{path}?{query}" if query else path


def read_cookies(request: Request) -> dict[str, str]:
    """Return the request's cookies; a header that cannot be read holds none."""
    try:
        jar = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def known_browser(cookies: dict[str, str]) -> str | None:
    """Return the name of a browser that has one; whatever we did not make ourselves is none."""
    name = cookies.get(FORM_COOKIE, "")
    return name if _BROWSER_NAME.fullmatch(name) else None


def new_browser() -> str:
    """Return a name for a browser that comes for the first time."""
    return secrets.token_urlsafe(24)


def choose_language(request: Request, cookies: dict[str, str]) -> str:
    """Return the language asked for now, else the one asked for before, else English."""
    for wanted in (request.param("lang"), cookies.get(LANGUAGE_COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    return "en"


def session_cookie(session_id: str) -> str:
    """Return the Set-Cookie value that holds a browser session."""
    return _cookie(SESSION_COOKIE, session_id, max_age=LIFETIME_SECONDS)


def no_session_cookie() -> str:
    """Return the Set-Cookie value that takes the browser session away."""
    return _cookie(SESSION_COOKIE, "", max_age=0)


def form_cookie(browser: str) -> str:
    """Return the Set-Cookie value that names a browser to its forms."""
    return _cookie(FORM_COOKIE, browser)


def language_cookie(language: str) -> str:
    """Return the Set-Cookie value that keeps a language."""
    return _cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_SECONDS)


def step_cookie(flow: str, step_id: str) -> str:
    """Return the Set-Cookie value that leads a sign-in to its step."""
    return _cookie(_step_cookie(flow), step_id, max_age=STEP_SECONDS)


def no_step_cookie(flow: str) -> str:
    """Return the Set-Cookie value that ends a sign-in's step."""
    return _cookie(_step_cookie(flow), "", max_age=0)


def _step_cookie(flow: str) -> str:
    return f"offline_login_step_{flow}"


def _cookie(name: str, value: str, *, max_age: int | None = None) -> str:
    age = "" if max_age is None else f"; Max-Age={max_age}"
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}"

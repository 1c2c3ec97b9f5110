"""Pages: templates, texts in the person's language, and the headers that guard them.

One stylesheet of our own and no script, so the content policy refuses all the rest. form-action
names the application beside ourselves, because browsers apply it to the redirect that answers a
form, and the last form of a sign-in leads to the application.
"""

import hashlib
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.local.asgi import Response
from infra.local.managed_login.authorize_request import LANGUAGES
from infra.local.managed_login.steps import FormGuard
from infra.local.managed_login.visit import Visit, form_cookie, language_cookie

_HERE = Path(__file__).parent
STYLE_PATH = "/managed-login/style.css"

_TRANSLATED = {"en": "English", "de": "Deutsch", "fr": "Français"}
_GUARDS = (
    ("cache-control", "no-store"),
    ("vary", "cookie"),
    ("x-content-type-options", "nosniff"),
    # A full no-referrer would turn the Origin of our own forms into "null".
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)


class Pages:
    """All pages of the offline Managed Login."""

    def __init__(self, guard: FormGuard) -> None:
        self._guard = guard
        self._texts = {
            language: tomllib.loads((_HERE / "texts" / f"{language}.toml").read_text("utf-8"))
            for language in _TRANSLATED
        }
        self._style = (_HERE / "templates" / "style.css").read_bytes()
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        version = hashlib.sha256(self._style).hexdigest()[:16]
        self._environment.globals["stylesheet"] = f"{STYLE_PATH}?v={version}"
        self._environment.filters["clock"] = _clock

    def texts(self, visit: Visit) -> dict[str, Any]:
        """Return the texts in the visit's language, in English where there is no translation."""
        return self._texts.get(visit.language, self._texts["en"])

    def page(
        self,
        name: str,
        visit: Visit,
        *,
        status: int = 200,
        problems: dict[str, str] | None = None,
        **facts: Any,
    ) -> Response:
        """Return the page `name`; `problems` maps a field (or "") to what is wrong with it."""
        body = self._environment.get_template(f"{name}.html").render(
            t=self.texts(visit),
            visit=visit,
            page_language=visit.language if visit.language in _TRANSLATED else "en",
            languages=_language_links(visit),
            csrf_token=self._guard.token(visit.browser, visit.flow),
            problems=problems or {},
            **facts,
        )
        headers = [
            ("content-type", "text/html; charset=utf-8"),
            *_GUARDS,
            ("content-security-policy", _policy(visit)),
        ]
        if visit.is_new_browser:
            headers.append(("set-cookie", form_cookie(visit.browser)))
        if visit.request.param("lang") in LANGUAGES:
            headers.append(("set-cookie", language_cookie(visit.language)))
        return Response(status=status, headers=tuple(headers), body=body.encode())

    def stylesheet(self) -> Response:
        """Return the stylesheet; its address changes with its content, so it may be kept."""
        headers = (
            ("content-type", "text/css; charset=utf-8"),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("x-content-type-options", "nosniff"),
        )
        return Response(status=200, headers=headers, body=self._style)


def redirect(location: str, *, status: int = 302, cookies: tuple[str, ...] = ()) -> Response:
    """Return a redirect that no cache keeps, with these Set-Cookie values."""
    headers = (("location", location), *_GUARDS, *(("set-cookie", value) for value in cookies))
    return Response(status=status, headers=headers)


def _policy(visit: Visit) -> str:
    targets = "'self'" if visit.oauth is None else f"'self' {visit.oauth.origin}"
    return (
        f"default-src 'none'; style-src 'self'; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _language_links(visit: Visit) -> list[tuple[str, str, str]]:
    kept = [(name, value) for name, value in visit.request.query if name != "lang"]
    return [
        (code, name, f"{visit.request.path}?{urlencode([*kept, ('lang', code)])}")
        for code, name in _TRANSLATED.items()
    ]


def _clock(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

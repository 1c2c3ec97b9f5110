"""How a view becomes a page: the frame that all pages share, filters, hashed assets."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask.templating import Environment as FlaskEnvironment
from jinja2 import Environment
from werkzeug.exceptions import NotFound

from webapp.records import Person
from webapp.sessions import Session, Sessions

# The languages of Managed Login, each under its own name (AWS: Managed login localization).
LANGUAGES = (
    ("de", "Deutsch"),
    ("en", "English"),
    ("es", "Español"),
    ("fr", "Français"),
    ("id", "Bahasa Indonesia"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("pt-BR", "Português (Brasil)"),
    ("zh-CN", "简体中文"),
    ("zh-TW", "繁體中文"),
)
ASSET_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}

PLACES = frozenset({"/", "/api", "/session", "/credentials", "/sessions"})

_PIECES = re.compile(r"[^/:]*[/:]+|[^/:]+")


@dataclass(frozen=True, slots=True)
class Chrome:
    """What the frame around every page shows."""

    signed_in: bool
    person: Person | None
    csrf_token: str = field(repr=False)
    here: str
    providers: tuple[str, ...]
    langs: tuple[tuple[str, str], ...] = LANGUAGES
    lang: str = "en"
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """Something that runs out. Times in seconds."""

    name: str
    seconds_left: int
    total: int
    meaning: str

    @property
    def share(self) -> float:
        """What is left, in hundredths of the whole."""
        return min(100.0, round(100 * self.seconds_left / self.total, 1)) if self.total else 0.0

    @property
    def state(self) -> str:
        """Whether it runs well, low or is over."""
        if self.seconds_left <= 0:
            return "over"
        return "low" if self.share < 15 else "well"


class Pages:
    """Renders templates inside the frame. `csrf_token` makes the proof for a session's forms."""

    def __init__(
        self,
        templates: Environment,
        sessions: Sessions,
        csrf_token: Callable[[Session | None], str],
        *,
        providers: tuple[str, ...],
        demo: bool,
    ) -> None:
        self._templates = templates
        self._sessions = sessions
        self.csrf_token = csrf_token
        self._providers = providers
        self._demo = demo

    def render(self, template: str, **context: object) -> str:
        """The page. Reads the session only if the view did or a cookie came."""
        session = self._sessions.current()
        return self._framed(template, session, context)

    def render_without_session(self, template: str, **context: object) -> str:
        """The page as somebody unknown sees it: for when the store is the trouble."""
        return self._framed(template, None, context)

    def _framed(self, template: str, session: Session | None, context: dict[str, object]) -> str:
        person = session.record.person if session else None
        chrome = Chrome(
            signed_in=person is not None,
            person=person,
            csrf_token=self.csrf_token(session),
            here=_place(request.path),
            providers=self._providers,
            demo=self._demo,
        )
        # Straight from Jinja: pages use nothing of Flask's own context.
        return self._templates.get_template(template).render(chrome=chrome, **context)


class Assets:
    """Static files under names that hold their content's hash, so a browser may keep them."""

    def __init__(self, folder: Path) -> None:
        self._hashed: dict[str, str] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix in ASSET_TYPES:
                content = path.read_bytes()
                digest = hashlib.sha256(content).hexdigest()[:12]
                hashed = f"{path.stem}.{digest}{path.suffix}"
                self._hashed[path.name] = hashed
                self._files[hashed] = (content, ASSET_TYPES[path.suffix])

    def url(self, name: str) -> str:
        """The address of a static file. Raises KeyError for one that does not exist."""
        return f"/static/{self._hashed[name]}"

    def asset(self, name: str) -> Response:
        """The file under its hashed name."""
        found = self._files.get(name)
        if found is None:
            raise NotFound
        response = Response(found[0], content_type=found[1])
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


class Templates(FlaskEnvironment):
    """Templates whose globals are one plain dictionary: a chain of them costs a copy every page."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of one template."""
        return {**self.globals, **(d or {})}


def furnish(app: Flask, assets: Assets) -> None:
    """What templates may use: filters, and every component by its name, loaded once."""
    templates = app.jinja_env
    templates.filters.update(
        asset=assets.url, breaks=breaks, duration=duration, moment=moment, short=short
    )
    for name in templates.list_templates(filter_func=lambda name: name.startswith("components/")):
        module = templates.get_template(name).module
        parts = {part: value for part, value in vars(module).items() if part[0] != "_"}
        templates.globals.update(parts)
    # These are asked for often and never differ: few arguments, none of them a person's.
    for name in ("icon", "places", "ways_on"):
        part: Any = templates.globals[name]
        templates.globals[name] = cache(part)
    # The components were loaded before the globals were complete; pages load them no more.
    if templates.cache is not None:
        templates.cache.clear()


def _place(path: str) -> str:
    """Which of the frame's main ways an address belongs to; empty for none of them."""
    if path in PLACES:
        return path
    return "/api" if path.startswith("/api/") else ""


def breaks(text: str) -> list[str]:
    """An address or ARN in the pieces between which a line may break."""
    return _PIECES.findall(text) if "/" in text or "arn:" in text else [text]


def duration(seconds: float) -> str:
    """Seconds as people say them: `59 min 12 s`."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def moment(epoch: float) -> str:
    """Epoch seconds as a time in UTC."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def short(text: object, longest: int = 80) -> str:
    """Long text cut in the middle, with a mark."""
    whole = str(text)
    if len(whole) <= longest:
        return whole
    half = (longest - 1) // 2
    return f"{whole[:half]}…{whole[-half:]}"


def wants_json() -> bool:
    """Whether the client prefers JSON to a page; /me has no other form."""
    if request.path == "/me":
        return True
    accepted = request.headers.get("Accept", "")
    if "json" not in accepted:
        return False
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def json_answer(content: Mapping[str, object], status: int = 200) -> Response:
    """A JSON answer that nobody keeps."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate can be inside a string but not on the wire.
    response = Response(
        text.encode("utf-8", "replace"), status=status, content_type="application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    return response

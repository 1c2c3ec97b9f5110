"""How a view becomes a page: the frame that all pages share, filters, hashed assets."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flask import Response, request
from werkzeug.exceptions import NotFound

from webapp.records import Person
from webapp.sessions import Session, Sessions
from webapp.views.place import place_of, way_back
from webapp.views.templates import Speakers
from webapp.views.tongues import ENGLISH, TONGUES, Choice
from webapp.words import Saying

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

ADMINS = "Admin"  # they may see the doctor where the AWS behind is not a demonstration's
_PIECES = re.compile(r"[^/:]*[/:]+|[^/:]+")


@dataclass(frozen=True, slots=True)
class Chrome:
    """What the frame around every page shows. `chosen` is the language, if the person chose."""

    signed_in: bool
    person: Person | None
    csrf_token: str = field(repr=False)
    here: str
    providers: tuple[str, ...]
    chosen: str | None
    back: str
    langs: tuple[tuple[str, str], ...] = LANGUAGES
    tongues: tuple[tuple[str, str], ...] = tuple(TONGUES.items())
    demo: bool = False

    @property
    def may_examine(self) -> bool:
        """Whether the doctor is shown to this person."""
        return self.person is not None and (self.demo or ADMINS in self.person.groups)


@dataclass(frozen=True, slots=True)
class Clock:
    """Something that runs out. Times in seconds; `share` is what is left, in hundredths.

    `state` says whether it runs well, low or is over.
    """

    name: Saying
    seconds_left: int
    total: int
    meaning: Saying
    share: float
    state: str


def clock(name: Saying, seconds_left: int, total: int, meaning: Saying) -> Clock:
    """A clock that has so many seconds left of so many."""
    share = min(100.0, round(100 * seconds_left / total, 1)) if total else 0.0
    state = "over" if seconds_left <= 0 else "low" if share < 15 else "well"
    return Clock(name, seconds_left, total, meaning, share, state)


class Pages:
    """Renders templates inside the frame. `csrf_token` makes the proof for a session's forms."""

    def __init__(
        self,
        speakers: Speakers,
        sessions: Sessions,
        choice: Choice,
        csrf_token: Callable[[Session | None], str],
        *,
        providers: tuple[str, ...],
        demo: bool,
    ) -> None:
        self._speakers = speakers
        self._choice = choice
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
        chosen = self._choice.chosen()
        here = place_of(request.path)
        chrome = Chrome(
            signed_in=person is not None,
            person=person,
            csrf_token=self.csrf_token(session),
            here=here,
            providers=self._providers,
            chosen=chosen,
            back=way_back(here),
            demo=self._demo,
        )
        # Straight from Jinja: pages use nothing of Flask's own context.
        found = self._speakers.template(template, chosen or ENGLISH)
        return found.render(chrome=chrome, **context)


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


def filters(assets: Assets, base_url: str) -> dict[str, Callable[..., object]]:
    """What templates may do with a value. `base_url` is our own, without a slash at its end."""
    return {
        "absolute": base_url.__add__,
        "asset": assets.url,
        "breaks": breaks,
        "duration": duration,
        "moment": moment,
        "short": short,
    }


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
    if accepted == "application/json":  # as scripts say it: nothing to weigh
        return True
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

"""Half-finished sign-ins between two pages, and the proof that a form came from our own page.

A step is what the server must remember between, say, the right password and the code of the
authenticator app. Its id is new at every step and lives in a cookie named after the sign-in, so
several tabs do not disturb each other and nobody can plant an id in advance.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

STEP_SECONDS = 600
MAX_TRIES = 5

Kind = Literal["confirm", "reset", "new_password", "totp", "totp_setup"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one sign-in waits for; `username` is what the pool knows, `label` what is shown."""

    kind: Kind
    pool_id: str
    username: str
    label: str
    secret: str = ""
    tries_left: int = MAX_TRIES
    expires_at: float = 0.0


class Steps:
    """The waiting sign-ins of one server process; `now` gives epoch seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._by_id: dict[tuple[str, str], Step] = {}
        self._lock = threading.Lock()

    def put(self, flow: str, step: Step) -> str:
        """Keep a step for the sign-in `flow` and return the new id that leads to it."""
        step_id = secrets.token_urlsafe(24)
        now = self._now()
        with self._lock:
            self._by_id = {key: kept for key, kept in self._by_id.items() if kept.expires_at > now}
            self._by_id[(flow, step_id)] = replace(step, expires_at=now + STEP_SECONDS)
        return step_id

    def find(self, flow: str, step_id: str, kind: Kind) -> Step | None:
        """Return the living step of this kind; the id alone, without its flow, finds nothing."""
        with self._lock:
            step = self._by_id.get((flow, step_id))
        if step is None or step.kind != kind or step.expires_at <= self._now():
            return None
        return step

    def failed(self, flow: str, step_id: str) -> bool:
        """Count a wrong answer; True when that was the last try and the step is gone."""
        with self._lock:
            step = self._by_id.pop((flow, step_id), None)
            if step is None or step.tries_left <= 1:
                return True
            self._by_id[(flow, step_id)] = replace(step, tries_left=step.tries_left - 1)
            return False

    def drop(self, flow: str, step_id: str) -> None:
        """Forget the step; an unknown one is no error."""
        with self._lock:
            self._by_id.pop((flow, step_id), None)


class FormGuard:
    """Tokens against forged forms: bound to a browser (its form cookie) and to one sign-in."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, browser: str, flow: str) -> str:
        """Return the token for the forms of this browser and sign-in."""
        return hmac.new(self._key, f"{browser}\n{flow}".encode(), hashlib.sha256).hexdigest()

    def accepts(self, token: str, *, browser: str, flow: str) -> bool:
        """Say whether the token is the one for this browser and sign-in."""
        expected = self.token(browser, flow).encode()
        return hmac.compare_digest(token.encode(), expected)


def flow_name(oauth_query: str) -> str:
    """Return a short name for one sign-in, the same for all pages that carry its parameters."""
    return hashlib.sha256(oauth_query.encode()).hexdigest()[:16]

"""The application joined to the doubles, for web and security tests: real client code."""

import io
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.doubles.browser import Browser
from tests.doubles.clock import Clock
from tests.doubles.cognito import Cognito
from webapp.app import create_app
from webapp.services import Services, build
from webapp.settings import Settings

BASE_URL = "http://localhost:8000"
SECURE_URL = "https://portal.example.com"
THREADS = 96
"""Tests press harder than the 32 threads of the settings in infra/container."""


@dataclass
class Rig:
    """One application and the doubles behind it. `log` is everything it logged so far."""

    app: Flask
    services: Services
    cognito: Cognito
    clock: Clock
    base_url: str
    log_stream: io.StringIO
    store_path: Path
    settings: Settings

    def browser(self) -> Browser:
        """A new browser with an empty cookie jar."""
        return Browser.for_app(self.app, self.base_url, issuer=self.cognito.issuer, now=self.clock)

    def signed_in(self, user: str = "admin", next: str = "/") -> Browser:  # noqa: A002
        """A browser in which a person of the demonstration is signed in."""
        browser = self.browser()
        browser.sign_in(self.cognito.user(user), next=next)
        return browser

    @property
    def log(self) -> str:
        """The lines logged so far."""
        return self.log_stream.getvalue()


@contextmanager
def rigged(
    folder: Path,
    *,
    base_url: str = BASE_URL,
    client_secret: str | None = None,
    threads: int | str = THREADS,  # so that settings may come as a mapping
    **settings: str,
) -> Iterator[Rig]:
    """A rig with further settings by name; the doubles complain at the end of what was wrong.

    `threads` is how many the application believes to be served by.
    """
    clock = Clock()
    stream = io.StringIO()
    stderr, sys.stderr = sys.stderr, stream
    temporary, tempfile.tempdir = tempfile.tempdir, str(folder)  # where a host keeps its notes
    try:
        with Cognito(now=clock, client_secret=client_secret) as cognito:
            path = folder / "sessions.db"
            environment = cognito.environment(
                base_url,
                **{"SESSION_STORE_URL": f"sqlite:///{path}", "LOG_LEVEL": "DEBUG"} | settings,
            )
            read = Settings.load(environment)
            services = build(read, now=clock, threads=int(threads))
            app = create_app(read, services, now=clock)
            yield Rig(app, services, cognito, clock, base_url, stream, path, read)
            for caretaker in services.caretakers:
                caretaker.stop(patience=10.0)  # or the doubles are gone in the middle of a call
    finally:
        sys.stderr, tempfile.tempdir = stderr, temporary
        logging.getLogger().handlers.clear()

"""create_app: joins the rooms, puts the checks in order, registers the pages."""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import budget
from webapp.bare import bare
from webapp.blueprints import register
from webapp.cli.commands import Commands
from webapp.cli.house import House
from webapp.deadlines import REQUEST_SECONDS, disagreements
from webapp.errors import PorticoError
from webapp.guard import Guard
from webapp.observe import configure, observe_requests
from webapp.security import Security
from webapp.server import loading
from webapp.services import Services, build
from webapp.sessions import Sessions
from webapp.settings import Settings
from webapp.views import assets, error_pages, language, tour
from webapp.views.page import Assets, Pages, filters
from webapp.views.templates import Speakers
from webapp.views.tongues import Choice

ROOT = Path(__file__).resolve().parent.parent


def create_app(
    settings: Settings | None = None,
    services: Services | None = None,
    *,
    now: Callable[[], float] = time.time,
    threads: int | None = None,
) -> Flask:
    """The application. Without arguments from the environment and `.env`.

    `threads` is how many of a process serve requests; None when nobody knows. Raises
    SettingsProblems, before anything is opened, when the environment is not fit.
    """
    settings = settings or Settings.load(os.environ, Path(".env"))
    configure(settings.log_level, settings.log_format)
    rooms = services or build(settings, now=now, threads=threads)

    app = bare(ROOT)
    security = Security(
        rooms.ring,
        base_url=settings.app_base_url,
        proxy_hops=settings.trusted_proxy_hops,
        login_origin=lambda: rooms.managed_login.origin,
        now=now,
    )
    sessions = Sessions(
        rooms.vault,
        rooms.attempts,
        rooms.clients,
        rooms.refusals,
        secure=security.secure,
        now=now,
        is_strangers=rooms.key_watch.is_strangers,
    )
    guard = Guard(sessions, rooms.freshness, may_serve=rooms.key_watch.check)
    files = Assets(ROOT / "static")
    choice = Choice(sessions)
    pages = Pages(
        Speakers(app, filters(files, settings.app_base_url) | tour.FILTERS),
        sessions,
        choice,
        security.csrf_token,
        providers=settings.cognito_identity_providers,
        demo=settings.offline,
    )
    _install(app, rooms, security, sessions, guard)
    app.register_blueprint(assets.make_blueprint(files))
    app.register_blueprint(language.make_blueprint(sessions, security))
    register(app, rooms, settings, security, sessions, guard, pages, choice, now)
    error_pages.install(app, pages, sessions)
    app.cli = Commands(House(lambda: settings, lambda _: rooms, now), name=app.name)
    if settings.trusted_proxy_hops:
        _trust_proxies(app, settings.trusted_proxy_hops)
    return app


def start() -> Flask:
    """The application for a server; a problem is a sentence on stderr and exit status 4.

    4 is what gunicorn itself uses for an application that cannot be loaded: it does not try again.
    """
    server = loading()
    wrong = disagreements(server.timeout, server.graceful_timeout) if server else []
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        sys.exit(4)
    try:
        app = create_app(threads=server.threads if server else None)
    except PorticoError as error:
        print(error.sentence, file=sys.stderr)
        sys.exit(4)
    # What is here now stays: a collection that looked at it would make every page wait, and each
    # forked worker would get a copy of all that it shares.
    gc.collect()
    gc.freeze()
    return app


def _install(
    app: Flask, rooms: Services, security: Security, sessions: Sessions, guard: Guard
) -> None:
    # Flask runs what stands behind the views in reverse: cookies, then headers, then the log line.
    observe_requests(app)
    _limit_requests(app)
    security.install(app)
    sessions.install(app)
    _warm_once(app, rooms)
    guard.install(app)


def _limit_requests(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        budget.begin(REQUEST_SECONDS)

    @app.teardown_request
    def over(_: BaseException | None) -> None:
        budget.over()


def _warm_once(app: Flask, rooms: Services) -> None:
    # At the first request and not at start: threads do not survive gunicorn's fork.
    warmed = threading.Lock()

    @app.before_request
    def warm() -> None:
        if warmed.acquire(blocking=False):
            rooms.warm_up()


def _trust_proxies(app: Flask, hops: int) -> None:
    # Only scheme and client address: the host is APP_BASE_URL's and no proxy's to choose.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]

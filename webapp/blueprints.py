"""Every page with the rooms that it reads from: what the application answers."""

from collections.abc import Callable
from functools import partial

from flask import Flask

from webapp.doctor.rounds import Rounds
from webapp.guard import Guard
from webapp.observe import event
from webapp.security import Security
from webapp.services import Services
from webapp.services.patient import patient_of
from webapp.sessions import Sessions
from webapp.settings import Settings, shown
from webapp.views import (
    access,
    auth,
    console,
    credentials,
    devices,
    doctor,
    flow,
    health,
    history,
    home,
    options,
    raw_token,
    session,
    tour,
)
from webapp.views.page import Pages
from webapp.views.tongues import Choice


def register(
    app: Flask,
    rooms: Services,
    settings: Settings,
    security: Security,
    sessions: Sessions,
    guard: Guard,
    pages: Pages,
    choice: Choice,
    now: Callable[[], float],
) -> None:
    """Register the pages, each with the rooms that it reads from."""
    app.register_blueprint(home.make_blueprint(pages, guard, sessions, now=now))
    app.register_blueprint(
        auth.make_blueprint(
            rooms.journey,
            rooms.sign_out,
            rooms.roster,
            sessions,
            security,
            choice,
            providers=settings.cognito_identity_providers,
        )
    )
    app.register_blueprint(
        session.make_blueprint(
            pages,
            guard,
            sessions,
            security,
            rooms.userinfo,
            rooms.freshness,
            shows_tokens=settings.app_show_tokens,
            now=now,
        )
    )
    if settings.app_show_tokens:
        _register_raw_token(app, pages, guard, security)
    app.register_blueprint(
        credentials.make_blueprint(
            pages, guard, sessions, security, rooms.wallet, rooms.caller, rooms.access, now=now
        )
    )
    app.register_blueprint(flow.make_blueprint(pages, guard, sessions, rooms.doorway.known))
    app.register_blueprint(
        options.make_blueprint(
            pages, choice, rooms.doorway.known, providers=settings.cognito_identity_providers
        )
    )
    app.register_blueprint(devices.make_blueprint(pages, guard, sessions, security, rooms.roster))
    _register_calls(app, rooms, security, (pages, guard, sessions), now)
    if settings.offline:  # it speaks of the demonstration's own people
        app.register_blueprint(tour.make_blueprint(pages))
    rounds = Rounds(partial(patient_of, settings, rooms), now=now)
    app.register_blueprint(
        doctor.make_blueprint(
            pages, guard, security, shown(settings), rounds, demo=settings.offline
        )
    )
    app.register_blueprint(health.make_blueprint(_probes(rooms)))


def _register_raw_token(app: Flask, pages: Pages, guard: Guard, security: Security) -> None:
    event("raw_tokens_shown", level="warning", cure="take APP_SHOW_TOKENS away")
    app.register_blueprint(raw_token.make_blueprint(pages, guard, security))


def _register_calls(
    app: Flask,
    rooms: Services,
    security: Security,
    common: tuple[Pages, Guard, Sessions],
    now: Callable[[], float],
) -> None:
    calling, keys = rooms.calling, rooms.key_source
    app.register_blueprint(access.make_blueprint(*common, security, rooms.access))
    app.register_blueprint(console.make_blueprint(*common, security, calling, keys, now=now))
    app.register_blueprint(history.make_blueprint(*common))


def _probes(rooms: Services) -> dict[str, Callable[[], object]]:
    return {
        "store": rooms.store.ping,
        "keys": rooms.key_watch.probe,
        "discovery": rooms.metadata.probe,
        "signing_keys": rooms.signing_keys.warm,
    }

"""GET /me, GET /session: who is signed in, what the tokens say and what was checked."""

import time
from collections.abc import Callable

from flask import Blueprint, Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from webapp.guard import Guard
from webapp.observe import event
from webapp.records import SessionRecord
from webapp.security import Security
from webapp.sessions import Session, Sessions
from webapp.signin.claims import UserInfo, held_claims
from webapp.signin.freshness import Freshness
from webapp.views.claims import checks, claim_rows
from webapp.views.comparison import changes_of, differences
from webapp.views.home import clocks
from webapp.views.page import Pages, json_answer
from webapp.views.raw_token import KINDS


def make_blueprint(
    pages: Pages,
    guard: Guard,
    sessions: Sessions,
    security: Security,
    asker: UserInfo,
    freshness: Freshness,
    *,
    shows_tokens: bool = False,
    now: Callable[[], float] = time.time,
) -> Blueprint:
    """The blueprint of the session's pages. `shows_tokens`: there is a way to see one."""
    blueprint = Blueprint("session", __name__)

    @blueprint.get("/me")
    def me() -> Response:
        found = guard.signed_in()
        if found is None:
            token = security.csrf_token(sessions.current())
            return json_answer({"signed_in": False, "csrf_token": token}, 401)
        session, person = found
        record = session.record
        return json_answer(
            {
                "signed_in": True,
                "sub": person.subject,
                "username": person.username,
                "email": person.email,
                "groups": person.groups,
                "role": (record.user_keys and record.user_keys.role_arn) or person.preferred_role,
                "seconds_left": _seconds_left(record, sessions, now()),
                "csrf_token": security.csrf_token(session),
            }
        )

    @blueprint.get("/session")
    def session() -> str:
        found, _ = guard.must()
        record = found.record
        id_claims, access_claims = held_claims(record)
        return pages.render(
            "pages/session.html",
            claims=claim_rows(id_claims, access_claims, record.userinfo),
            checks=checks(id_claims, access_claims, refreshed=record.refreshed_at is not None),
            clocks=clocks(record, sessions, now()),
            userinfo_at=record.userinfo_at,
            refreshed_at=record.refreshed_at,
            changed=record.changed_claims,
            changes=changes_of(record, id_claims),
            differences=differences(id_claims, access_claims, record.userinfo),
            raw=KINDS if shows_tokens else {},
        )

    @blueprint.post("/session/refresh")
    def refresh() -> AnyResponse:
        held = _proven()
        sessions.keep(freshness.renew(held))
        event("refreshed_by_hand")
        return redirect("/session", 303)

    @blueprint.post("/session/userinfo")
    def userinfo() -> AnyResponse:
        sessions.keep(asker.ask(_proven()))
        return redirect("/session#claims", 303)

    def _proven() -> Session:
        found, _ = guard.must()
        security.check_intent(found)
        return found

    return blueprint


def _seconds_left(record: SessionRecord, sessions: Sessions, now: float) -> dict[str, int | None]:
    tokens, keys = record.tokens, record.user_keys
    return {
        "token": max(0, int(tokens.expires_at - now)) if tokens else None,
        "credentials": max(0, int(keys.expires_at - now)) if keys else None,
        "session": sessions.seconds_left(record),
    }

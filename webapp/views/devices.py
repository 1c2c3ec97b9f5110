"""GET /sessions: where this person is signed in, and the ends of it."""

from dataclasses import asdict

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from webapp.errors import BadInput
from webapp.guard import Guard
from webapp.observe import event
from webapp.records import Person
from webapp.security import Security
from webapp.sessions import Session, Sessions
from webapp.store.roster import Roster
from webapp.views.home import ROOM
from webapp.views.page import Pages, json_answer, wants_json
from webapp.words import say

NOTICES = {
    "room": ROOM,
    "ended": say("That session has ended."),
    "ended-before": say("That session was over already."),
    "ended-others": say("Every other session has ended."),
    "ended-none": say("There was no other session to end."),
}


def make_blueprint(
    pages: Pages, guard: Guard, sessions: Sessions, security: Security, roster: Roster
) -> Blueprint:
    """The blueprint of a person's sessions."""
    blueprint = Blueprint("devices", __name__)

    @blueprint.get("/sessions")
    def devices() -> str | AnyResponse:
        session, person = guard.must()
        entries = roster.of(person, session)
        if wants_json():
            listed = [asdict(entry) for entry in entries]
            token = security.csrf_token(session)
            return json_answer({"sessions": listed, "most": roster.most, "csrf_token": token})
        notice = NOTICES.get(sessions.take_notice())
        return pages.render("pages/sessions.html", entries=entries, most=roster.most, notice=notice)

    @blueprint.post("/sessions/end")
    def end() -> AnyResponse:
        session, person = _proven()
        name = request.form.get("name", "")
        if any(entry.is_this and entry.name == name for entry in roster.of(person, session)):
            raise BadInput("This is the session you are in; sign out to end it.", code="this_one")
        ended = roster.end(person, name)
        event("session_ended_by_person", named=name, was_there=ended)
        return _back("ended" if ended else "ended-before")

    @blueprint.post("/sessions/end-others")
    def end_others() -> AnyResponse:
        session, _ = _proven()
        ended = roster.end_others(session)
        event("other_sessions_ended", ended=ended)
        return _back("ended-others" if ended else "ended-none")

    def _proven() -> tuple[Session, Person]:
        session, person = guard.must()
        security.check_intent(session)
        return session, person

    def _back(notice: str) -> AnyResponse:
        sessions.leave_notice(notice)
        return redirect("/sessions", 303)

    return blueprint

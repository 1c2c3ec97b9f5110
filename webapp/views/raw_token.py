"""POST /session/token: one raw token, where an operator turned that on for a demonstration.

Without APP_SHOW_TOKENS this blueprint is not there, and its address is unknown.
"""

from flask import Blueprint, Response, request

from webapp.errors import BadInput
from webapp.guard import Guard
from webapp.observe import event
from webapp.security import Security
from webapp.signin.claims import held_tokens
from webapp.views.page import Pages
from webapp.words import say

KINDS = {"id": say("ID token"), "access": say("Access token")}
"""Those whose parts teach something. A refresh token is opaque, and shown to nobody."""


def make_blueprint(pages: Pages, guard: Guard, security: Security) -> Blueprint:
    """The blueprint of the page that shows a token."""
    blueprint = Blueprint("raw_token", __name__)

    @blueprint.post("/session/token")
    def show() -> Response:
        session, _ = guard.must()
        security.check_intent(session)
        kind = request.form.get("token", "")
        if kind not in KINDS:
            raise BadInput("There is no such token to show.", code="no_such_token")
        event("token_shown", level="warning", token=kind)
        token = held_tokens(session.record)[kind]
        page = pages.render("pages/token.html", kind=KINDS[kind], parts=token.split("."))
        response = Response(page)
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint

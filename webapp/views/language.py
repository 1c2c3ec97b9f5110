"""POST /language: in which language this browser gets our pages."""

from flask import Blueprint, Response, request

from webapp.addresses import local_path
from webapp.errors import BadInput
from webapp.security import Security
from webapp.sessions import Sessions
from webapp.views.tongues import TONGUES, Choice


def make_blueprint(sessions: Sessions, security: Security, choice: Choice) -> Blueprint:
    """The blueprint of choosing a language."""
    blueprint = Blueprint("language", __name__)

    @blueprint.post("/language")
    def choose() -> Response:
        security.check_intent(sessions.current())
        code = request.form.get("lang", "")
        if code not in TONGUES:
            raise BadInput("Portico does not speak that language.", code="language")
        response = Response(
            status=303,
            headers={
                "Location": local_path(request.form.get("next")),
                "Cache-Control": "no-store",
            },
        )
        choice.remember(response, code)
        return response

    return blueprint

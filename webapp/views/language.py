"""POST /language: in which language this browser gets our pages."""

from flask import Blueprint, Response, request

from webapp.addresses import local_path
from webapp.errors import BadInput
from webapp.security import Security
from webapp.sessions import Sessions
from webapp.views.tongues import TONGUES


def make_blueprint(sessions: Sessions, security: Security) -> Blueprint:
    """The blueprint of choosing a language."""
    blueprint = Blueprint("language", __name__)

    @blueprint.post("/language")
    def choose() -> Response:
        security.check_intent(sessions.current())
        code = request.form.get("lang", "")
        if code not in TONGUES:
            raise BadInput("Portico does not speak that language.", code="language")
        sessions.choose_language(code)
        return Response(status=303, headers={"Location": local_path(request.form.get("next"))})

    return blueprint

"""GET and POST /access: the access matrix, every endpoint as everybody, expected beside got."""

from flask import Blueprint, Response, request

from webapp.api.matrix import counts, matrix_json
from webapp.guard import Guard
from webapp.observe import event
from webapp.security import Security
from webapp.sessions import Session, Sessions
from webapp.signin.matrix import AccessMatrix
from webapp.views.page import Pages, json_answer, wants_json

FILE = "access-matrix.json"


def make_blueprint(
    pages: Pages, guard: Guard, sessions: Sessions, security: Security, access: AccessMatrix
) -> Blueprint:
    """The blueprint of the access matrix."""
    blueprint = Blueprint("access", __name__)

    @blueprint.get("/access")
    def plan() -> Response | str:
        session = somebody()
        matrix = access.planned(session.record if session else None)
        if wants_json():
            return json_answer(matrix_json(matrix) | {"csrf_token": security.csrf_token(session)})
        return pages.render("pages/access.html", matrix=matrix, counts=counts(matrix))

    @blueprint.post("/access")
    def run() -> Response | str:
        security.check_intent(sessions.current())
        _, matrix = access.run(somebody(), sessions.keep)
        event("matrix_run", wrong=len(matrix.wrong), seconds=round(matrix.seconds or 0.0, 3))
        if request.form.get("as") == "file":
            answer = json_answer(matrix_json(matrix))
            answer.headers["Content-Disposition"] = f'attachment; filename="{FILE}"'
            return answer
        if wants_json():
            return json_answer(matrix_json(matrix))
        return pages.render("pages/access.html", matrix=matrix, counts=counts(matrix))

    def somebody() -> Session | None:
        """Whoever is signed in, with tokens that live; else a guest's session, if there is one."""
        found = guard.signed_in()
        return found[0] if found else sessions.current()

    return blueprint

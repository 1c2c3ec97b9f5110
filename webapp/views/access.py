"""GET and POST /access: the access matrix, every endpoint as everybody, expected beside got."""

from flask import Blueprint, Response, request

from webapp.api.matrix import Cell, Matrix
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


def counts(matrix: Matrix) -> dict[str, int]:
    """How many cells there are, and how they came out."""
    cells = list(matrix)
    return {
        "all": len(cells),
        "as_expected": sum(cell.verdict == "as expected" for cell in cells),
        "wrong": len(matrix.wrong),
        "unknown": len(matrix.unknown),
    }


def matrix_json(matrix: Matrix) -> dict[str, object]:
    """The matrix for programs; `docs/reference/addresses.md` has the form."""
    return {
        "callers": [{"name": str(one), "label": one.label} for one in matrix.callers],
        "cells": [_cell_json(cell) for cell in matrix],
        "counts": counts(matrix),
        "all_as_expected": matrix.all_as_expected if matrix.seconds is not None else None,
        "seconds": None if matrix.seconds is None else round(matrix.seconds, 3),
    }


def _cell_json(cell: Cell) -> dict[str, object]:
    endpoint, trouble = cell.row.endpoint, cell.trouble
    return {
        "endpoint": endpoint.name,
        "method": endpoint.method,
        "address": cell.row.address,
        "identity": str(cell.caller),
        "expected": cell.expected,
        "status": cell.status,
        "verdict": cell.verdict,
        "milliseconds": None if cell.milliseconds is None else round(cell.milliseconds, 2),
        "role": cell.role_arn,
        "request_id": cell.request_id,
        "error": {"code": trouble.code, "message": trouble.sentence} if trouble else None,
    }

"""The only map from our errors to a status and a page. Nothing of the request is repeated."""

from flask import Flask, jsonify
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from webapp.errors import (
    ApiTimedOut,
    ApiUnavailable,
    BadInput,
    Forbidden,
    NotOffered,
    OperatorFault,
    PorticoError,
    SessionEnded,
    SignInRefused,
    Unavailable,
)
from webapp.observe import event
from webapp.sessions import Sessions
from webapp.views.page import Pages, wants_json
from webapp.views.problems import Problem, plain_problem, problem_of

STATUS: tuple[tuple[type[PorticoError], int], ...] = (
    (ApiTimedOut, 504),
    (ApiUnavailable, 502),
    (Unavailable, 503),
    (OperatorFault, 502),
    (SignInRefused, 400),
    (SessionEnded, 401),
    (Forbidden, 403),
    (NotOffered, 405),
    (BadInput, 400),
)

# Errors of the authorize endpoint that are the pool's and not the person's (RFC 6749 4.1.2.1).
POOLS_FAULT = {"provider_fault": 502, "provider_busy": 503}

# Refused for the way by which they came, which nobody's page may go back.
IMPERSONAL = {"host", "prefix", "plain_http"}


def install(app: Flask, pages: Pages, sessions: Sessions) -> None:
    """Answer every error with a page of ours, or JSON where that is wanted."""

    def ours(error: PorticoError) -> AnyResponse:
        status = status_of(error)
        level = "error" if status >= 500 or error.facts.get("alarm") else "warning"
        facts = error.facts | {"code": error.code, "answer": status}
        event("refused", level=level, facts=facts)
        if isinstance(error, SessionEnded) and not error.keeps_cookie:
            sessions.drop()
        retry = error.retry_after if isinstance(error, Unavailable) else None
        if error.code == "provider_busy":
            retry = 5
        response = answer(problem_of(error, status), retry)
        if "allow" in error.facts:  # RFC 9110 section 15.5.6: a 405 says what would do
            response.headers["Allow"] = str(error.facts["allow"])
        return response

    def theirs(error: HTTPException) -> AnyResponse:
        status = error.code or 500
        response = answer(plain_problem(status), None)
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                response.headers[name] = value
        return response

    def unforeseen(error: Exception) -> AnyResponse:
        event("unforeseen", level="error", error=type(error).__name__, where=_where(error))
        return answer(plain_problem(500), None)

    def answer(problem: Problem, retry_after: int | None) -> AnyResponse:
        response: AnyResponse
        if wants_json():
            response = jsonify(
                error=problem.code,
                message=problem.what,
                signed_in=False if problem.status == 401 else None,
                request_id=problem.correlation,
            )
        else:
            response = app.make_response(page(problem))
        response.status_code = problem.status
        response.headers["Cache-Control"] = "no-store"
        response.vary.add("Cookie")
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    def page(problem: Problem) -> str:
        if problem.status < 500 and problem.code not in IMPERSONAL:
            try:
                return pages.render("errors/problem.html", problem=problem)
            except Exception as trouble:  # the store may be out of reach: then without the session
                event("page_without_session", level="warning", error=type(trouble).__name__)
        return pages.render_without_session("errors/problem.html", problem=problem)

    app.register_error_handler(PorticoError, ours)
    app.register_error_handler(HTTPException, theirs)
    app.register_error_handler(Exception, unforeseen)


def status_of(error: PorticoError) -> int:
    """The HTTP status that an error is answered with."""
    if error.code == "media_type":
        return 415
    if isinstance(error, SignInRefused) and error.code in POOLS_FAULT:
        return POOLS_FAULT[error.code]
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def _where(error: Exception) -> str:
    """The innermost place in the code, without values: those may be secrets."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"

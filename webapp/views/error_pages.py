"""The only map from our errors to a status and a page. Nothing of the request is repeated."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

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
from webapp.observe import event, request_id
from webapp.sessions import Sessions
from webapp.views.page import Pages, wants_json

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

# What happened and what helps, by the code of a refused sign-in.
SIGN_IN = {
    "no_attempt": (
        "This browser has no sign-in under way, so the answer from Cognito was not used.",
        "If you did start one here, cookies may be blocked: allow them for this address.",
    ),
    "unknown_state": (
        "The answer from Cognito belongs to no sign-in of this browser, so it was not used.",
        "If you did not start a sign-in, somebody may have sent you their link; close it.",
    ),
    "no_state": (
        "The answer from Cognito lacks the part that ties it to this browser.",
        "Start again from here.",
    ),
    "repeated": ("The answer from Cognito names a thing twice.", "Start again from here."),
    "too_late": (
        "The sign-in took longer than fifteen minutes.",
        "Start again; you will come back to the page that you wanted.",
    ),
    "declined": ("You declined to sign in, or your access was refused.", "Start again any time."),
    "login_required": (
        "Cognito has no sign-in of yours in this browser, so signing in silently did not work.",
        "Sign in with the button below.",
    ),
    "wrong_issuer": (
        "The answer came from a user pool that this application does not use.",
        "Start again from here; if it happens again, tell the operator.",
    ),
    "bad_code": ("The answer from Cognito holds no usable code.", "Start again from here."),
    "code_refused": (
        "Cognito did not accept the code that it had given: it was used before or is too old.",
        "Start again; you will come back to the page that you wanted.",
    ),
    "token_refused": (
        "Cognito's tokens did not pass a check, so nobody was signed in.",
        "Start again; if it happens again, tell the operator the number below.",
    ),
    "provider_busy": ("Cognito is busy just now.", "Wait a moment, then start again."),
    "provider_failed": (
        "Cognito could not finish the sign-in.",
        "Start again; if it happens again, tell the operator the number below.",
    ),
    "provider_refused": (
        "Cognito refuses this application's request.",
        "Tell the operator the number below: the app client's settings need attention.",
    ),
}
TITLES = {
    400: "That did not work",
    401: "Please sign in",
    403: "Not allowed",
    404: "No such page",
    405: "Not in this way",
    413: "Too large",
    415: "Not in this form",
    431: "Too large",
    502: "The other side gave no answer",
    503: "One moment, please",
    504: "The other side took too long",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error page says."""

    title: str
    what: str
    cures: tuple[str, ...]
    action_href: str
    action_label: str
    correlation: str
    status: int
    kind: str
    code: str


def install(app: Flask, pages: Pages, sessions: Sessions) -> None:
    """Answer every error with a page of ours, or JSON where that is wanted."""

    def ours(error: PorticoError) -> AnyResponse:
        status = status_of(error)
        level = "error" if status >= 500 or error.facts.get("alarm") else "warning"
        facts = error.facts | {"code": error.code, "answer": status}
        event("refused", level=level, facts=facts)
        if isinstance(error, SessionEnded) and not error.meanwhile:
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
        response = answer(_plain(status), None)
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                response.headers[name] = value
        return response

    def unforeseen(error: Exception) -> AnyResponse:
        event("unforeseen", level="error", error=type(error).__name__, where=_where(error))
        return answer(_plain(500), None)

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


def problem_of(error: PorticoError, status: int) -> Problem:
    """What to say about an error: what happened, what helps, where to go."""
    href, label, kind = "/", "To the home page", "refused"
    what = error.sentence
    cures: tuple[str, ...] = ()
    if isinstance(error, SignInRefused):
        what, cure = SIGN_IN.get(error.code, SIGN_IN["provider_failed"])
        href, label, cures = _login(error.next_path), "Start again", (cure,)
    elif isinstance(error, SessionEnded):
        href, label, kind = _login(error.next_path), "Sign in", "ended"
    elif isinstance(error, Unavailable):
        kind = "wait"
        cures = ("Nothing is lost: your session is kept. Wait a few seconds and reload.",)
        if error.code.startswith(("provider", "discovery")):
            href, label = "/login", "Start the sign-in again"
    elif isinstance(error, OperatorFault):
        kind = "fault"
        cures = ("Tell the operator the number below; trying again will not help.",)
    return Problem(
        title=TITLES.get(status, "That did not work"),
        what=what,
        cures=cures,
        action_href=href,
        action_label=label,
        correlation=request_id(),
        status=status,
        kind=kind,
        code=error.code,
    )


def _plain(status: int) -> Problem:
    sentences = {
        404: "There is nothing at this address.",
        405: "This address does not answer that kind of request.",
        413: "What was sent is larger than anything that belongs here.",
        500: "Something broke on our side. It was noted under the number below.",
    }
    name = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    return Problem(
        title=TITLES.get(status, "Something broke" if status >= 500 else name),
        what=sentences.get(status, f"The server cannot do that: {name.lower()}."),
        cures=(),
        action_href="/",
        action_label="To the home page",
        correlation=request_id(),
        status=status,
        kind={404: "missing", 500: "fault"}.get(status, "refused"),
        code=name.lower().replace(" ", "_"),
    )


def _login(next_path: str) -> str:
    return "/login" if next_path == "/" else f"/login?next={quote(next_path, safe='/')}"


def _where(error: Exception) -> str:
    """The innermost place in the code, without values: those may be secrets."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"

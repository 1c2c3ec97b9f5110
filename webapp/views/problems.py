"""What error pages say: what happened, what helps, where to go; nothing of the request."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from flask import request

from webapp.errors import (
    OperatorFault,
    PorticoError,
    SessionEnded,
    SignInRefused,
    Unavailable,
)
from webapp.observe import request_id

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
    "session_too_large": (
        "Your groups and attributes are more than a session can hold, so nobody was signed in.",
        "Starting again does not help: tell the operator the number below. Fewer groups would.",
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
NOT_FINISHED = (
    "This sign-in was not finished and nobody was signed in. Wait a few seconds, then start the"
    " sign-in again; you will come back to the page that you wanted."
)
OUT_OF_DATE = "You signed in or out since it was loaded, or it is very old. Nothing was sent."
# Where the form of an address stands; every other form is the account menu's, on any page.
PAGES_OF_FORMS = {
    "/api/call": "/api",
    "/session/refresh": "/session",
    "/session/userinfo": "/session",
    "/credentials/role": "/credentials",
    "/credentials/name": "/credentials",
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


def problem_of(error: PorticoError, status: int) -> Problem:
    """What to say about an error: what happened, what helps, where to go."""
    href, label, kind = "/", "To the home page", "refused"
    what = error.sentence
    cures: tuple[str, ...] = ()
    if isinstance(error, SignInRefused):
        what, cure = SIGN_IN.get(error.code, SIGN_IN["provider_failed"])
        href, label, cures = _login(error.next_path), "Start again", (cure,)
        if error.code == "login_required":
            label = "Sign in"
    elif _is_old_form(error):
        what, cures = OUT_OF_DATE, ()
        href, label = PAGES_OF_FORMS.get(request.path, "/"), "Load it again"
    elif isinstance(error, SessionEnded):
        href, label, kind = _login(error.next_path), "Sign in", "ended"
    elif isinstance(error, Unavailable) and error.next_path is not None:
        kind = "wait"
        href, label, cures = _login(error.next_path), "Start the sign-in again", (NOT_FINISHED,)
    elif isinstance(error, Unavailable):
        kind = "wait"
        cures = ("Nothing is lost: your session is kept. Wait a few seconds and reload.",)
        if error.code.startswith(("provider", "discovery")):
            href, label = "/login", "Start the sign-in again"
    elif isinstance(error, OperatorFault):
        kind = "fault"
        cures = ("Tell the operator the number below; trying again will not help.",)
    return Problem(
        title=_title(error, status),
        what=what,
        cures=cures,
        action_href=href,
        action_label=label,
        correlation=request_id(),
        status=status,
        kind=kind,
        code=error.code,
    )


def _title(error: PorticoError, status: int) -> str:
    if isinstance(error, SignInRefused):
        return "You are not signed in"
    if _is_old_form(error):
        return "This page is out of date"
    return TITLES.get(status, "That did not work")


def _is_old_form(error: PorticoError) -> bool:
    # One without any proof did not come from a page of ours, so none is out of date.
    return error.code == "csrf" and bool(request.form.get("csrf_token"))


def plain_problem(status: int) -> Problem:
    """What to say about a plain HTTP status, such as 404."""
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

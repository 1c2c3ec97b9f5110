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
from webapp.words import say

# What happened and what helps, by the code of a refused sign-in.
SIGN_IN = {
    "no_attempt": (
        say("This browser has no sign-in under way, so the answer from Cognito was not used."),
        say("If you did start one here, cookies may be blocked: allow them for this address."),
    ),
    "unknown_state": (
        say("The answer from Cognito belongs to no sign-in of this browser, so it was not used."),
        say("If you did not start a sign-in, somebody may have sent you their link; close it."),
    ),
    "no_state": (
        say("The answer from Cognito lacks the part that ties it to this browser."),
        say("Start again from here."),
    ),
    "repeated": (
        say("The answer from Cognito names a thing twice."),
        say("Start again from here."),
    ),
    "too_late": (
        say("The sign-in took longer than fifteen minutes."),
        say("Start again; you will come back to the page that you wanted."),
    ),
    "declined": (
        say("You declined to sign in, or your access was refused."),
        say("Start again any time."),
    ),
    "login_required": (
        say(
            "Cognito has no sign-in of yours in this browser, so signing in silently did not work."
        ),
        say("Sign in with the button below."),
    ),
    "wrong_issuer": (
        say("The answer came from a user pool that this application does not use."),
        say("Start again from here; if it happens again, tell the operator."),
    ),
    "bad_code": (
        say("The answer from Cognito holds no usable code."),
        say("Start again from here."),
    ),
    "code_refused": (
        say("Cognito did not accept the code that it had given: it was used before or is too old."),
        say("Start again; you will come back to the page that you wanted."),
    ),
    "token_refused": (
        say("Cognito's tokens did not pass a check, so nobody was signed in."),
        say("Start again; if it happens again, tell the operator the number below."),
    ),
    "session_too_large": (
        say(
            "Your groups and attributes are more than a session can hold, so nobody was signed in."
        ),
        say(
            "Starting again does not help: tell the operator the number below. Fewer groups would."
        ),
    ),
    "provider_busy": (say("Cognito is busy just now."), say("Wait a moment, then start again.")),
    "provider_failed": (
        say("Cognito could not finish the sign-in."),
        say("Start again; if it happens again, tell the operator the number below."),
    ),
    "provider_refused": (
        say("Cognito refuses this application's request."),
        say("Tell the operator the number below: the app client's settings need attention."),
    ),
}
NOT_FINISHED = say(
    "This sign-in was not finished and nobody was signed in. Wait a few seconds, then start the"
    " sign-in again; you will come back to the page that you wanted."
)
OUT_OF_DATE = say("You signed in or out since it was loaded, or it is very old. Nothing was sent.")
ASK_AN_ADMIN = say(
    "Ask one of them to look, or sign in as one of them: Switch account is in the menu with your"
    " name."
)
# Where the form of an address stands; every other form is the account menu's, on any page.
PAGES_OF_FORMS = {
    "/api/call": "/api",
    "/session/refresh": "/session",
    "/session/userinfo": "/session",
    "/credentials/role": "/credentials",
    "/credentials/name": "/credentials",
    "/doctor": "/doctor",
}
TITLES = {
    400: say("That did not work"),
    401: say("Please sign in"),
    403: say("Not allowed"),
    404: say("No such page"),
    405: say("Not in this way"),
    413: say("Too large"),
    415: say("Not in this form"),
    431: say("Too large"),
    502: say("The other side gave no answer"),
    503: say("One moment, please"),
    504: say("The other side took too long"),
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
    href, label, kind = "/", say("To the home page"), "refused"
    what = error.sentence
    cures: tuple[str, ...] = ()
    if isinstance(error, SignInRefused):
        what, cure = SIGN_IN.get(error.code, SIGN_IN["provider_failed"])
        href, label, cures = _login(error.next_path), say("Start again"), (cure,)
        if error.code == "login_required":
            label = say("Sign in")
    elif _is_old_form(error):
        what, cures = OUT_OF_DATE, ()
        href, label = PAGES_OF_FORMS.get(request.path, "/"), say("Load it again")
    elif isinstance(error, SessionEnded):
        href, label, kind = _login(error.next_path), say("Sign in"), "ended"
    elif isinstance(error, Unavailable) and error.next_path is not None:
        kind = "wait"
        href, label, cures = (
            _login(error.next_path),
            say("Start the sign-in again"),
            (NOT_FINISHED,),
        )
    elif isinstance(error, Unavailable):
        kind = "wait"
        cures = (say("Nothing is lost: your session is kept. Wait a few seconds and reload."),)
        if error.code.startswith(("provider", "discovery")):
            href, label = "/login", say("Start the sign-in again")
    elif error.code == "admins_only":
        cures = (ASK_AN_ADMIN,)
    elif isinstance(error, OperatorFault):
        kind = "fault"
        cures = (say("Tell the operator the number below; trying again will not help."),)
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
        return say("You are not signed in")
    if _is_old_form(error):
        return say("This page is out of date")
    return TITLES.get(status, say("That did not work"))


def _is_old_form(error: PorticoError) -> bool:
    # One without any proof did not come from a page of ours, so none is out of date.
    return error.code == "csrf" and bool(request.form.get("csrf_token"))


def plain_problem(status: int) -> Problem:
    """What to say about a plain HTTP status, such as 404."""
    sentences = {
        404: say("There is nothing at this address."),
        405: say("This address does not answer that kind of request."),
        413: say("What was sent is larger than anything that belongs here."),
        500: say("Something broke on our side. It was noted under the number below."),
    }
    name = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    return Problem(
        title=TITLES.get(status, say("Something broke") if status >= 500 else name),
        what=sentences.get(status, say("The server cannot do that: %(name)s.", name=name.lower())),
        cures=(),
        action_href="/",
        action_label=say("To the home page"),
        correlation=request_id(),
        status=status,
        kind={404: "missing", 500: "fault"}.get(status, "refused"),
        code=name.lower().replace(" ", "_"),
    )


def _login(next_path: str) -> str:
    return "/login" if next_path == "/" else f"/login?next={quote(next_path, safe='/')}"

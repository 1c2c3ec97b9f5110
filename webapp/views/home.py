"""GET /: who you are and what runs out, or what there is to see."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint

from webapp.guard import Guard
from webapp.records import Person, SessionRecord
from webapp.sessions import Sessions
from webapp.views.page import Clock, Pages, clock
from webapp.words import Saying, say

SIGNED_OUT = say("You are signed out here.")
# How far a sign-out went that reached all it was to reach; of no use to somebody signed in again.
REACHED = {
    "app": say(
        "You are signed out here. Cognito still knows you in this browser: the next sign-in asks"
        " nothing."
    ),
    "browser": say("You are signed out here and at Cognito in this browser."),
    "all": say(
        "You are signed out here and at Cognito in this browser, and Portico's sessions"
        " elsewhere have ended."
    ),
}
NOTICES = {
    "store": say(
        "The session store did not answer; the server will finish, and delete the session as"
        " soon as it does."
    ),
    "revoke": say(
        "Cognito could not be told to revoke your refresh token; the server keeps trying"
        " until that is done or the token has ended by itself."
    ),
    "everywhere": say(
        "Cognito could not be told to sign you out everywhere; the server keeps trying"
        " until that is done or your tokens have ended by themselves."
    ),
    "elsewhere": say(
        "Cognito refused to sign you out everywhere, so other applications may still know"
        " you; all your sessions here are over."
    ),
    "cognito": say(
        "Cognito's own sign-in may still be alive in this browser, since its address could"
        " not be found."
    ),
}


ROOM = say(
    "You are signed in in as many browsers as you may be, so the oldest of them has been signed"
    " out. Browsers shows the others."
)
TOKENS, KEYS, SESSION = say("Tokens"), say("AWS credentials"), say("Session")
TOKENS_END = say("ID and access token; renewed with the refresh token shortly before the end.")
KEYS_END = say("Temporary keys of the identity pool; fetched again five minutes before the end.")
SESSION_ENDS = say(
    "Ends when nothing is asked for this long, and at a fixed limit after the sign-in."
)


@dataclass(frozen=True, slots=True)
class HomeView:
    """The home page of somebody signed in."""

    person: Person
    groups: tuple[str, ...]
    role: str | None
    role_note: Saying | None
    clocks: list[Clock]


def make_blueprint(
    pages: Pages, guard: Guard, sessions: Sessions, *, now: Callable[[], float] = time.time
) -> Blueprint:
    """The home page's blueprint."""
    blueprint = Blueprint("home", __name__)

    @blueprint.get("/")
    def home() -> str:
        found = guard.signed_in()
        left = sessions.take_notice()
        notice = _notice(left)
        if found is None:
            notice = (REACHED[left],) if left in REACHED else notice
            return pages.render("pages/home_signed_out.html", notice=notice)
        session, person = found
        record = session.record
        view = HomeView(
            person=person,
            groups=person.groups,
            role=(record.user_keys and record.user_keys.role_arn) or person.preferred_role,
            role_note=_role_note(record, person),
            clocks=clocks(record, sessions, now()),
        )
        notice = (ROOM,) if left == "room" else notice
        return pages.render("pages/home_signed_in.html", home=view, notice=notice)

    return blueprint


def _notice(names: str) -> tuple[Saying, ...]:
    """What a sign-out left or could not reach, in sentences."""
    said = [sentence for name, sentence in NOTICES.items() if name in names.split(",")]
    return (SIGNED_OUT, *said) if said else ()


def _role_note(record: SessionRecord, person: Person) -> Saying | None:
    if record.user_keys is None:
        if person.preferred_role:
            return say("Preferred by your groups; no keys fetched yet.")
        return say("The first signed call or the credentials page fetches keys.")
    return None if record.user_keys.role_arn else say("The identity pool's default role.")


def clocks(record: SessionRecord, sessions: Sessions, now: float) -> list[Clock]:
    """What runs out for this person, and what happens then."""
    found = []
    if record.tokens:
        found.append(
            clock(
                TOKENS,
                max(0, int(record.tokens.expires_at - now)),
                record.tokens.expires_at - record.tokens.issued_at,
                TOKENS_END,
            )
        )
    if record.user_keys:
        found.append(
            clock(
                KEYS,
                max(0, int(record.user_keys.expires_at - now)),
                record.user_keys.expires_at - record.user_keys.fetched_at,
                KEYS_END,
            )
        )
    found.append(
        clock(
            SESSION,
            sessions.seconds_left(record),
            sessions.idle,
            SESSION_ENDS,
        )
    )
    return found

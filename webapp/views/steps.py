"""The steps of the whole way for a reader: between whom, what is sent, why, where to read of it.

This is what never differs. What one session adds is in views/journal.py.
"""

from dataclasses import dataclass
from typing import Literal

from webapp.views import standards
from webapp.views.standards import Source
from webapp.words import Saying, say

Lane = Literal["browser", "portico", "login", "pool", "api"]
State = Literal["done", "not_yet", "unnoted", "to_come"]
LANES: tuple[tuple[Lane, Saying], ...] = (
    ("browser", say("Your browser")),
    ("portico", say("Portico")),
    ("login", say("User pool, Managed Login")),
    ("pool", say("Identity pool")),
    ("api", say("API Gateway")),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A value of a step, under its name on the wire. `told` says in words what is not shown."""

    name: str
    value: str = ""
    told: Saying | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One message between two parts, or something that one of them does by itself.

    `at` is in epoch seconds, None where nothing is known of the moment.
    """

    name: str
    title: Saying
    between: tuple[Lane, Lane]
    message: str
    what: Saying
    read: tuple[Source, ...]
    facts: tuple[Fact, ...] = ()
    at: float | None = None
    milliseconds: float | None = None
    state: State = "not_yet"


LOGIN = Step(
    "login",
    say("The way in"),
    ("browser", "portico"),
    "GET /login",
    say(
        "Portico makes one random seed. state, nonce and code verifier come from it; it waits in an"
        " encrypted cookie of this browser, and nothing is written on the server."
    ),
    standards.START,
)
AUTHORIZE = Step(
    "authorize",
    say("To the authorize endpoint"),
    ("browser", "login"),
    "GET /oauth2/authorize",
    say(
        "The browser is sent to Cognito with the question: who is this? Only the hash of the code"
        " verifier goes along, so that whoever steals the answer cannot use it."
    ),
    standards.AUTHORIZE,
)
MANAGED_LOGIN = Step(
    "managed-login",
    say("The person proves who they are"),
    ("login", "login"),
    "Managed Login",
    say(
        "The password, and whatever else the pool asks for, is typed at Cognito; Portico never sees"
        " it. If Cognito knew this browser already, it asked nothing. The time is that between"
        " leaving and coming back, to the second."
    ),
    standards.MANAGED_LOGIN,
)
CALLBACK = Step(
    "callback",
    say("Back with a code"),
    ("browser", "portico"),
    "GET /callback",
    say(
        "Before anything else is believed, the state is compared with those of this browser's open"
        " attempts. The attempt is marked as spent in the store, so it works once."
    ),
    standards.CALLBACK,
)
TOKEN = Step(
    "token",
    say("The code for three tokens"),
    ("portico", "login"),
    "POST /oauth2/token",
    say(
        "From server to server: the code and the code verifier, once. The client proves itself by"
        " its secret, where it has one. Redirects are not followed."
    ),
    standards.EXCHANGE,
)
KEYS = Step(
    "keys",
    say("The pool's signing keys"),
    ("portico", "portico"),
    "jwks.json, kept",
    say(
        "The published keys are parsed once and kept for an hour. A key id that is not among them"
        " causes one fetch in five minutes at most."
    ),
    standards.KEY_SET,
)
CHECKS = Step(
    "checks",
    say("Both tokens are checked"),
    ("portico", "portico"),
    "verify both tokens",
    say(
        "Each token alone, with the algorithm pinned. One check that fails ends the sign-in. Each"
        " check with its value stands below."
    ),
    standards.CHECKS,
)
SESSION = Step(
    "session",
    say("A sealed record, one opaque cookie"),
    ("portico", "browser"),
    "303 and the cookie",
    say(
        "The tokens go into a record that is sealed with a key of which the browser holds one half"
        " and the server the other. The browser gets a ticket of 44 characters."
    ),
    standards.SESSION,
)
GET_ID = Step(
    "get-id",
    say("An identity in the identity pool"),
    ("portico", "pool"),
    "GetId",
    say(
        "An unsigned call. With the ID token the pool gives the same identity every time; without"
        " one it makes a guest. Portico remembers the id and asks once."
    ),
    standards.GET_ID,
)
GET_CREDENTIALS = Step(
    "get-credentials",
    say("Temporary keys of one role"),
    ("portico", "pool"),
    "GetCredentialsForIdentity",
    say(
        "Also unsigned. The pool chooses the role: one that was asked for and stands in the token,"
        " else the token's preferred one, else its own default. The keys live for an hour."
    ),
    standards.GET_CREDENTIALS,
)
ROLE = Step(
    "role",
    say("Another role was chosen"),
    ("browser", "portico"),
    "POST /credentials/role",
    say("Only a role in the ID token can be chosen; the keys are then asked for anew."),
    standards.ROLE,
)
REFRESH = Step(
    "refresh",
    say("Fresh tokens"),
    ("portico", "login"),
    "POST /oauth2/token",
    say(
        "Shortly before the tokens end, or by hand: the refresh token for new ones, once, however"
        " many requests ask. Issuer, subject and audience must be the same as before."
    ),
    standards.REFRESH,
)
USERINFO = Step(
    "userinfo",
    say("What the pool says right now"),
    ("portico", "login"),
    "GET /oauth2/userInfo",
    say("The access token goes as bearer; the answer must speak of the same subject."),
    standards.USERINFO,
)
CALL = Step(
    "call",
    say("A signed call"),
    ("portico", "api"),
    "AWS4-HMAC-SHA256",
    say(
        "Signed with the temporary keys, the ID token beside it. Calls are not noted in the record,"
        " since each would cost a write; the last ones stand in a sealed trail in your browser."
    ),
    standards.SIGNED_CALL,
    state="unnoted",
)
CALL_MADE = say(
    "The last of your signed calls. It is told by the sealed trail in this browser, since noting it"
    " in the record would cost a write."
)
SIGN_OUT = Step(
    "sign-out",
    say("Leaving"),
    ("browser", "portico"),
    "POST /logout",
    say(
        "Still to come, and never seen here: the record is deleted first, then the refresh token is"
        " revoked, and the browser leaves through Cognito's logout endpoint."
    ),
    standards.SIGN_OUT,
    state="to_come",
)

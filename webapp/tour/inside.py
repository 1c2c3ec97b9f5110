"""Steps four to nine: what somebody signed in carries, may do, and leaves behind."""

from webapp.tour.moves import Step, call, call_next, cell, leave, place, press, sign_in
from webapp.words import say

ADMIN, PASSWORD = "admin@example.com", "Portico-demo-1"
_USER = say("signed-in user")

INSIDE = (
    Step(
        number=4,
        title=say("See what you carry"),
        place="/session",
        signed_in=True,
        moves=(
            place(
                say("Session"),
                say(
                    "Every claim of ID token and access token side by side, with its meaning, and"
                    " the checks that each had to pass."
                ),
                "What was checked",
                "passed",
            ),
            press(
                say("Ask userInfo now"),
                say(
                    "A third column: what the user pool itself says of you, asked with the access"
                    " token."
                ),
                "viewer@example.com",
            ),
            press(
                say("Refresh now"),
                say(
                    "New tokens for the same person. The claims that changed are marked: times and"
                    " token ids. The nonce is gone, since it belonged to the sign-in."
                ),
                "changed",
            ),
        ),
        tell=say(
            "The ID token says who you are, the access token what this application may do for you."
            " They are signed by different keys and checked each for itself. The page shows"
            " claims, never a token."
        ),
        pages=(("/session", True),),
    ),
    Step(
        number=5,
        title=say("The role you were given, and why"),
        place="/credentials",
        signed_in=True,
        moves=(
            place(
                say("Credentials"),
                say(
                    "Your identity id, the role portico-viewer, how it was chosen, and when the"
                    " keys end."
                ),
                "portico-viewer",
                "Identity id",
            ),
        ),
        tell=say(
            "The identity pool took the ID token and gave AWS keys for an hour. Which role they"
            " carry was decided by the group in the token. The secret halves never leave the"
            " server, so this page cannot show them."
        ),
        pages=(("/credentials", True),),
    ),
    Step(
        number=6,
        title=say("Knock on every door"),
        place="/api",
        signed_in=True,
        moves=(
            place(
                say("API"),
                say("The same console. All five identities are open now."),
                "bearer access token",
            ),
            call(
                "/vip",
                _USER,
                say(
                    "403, as expected: no policy of your role allows this route. The page says what"
                    " would be let in."
                ),
                "403",
                "What would be let in",
            ),
            call_next(
                "/protected",
                say("bearer access token"),
                say("200: this route takes no signature but an access token with the right scope."),
                "200",
                "as expected",
            ),
            call(
                "/protected",
                say("bearer ID token"),
                say(
                    "403: an ID token has no scopes. It says who somebody is, not what may be done."
                ),
                "403",
                "as expected",
            ),
        ),
        tell=say(
            "Every call was signed on the server, and everything that gives power is cut out of"
            " what is shown."
        ),
        pages=(("/api", True),),
    ),
    Step(
        number=7,
        title=say("All doors at once"),
        place="/access",
        signed_in=True,
        moves=(
            place(
                say("Access"),
                say(
                    "Every endpoint, documents too, and every identity: nobody, guest, you, each of"
                    " your roles, both bearer tokens. The numbers are what should come back."
                ),
                "The matrix",
            ),
            press(
                say("Run all calls"),
                say(
                    "All of them were made at the same time. What came stands where the"
                    " expectation stood; a difference would stand out in red."
                ),
                "calls came out as expected",
            ),
            cell(
                "/vip",
                _USER,
                say("403, as before: each cell is a real call and can be opened."),
                "403",
                "as expected",
            ),
        ),
        tell=say(
            "Expectations are data, held against the policies by a test. The command matrix makes"
            " the same calls, and its exit status can stop a pipeline."
        ),
        pages=(("/access", True),),
    ),
    Step(
        number=8,
        title=say("Be somebody else"),
        place="/",
        signed_in=True,
        moves=(
            leave(
                say("Switch account"),
                say(
                    "You are signed out here and at Cognito, and stand before the sign-in form"
                    " again."
                ),
                "Sign in",
            ),
            sign_in(
                ADMIN,
                PASSWORD,
                say("The home page, with another name and another group."),
                "Admin",
            ),
            place(
                say("Access"),
                say(
                    "The same doors: another number stands at /vip, and the column of the role has"
                    " another name."
                ),
                "role portico-admin",
            ),
            press(
                say("Run all calls"),
                say("Everything as expected again, and more of it is green than for the viewer."),
                "calls came out as expected",
            ),
            cell(
                "/vip",
                _USER,
                say(
                    "200: the identity pool maps the group Admin to a role that may do everything."
                ),
                "200",
                "portico-admin",
            ),
            place(
                say("How it works"),
                say(
                    "The drawing again, now of this very session: its own moments and durations,"
                    " each check with its value, and what can only be told in words."
                ),
                "Step by step",
                "passed",
            ),
        ),
        tell=say(
            "Nothing in the application changed, and nothing in it decides. The group is in the"
            " token, the token chose the role, and the role's policy opened the door."
        ),
        pages=(("/access", True), ("/how-it-works", True)),
    ),
    Step(
        number=9,
        title=say("Leave, everywhere"),
        place="/sessions",
        signed_in=True,
        moves=(
            place(
                say("Browsers"),
                say(
                    "Where you are signed in, since when and in which kind of browser. Another one"
                    " could be ended from here."
                ),
                "This browser",
            ),
            leave(
                say("Everywhere"),
                say(
                    "The home page says how far it went: here, at Cognito in this browser, and in"
                    " Portico's sessions elsewhere."
                ),
                "Portico's sessions elsewhere have ended",
            ),
            press(
                say("Sign in"),
                say("Managed Login asks again. Nothing was left to come back with."),
                "Password",
            ),
        ),
        tell=say(
            "The record on the server went first, then the refresh token was revoked, then"
            " Cognito's own session ended. What could not be reached would be said, and tried"
            " again."
        ),
        pages=(("/sessions", True),),
    ),
)

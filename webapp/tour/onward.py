"""Steps seven to nine: all doors at once, as somebody else, and the way out."""

from webapp.tour.moves import Step, cell, leave, place, press, sign_in
from webapp.words import say

ADMIN, PASSWORD = "admin@example.com", "Portico-demo-1"
_USER = say("signed-in user")

ONWARD = (
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

"""Steps one to three: from a stranger at the door to somebody who came in."""

from webapp.tour.moves import Step, call, call_next, fill, open_page, place, press, sign_in
from webapp.words import say

VIEWER, PASSWORD = "viewer@example.com", "Portico-demo-1"
_NOBODY, _GUEST = say("nobody"), say("guest")

OUTSIDE = (
    Step(
        number=1,
        title=say("Look in from outside"),
        place="/",
        signed_in=False,
        moves=(
            press(
                say("Try as a guest"),
                say(
                    "The console: every endpoint, with a button for each identity and the status"
                    " that is expected on it. What needs a sign-in is shut, and the page says so."
                ),
                "Sign in first.",
            ),
            call(
                "/test/plain",
                _NOBODY,
                say(
                    "200: the route is open. Status, time, headers and body, and the request as it"
                    " was sent."
                ),
                "200",
                "as expected",
            ),
            call_next(
                "/test/public",
                _NOBODY,
                say("403: the route wants a signature, and nobody has a key to sign with."),
                "403",
                "as expected",
            ),
            call(
                "/test/public",
                _GUEST,
                say(
                    "200: the identity pool gave this browser a guest's credentials, and the body"
                    " names the role portico-guest."
                ),
                "200",
                "portico-guest",
            ),
            call_next(
                "/test/auth",
                _GUEST,
                say(
                    "403, as expected: the signature was good, but the guest's role does not allow"
                    " this route. The page says who asked, under which role, and which rule said"
                    " no."
                ),
                "403",
                "Why the answer was no",
            ),
        ),
        tell=say(
            "Nobody has signed in yet. The identity pool gives even a stranger temporary AWS keys,"
            " for a role that may do one thing. A 403 here is an answer that can be read, not a"
            " wall."
        ),
        pages=(("/", False), ("/api", False)),
    ),
    Step(
        number=2,
        title=say("Read where a sign-in leads"),
        place="/how-it-works",
        signed_in=False,
        moves=(
            place(
                say("How it works"),
                say(
                    "An example of the whole way: a drawing of who talks to whom, and below it each"
                    " step with what is sent, how it is checked, and the standard that it follows."
                ),
                "An example",
                "Step by step",
            ),
            press(
                say("Sign-in options"),
                say(
                    "Every way in, ready-made or put together, and below them the address that the"
                    " browser would be sent to."
                ),
                "The address, part by part",
            ),
            fill(
                VIEWER,
                say("User name or email, to fill in"),
                say("Nothing has left this browser yet."),
                "What is left empty is left out of the address.",
            ),
            press(
                say("Explain the address"),
                say(
                    "The address with login_hint in it, part by part: what each does, and where"
                    " that is laid down. State, nonce and challenge are new each time and told in"
                    " words."
                ),
                "login_hint",
                "code_challenge",
            ),
        ),
        tell=say(
            "Portico never sees a password. It sends the browser to Managed Login with a question"
            " that holds no secret: who asks, for what, where to come back to, and a challenge that"
            " only this server can answer."
        ),
        pages=(("/how-it-works", False), ("/sign-in-options", False)),
    ),
    Step(
        number=3,
        title=say("Come in, and land where you wanted to go"),
        place="/sign-in-options",
        signed_in=False,
        moves=(
            open_page(
                "/session",
                say(
                    "This page is for people who are signed in, so Managed Login asks who you are."
                    " The address in the browser is no longer Portico's: here it is the offline"
                    " stand-in, and it says so."
                ),
                "Sign in",
            ),
            sign_in(
                VIEWER,
                PASSWORD,
                say(
                    "You are on the page that you had asked for, and your name is at the top right."
                ),
                "Session",
            ),
        ),
        tell=say(
            "The browser came back with a code that works once. Portico exchanged it for tokens on"
            " the server, checked them, and gave the browser one opaque cookie. No token was ever"
            " in the browser."
        ),
        pages=(("/sign-in-options", False),),
    ),
)

"""Steps four to six: what somebody signed in carries, and which doors that opens."""

from webapp.tour.moves import Step, call, call_next, place, press, unfold
from webapp.words import say

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
                    "Your identity id, the role portico-viewer, and when the keys end. Of the five"
                    " rules the one that chose the role is marked, and a table says what the role"
                    " may do beside a guest's."
                ),
                "portico-viewer",
                "How the role was chosen",
                "this one",
                "What changes with the role",
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
                say(
                    "The same console. Nobody is shut out now, and each of your roles has a button."
                ),
                "role portico-viewer",
            ),
            call(
                "/vip",
                _USER,
                say(
                    "403, as expected: the signature is good, but no policy of your role allows"
                    " this route. The page shows the statement that would let you in."
                ),
                "403",
                "A statement like this in the role's policy would let the call in",
            ),
            unfold(
                say("Show the four steps of this request"),
                say(
                    "How the request was signed: canonical request, string to sign, the chain of"
                    " keys by name, signature."
                ),
                "Canonical request",
                "String to sign",
                "kSigning",
            ),
            unfold(
                say("Check it by hand: the same request under keys that everybody knows"),
                say("The same with nothing cut, and a short program that recomputes it."),
                "EXAMPLE-SESSION-TOKEN",
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
            call_next(
                "/documents",
                _USER,
                say("200: the documents that you may read, each with the rule that lets you."),
                "200",
                "rule",
            ),
        ),
        tell=say(
            "Who may come in is decided three times: by IAM for the role, by the authorizer for a"
            " token, and by the function behind them for each document. Everything was signed on"
            " the server, and what gives power is cut out of what is shown."
        ),
        pages=(("/api", True),),
    ),
)

"""GET /sign-in-options: every way to sign in, and its address part by part before leaving."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from webapp.addresses import local_path
from webapp.signin.doorway import Known, sign_up_address
from webapp.views import standards
from webapp.views.asking import SCREEN, SIGN_UP, options_of, wants_sign_up
from webapp.views.journal import authorize_facts
from webapp.views.page import Pages, json_answer, wants_json
from webapp.views.standards import Source
from webapp.views.steps import Fact
from webapp.views.tongues import Choice
from webapp.words import Saying, say

ANEW = say("made anew when you leave, never shown")


@dataclass(frozen=True, slots=True)
class Way:
    """A ready-made way in: its query for /login and for the explanation."""

    name: str
    title: Saying
    what: Saying
    query: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One parameter of the address, what it says, and where it is laid down."""

    fact: Fact
    meaning: Saying
    read: Source


_AWS = standards.AUTHORIZE[3]
_OIDC = standards.AUTHORIZE[2]
MEANINGS: dict[str, tuple[Saying, Source]] = {
    "response_type": (
        say("A code is wanted, not tokens: nothing of worth comes through the browser."),
        standards.rfc(6749, "3.1.1"),
    ),
    "client_id": (
        say("Which application asks. It is no secret."),
        standards.rfc(6749, "2.2"),
    ),
    "redirect_uri": (
        say("Where the answer goes. It must be registered at the pool, letter for letter."),
        standards.rfc(6749, "3.1.2"),
    ),
    "scope": (
        say("What the access token shall be good for. openid asks for an ID token."),
        standards.rfc(6749, "3.3"),
    ),
    "code_challenge_method": (
        say("How the challenge was made from the verifier: by SHA-256."),
        standards.rfc(7636, "4.3"),
    ),
    "code_challenge": (
        say("The hash of a secret that only Portico has: a stolen code is worth nothing alone."),
        standards.rfc(7636, "4.2"),
    ),
    "state": (
        say("Comes back with the answer, which must belong to a sign-in begun in this browser."),
        standards.rfc(6749, "10.12"),
    ),
    "nonce": (
        say("Comes back inside the ID token, which must have been made for this very sign-in."),
        standards.oidc("15.5.2", "NonceNotes"),
    ),
    "prompt": (
        say("none: ask nothing and come straight back. login: ask even somebody who is known."),
        _OIDC,
    ),
    "lang": (say("The language of the sign-in pages."), _AWS),
    "login_hint": (say("The user name to fill in. It proves nothing."), _OIDC),
    "identity_provider": (
        say("Goes straight to this provider; the pool's own form is not shown."),
        _AWS,
    ),
}
WAYS = (
    Way(
        "usual",
        say("As usual"),
        say("Cognito decides: it asks for the password, or lets you pass if it knows you here."),
        "",
    ),
    Way(
        "silent",
        say("Silently"),
        say("Come straight back. If Cognito does not know you here, you are told so, and no more."),
        "prompt=none",
    ),
    Way(
        "force",
        say("Ask me again"),
        say("The password is asked for even where Cognito knows you."),
        "prompt=login",
    ),
    Way(
        "sign-up",
        say("I am new"),
        say("Begins at the form for new people; a code that is mailed proves the address."),
        f"{SCREEN}={SIGN_UP}",
    ),
)
PROVIDER = say("Straight to an external provider that the pool trusts.")


def make_blueprint(
    pages: Pages, choice: Choice, known: Callable[[], Known], *, providers: tuple[str, ...]
) -> Blueprint:
    """The blueprint of the options' page; `known` tells how this application is registered."""
    blueprint = Blueprint("options", __name__)
    ways = WAYS + tuple(
        Way("provider", say("Continue with"), PROVIDER, urlencode({"provider": name}), name)
        for name in providers
    )

    @blueprint.get("/sign-in-options")
    def sign_in_options() -> Response | str:
        query = request.args
        asked = options_of(query, providers, choice.chosen())
        joining = wants_sign_up(query)
        facts = known()
        parts = _parts(facts, asked)
        address = sign_up_address(facts.authorize) if joining else facts.authorize
        leave = _login(query, asked, joining=joining)
        if wants_json():
            return json_answer(
                {"address": address, "parts": [_part(one) for one in parts], "leave": leave}
            )
        return pages.render(
            "pages/sign_in_options.html",
            ways=ways,
            asked=asked,
            joining=joining,
            address=address,
            parts=parts,
            leave=leave,
            explaining=bool(query),
        )

    return blueprint


def _parts(known: Known, asked: dict[str, str]) -> list[Part]:
    facts = [
        *(Fact(one.name, one.value, ANEW if one.told else None) for one in authorize_facts(known)),
        *(Fact(name, told=ANEW) for name in ("state", "nonce")),
        *(Fact(name, value) for name, value in asked.items()),
    ]
    return [Part(one, *MEANINGS[one.name]) for one in facts]


def _login(query: MultiDict[str, str], asked: dict[str, str], *, joining: bool) -> str:
    """The address of ours that leaves in just this way."""
    names = {"identity_provider": "provider"}
    chosen = {names.get(name, name): value for name, value in asked.items()}
    if joining:
        chosen[SCREEN] = SIGN_UP
    aim = local_path(query.get("next"))
    if aim != "/":
        chosen["next"] = aim
    return f"/login?{urlencode(chosen)}" if chosen else "/login"


def _part(part: Part) -> dict[str, object]:
    return {
        "name": part.fact.name,
        "value": None if part.fact.told else part.fact.value,
        "told": part.fact.told,
        "meaning": part.meaning,
        "read": {"name": part.read.name, "url": part.read.url},
    }

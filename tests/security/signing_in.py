"""One sign-in with falsified tokens, and what must come of it."""

from tests.doubles.browser import Browser
from tests.doubles.response import Response
from tests.rig import Rig
from tests.security.outcomes import Watch, is_anonymous

SHOWN_OF_A_TOKEN = 40


def arrive(rig: Rig, browser: Browser | None = None, user: str = "admin") -> Response:
    """Walk to the pool and back; the answer of /callback itself."""
    browser = browser or rig.browser()
    return browser.finish(
        rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user(user))
    )


def assert_refused(rig: Rig, check: str, *, user: str = "admin") -> Watch:
    """DENY after one token request, for this reason and no other; nothing of a token comes out."""
    browser = rig.browser()
    watch = Watch(rig)
    before = len(rig.log)
    response = arrive(rig, browser, user)
    mint = rig.cognito.issuer.mint
    tokens = [*mint.id_token.minted[-1:], *mint.access_token.minted[-1:]]
    pieces = [text[start : start + SHOWN_OF_A_TOKEN] for text in tokens for start in (0, 200, -60)]
    pieces = [piece for piece in pieces if len(piece) == SHOWN_OF_A_TOKEN]
    assert watch.denied(response, hidden=pieces, token_requests=1) == "token_refused"
    refusal = watch.events("refused")[0]
    assert refusal["check"] == check, refusal
    assert [piece for piece in pieces if piece in rig.log[before:]] == []
    assert watch.events("signed_in") == []
    assert is_anonymous(rig, browser)
    return watch


def assert_accepted(rig: Rig) -> Browser:
    """The sign-in works: somebody is at home and the tokens' own page shows."""
    browser = rig.browser()
    response = arrive(rig, browser)
    assert response.status == 303, response.text[:1500]
    assert browser.follow(response).status == 200
    assert browser.me()["email"] == "admin@example.com"
    return browser

"""FL-01 to FL-09: callbacks that answer no sign-in, an old one, or one twice."""

import threading

from tests.doubles.response import Response
from tests.rig import Rig
from tests.security.outcomes import Watch, is_anonymous, query_of, restart_link
from webapp.attempts import COOKIE_SECONDS, LIFE_SECONDS


def test_FL_01_no_sign_in_started(rig: Rig) -> None:
    """A callback without a sign-in is refused; the page names blocked cookies and one way on."""
    browser = rig.browser()
    watch = Watch(rig)
    response = browser.finish("/callback?code=c0de-c0de&state=st4te-st4te")
    assert watch.denied(response, hidden=["c0de-c0de", "st4te-st4te"]) == "no_attempt"
    assert "cookies may be blocked" in response.page.text
    assert restart_link(response) == "/login"
    assert is_anonymous(rig, browser)


def test_FL_02_state_missing_or_empty(rig: Rig) -> None:
    """A callback without a state is refused, also in a browser with a sign-in under way."""
    browser = rig.browser()
    code = query_of(rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin")))["code"]
    for state in ("", "&state=", "&state", "&state[]=x", "&State=x"):
        watch = Watch(rig)
        response = browser.finish(f"/callback?code={code}{state}")
        assert watch.denied(response, hidden=[code]) == "no_state", state
    assert is_anonymous(rig, browser)


def test_FL_03_state_wrong_by_one_character(rig: Rig) -> None:
    """A state that is off by one character is refused, and the true callback works afterwards."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    state = query_of(callback)["state"]
    other = "A" if state[0] != "A" else "B"
    for wrong in (other + state[1:], state[:-1], state + "A", state.swapcase(), state + "%00"):
        watch = Watch(rig)
        response = browser.finish(callback.replace(state, wrong))
        assert watch.denied(response, hidden=[wrong]) == "unknown_state", wrong
    assert browser.finish(callback).status == 303
    assert browser.me()["email"] == "admin@example.com"


def test_FL_04_login_csrf(rig: Rig) -> None:
    """The attacker's own callback signs nobody in as the attacker, whatever the victim has open."""
    attacker = rig.browser()
    callback = rig.cognito.issuer.approve(attacker.start(), rig.cognito.user("viewer"))
    fresh, started, signed_in = rig.browser(), rig.browser(), rig.signed_in("admin")
    started.start("/api")
    for victim in (fresh, started):
        watch = Watch(rig)
        watch.denied(victim.finish(callback), hidden=["viewer@example.com"])
        assert is_anonymous(rig, victim)
    watch = Watch(rig)
    watch.no_session(signed_in.finish(callback))
    assert watch.token_requests == 0
    assert signed_in.me()["email"] == "admin@example.com"


def test_FL_05_code_swap_refused_by_pkce(rig: Rig) -> None:
    """A code of one transaction with the state of another fails at the pool: PKCE."""
    browser = rig.browser()
    one, two = (
        query_of(rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin")))
        for _ in range(2)
    )
    watch = Watch(rig)
    response = browser.finish(f"/callback?code={one['code']}&state={two['state']}")
    assert watch.denied(response, hidden=[one["code"]], token_requests=1) == "code_refused"
    assert is_anonymous(rig, browser)


def test_FL_05_code_swap_refused_by_nonce(rig: Rig) -> None:
    """Where the pool would let a swapped code through, the nonce in the ID token refuses it."""
    browser = rig.browser()
    one, two = (
        query_of(rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin")))
        for _ in range(2)
    )
    codes = rig.cognito.issuer.pool.codes
    codes[one["code"]].challenge = codes[two["code"]].challenge
    watch = Watch(rig)
    response = browser.finish(f"/callback?code={one['code']}&state={two['state']}")
    assert watch.denied(response, token_requests=1) == "token_refused"
    assert watch.events("refused")[0]["check"] == "nonce"
    assert is_anonymous(rig, browser)


def test_FL_06_replay_after_success(rig: Rig) -> None:
    """Back and reload on the callback lead on, without a second token request or a new session."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
    assert browser.finish(callback).status == 303
    ticket = browser.cookies["portico"]
    watch = Watch(rig)
    for _ in range(2):
        response = browser.finish(callback)
        assert (response.status, response.header("Location")) == (303, "/")
    assert (watch.token_requests, watch.new_sessions) == (0, 0)
    assert browser.cookies["portico"] == ticket
    assert browser.me()["email"] == "admin@example.com"


def test_FL_07_cookie_rolled_back(rig: Rig) -> None:
    """A restored transaction cookie spends nothing again: single use is kept in the store."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
    before = browser.cookies.save()
    watch = Watch(rig)
    assert browser.finish(callback).status == 303
    for _ in range(2):
        browser.cookies.restore(before)
        response = browser.finish(callback)
        assert (response.status, response.header("Location")) == (303, "/session")
        assert is_anonymous(rig, browser)
    assert (watch.token_requests, watch.new_sessions) == (1, 1)


def test_FL_07_cookie_rolled_back_as_long_as_it_lives(rig: Rig) -> None:
    """The mark of a spent transaction outlives the time in which it could be believed."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    before = browser.cookies.save()
    watch = Watch(rig)
    assert browser.finish(callback).status == 303
    for later in (LIFE_SECONDS - 10, 20, COOKIE_SECONDS):
        rig.clock.advance(later)
        browser.cookies.restore(before)
        rig.services.store.purge(now=rig.clock(), limit=100)
        browser.finish(callback)
        assert is_anonymous(rig, browser)
    assert watch.token_requests == 1


def test_FL_07_two_at_the_same_time(rig: Rig) -> None:
    """Two equal callbacks in flight make one token request and one session."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    twin = browser.twin()
    watch = Watch(rig)
    first: list[Response] = []
    with rig.cognito.issuer.token.gate() as gate:
        thread = threading.Thread(target=lambda: first.append(browser.finish(callback)))
        thread.start()
        gate.wait(1)
        second = twin.finish(callback)
        gate.open()
        thread.join(10)
    assert first[0].status == second.status == 303
    assert (watch.token_requests, watch.new_sessions) == (1, 1)
    assert browser.me()["email"] == "admin@example.com"
    assert is_anonymous(rig, twin)


def test_FL_08_too_old(rig: Rig) -> None:
    """A transaction past its time is refused with that reason; one click restarts, aim kept."""
    browser = rig.browser()
    location = browser.start("/session?x=1%262")
    rig.clock.advance(LIFE_SECONDS + 1)
    watch = Watch(rig)
    response = browser.finish(rig.cognito.issuer.approve(location, rig.cognito.user("admin")))
    assert watch.denied(response) == "too_late"
    assert "took longer than fifteen minutes" in response.page.text
    again = browser.get(restart_link(response), site="same-origin").location
    landed = browser.finish(rig.cognito.issuer.approve(again, rig.cognito.user("admin")))
    assert landed.header("Location") == "/session?x=1%262"
    assert browser.me()["email"] == "admin@example.com"


def test_FL_08_just_in_time(rig: Rig) -> None:
    """A person who takes almost the whole time is signed in."""
    browser = rig.browser()
    location = browser.start("/session")
    rig.clock.advance(LIFE_SECONDS - 1)
    browser.finish(rig.cognito.issuer.approve(location, rig.cognito.user("admin")))
    assert browser.me()["email"] == "admin@example.com"


def test_FL_09_pkce_mismatch(rig: Rig) -> None:
    """A code bound to another challenge is refused by the pool and never tried again."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    code = query_of(callback)["code"]
    rig.cognito.issuer.pool.codes[code].challenge = "A" * 43
    before = browser.cookies.save()
    watch = Watch(rig)
    response = browser.finish(callback)
    assert watch.denied(response, hidden=[code], token_requests=1) == "code_refused"
    assert watch.events("refused")[0]["error"] == "invalid_grant"
    browser.finish(callback)
    browser.cookies.restore(before)
    browser.finish(callback)
    assert (watch.token_requests, watch.new_sessions) == (1, 0)
    assert is_anonymous(rig, browser)

"""ST-03, ST-04, ST-13, ST-18 on every store: emptied, set back, put back, and written in vain."""

import json
from typing import Any

from tests.contract.hands import Hands
from tests.contract.redis_server import until
from tests.doubles.browser import Browser
from tests.rig import Rig
from tests.rooms import Rooms
from tests.security.outcomes import is_anonymous
from webapp.app import create_app
from webapp.services import build
from webapp.store.vault import Session

TICKET = "portico"
PAGES = ("/", "/session", "/credentials", "/api", "/sessions")


def session_of(rig: Rig, browser: Browser) -> Session:
    """The session of this browser, read from the store."""
    session = rig.services.vault.open(browser.cookies[TICKET])
    assert session
    return session


def events(rig: Rig, name: str) -> list[dict[str, Any]]:
    """The events of this name so far."""
    return [one for one in map(json.loads, rig.log.splitlines()) if one["event"] == name]


def test_ST_03_emptied(rig: Rig, hands: Hands) -> None:
    """Everybody has to sign in once, with the way back kept, and is signed in again after that."""
    browsers = {name: rig.signed_in(name) for name in ("admin", "viewer", "nobody")}
    hands.empty()
    for name, browser in browsers.items():
        assert is_anonymous(rig, browser)
        for page in PAGES:
            assert browser.get(page).status == (200 if page in ("/", "/api") else 303)
        sent = browser.get("/session?tab=claims")
        assert sent.location.endswith("/login?next=/session%3Ftab%3Dclaims")
        landed = browser.sign_in(rig.cognito.user(name), next="/session")
        assert landed.status == 200
        assert [browser.get(page).status for page in PAGES] == [200] * len(PAGES)
    assert events(rig, "unforeseen") == []
    assert len(rig.cognito.issuer.grants("authorization_code")) == 2 * len(browsers)


def _refreshed_then_set_back(rig: Rig, hands: Hands, grace: float) -> Browser:
    """A browser whose record is the one from before its refresh token was rotated."""
    pool = rig.cognito.issuer.pool
    pool.rotation, pool.rotation_grace = True, grace
    pool.mint.id_lifetime = pool.mint.access_lifetime = 600
    browser = rig.signed_in("viewer")
    place = session_of(rig, browser).place
    before = hands.row(place)
    rig.clock.advance(601)
    assert browser.get("/session").status == 200
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1
    hands.put_back(place, before)
    return browser


def test_ST_04_set_back_within_the_grace(rig: Rig, hands: Hands) -> None:
    """Where the last write was lost, the old refresh token is tried, and within its grace goes."""
    browser = _refreshed_then_set_back(rig, hands, grace=60)
    rig.clock.advance(30)
    assert [browser.get(page).status for page in PAGES] == [200] * len(PAGES)
    assert len(rig.cognito.issuer.grants("refresh_token")) == 2
    assert is_signed_in(browser)


def test_ST_04_set_back_without_grace(rig: Rig, hands: Hands) -> None:
    """Where the old refresh token is refused, the person signs in once more, and that is all."""
    browser = _refreshed_then_set_back(rig, hands, grace=0)
    place = session_of(rig, browser).place
    ended = browser.get("/session")
    assert ended.status == 401
    assert TICKET not in browser.cookies
    assert [browser.get("/session").status for _ in range(3)] == [303] * 3
    assert len(rig.cognito.issuer.grants("refresh_token")) == 2
    assert rig.services.store.load(place, now=rig.clock()) is None
    assert browser.sign_in(rig.cognito.user("viewer"), next="/session").status == 200
    assert browser.get("/session").status == 200
    assert events(rig, "unforeseen") == []


def is_signed_in(browser: Browser) -> bool:
    """Whether /me says so."""
    return browser.me()["signed_in"] is True


def test_ST_13_no_operation_puts_it_back(rooms: Rooms, hands: Hands) -> None:
    """After a sign-out no create and no replace of any version stands there, on any host."""
    session = rooms.session()
    old = rooms.store.load(session.place, now=rooms.clock())
    assert old
    rooms.vault.end(session)
    for store in (rooms.store, hands.open(rooms.clock)):
        end = old.expires_at
        arguments = {"expires_at": end, "person": None, "now": rooms.clock()}
        assert store.create(session.place, old.sealed, **arguments) is False  # type: ignore[arg-type]
        for version in range(-1, 5):
            assert not store.replace(session.place, old.sealed, version=version, expires_at=end)
        assert store.load(session.place, now=rooms.clock()) is None
    rooms.clock.advance(rooms.vault.absolute - 10)  # its tombstone lives as long as it could have
    arguments["now"] = rooms.clock()
    rooms.store.purge(now=rooms.clock(), limit=1000)
    assert rooms.store.create(session.place, old.sealed, **arguments) is False  # type: ignore[arg-type]


def test_ST_13_put_back_past_the_application(rig: Rig, hands: Hands) -> None:
    """A row put back by hand opens nothing where it was ended, and elsewhere cannot be renewed."""
    mint = rig.cognito.issuer.mint
    mint.id_lifetime = mint.access_lifetime = 600
    browser = rig.signed_in("admin")
    thief, place = browser.twin(), session_of(rig, browser).place
    old = hands.row(place)
    assert browser.sign_out("cognito").status == 303
    rig.cognito.issuer.revoke.wait_for(1)
    hands.put_back(place, old)
    for page in PAGES:
        assert thief.get(page).status in (200, 303)
    assert is_anonymous(rig, thief)
    assert [one["reason"] for one in events(rig, "record_refused")][:1] == [
        "ended before, and put back"
    ]
    other = build(rig.settings, now=rig.clock)
    try:
        app = create_app(rig.settings, other, now=rig.clock)
        there = Browser.for_app(app, rig.base_url, issuer=rig.cognito.issuer, now=rig.clock)
        there.cookies = thief.cookies
        rig.clock.advance(mint.id_lifetime)
        assert there.get("/session").status in (303, 401)
        assert not is_signed_in(there)
        assert other.store.load(place, now=rig.clock()) is None
    finally:
        for caretaker in other.caretakers:
            caretaker.stop()


def test_ST_18_reading_works_and_writing_does_not(rig: Rig, hands: Hands) -> None:
    """Pages that only read are shown, changes are refused and said so, and nothing is half done."""
    browser, leaver = rig.signed_in("admin"), rig.signed_in("viewer")
    callback = rig.cognito.issuer.approve(
        (comer := rig.browser()).start("/session"), rig.cognito.user("nobody")
    )
    token, thief = leaver.csrf(), leaver.twin()
    place, cookies = session_of(rig, browser).place, browser.cookies.save()
    rig.clock.advance(90)  # so that the next page would note that somebody was here
    before = hands.row(place)
    with hands.writes_fail():
        assert browser.get("/session").status == 200
        assert events(rig, "last_seen_not_written")
        refused = browser.post("/session/refresh", {"csrf_token": browser.csrf()})
        assert refused.status == 503
        assert int(refused.header("Retry-After") or 0) > 0
        assert comer.finish(callback).status == 503
        assert TICKET not in comer.cookies
        left = leaver.post("/logout", {"csrf_token": token, "depth": "app"})
        assert left.status == 303
        assert "server will finish" in leaver.get("/").page.text
        assert is_anonymous(rig, thief)
    assert hands.row(place) == before
    assert browser.cookies.save() == cookies
    assert rig.cognito.issuer.grants("refresh_token") == []
    assert len(rig.cognito.issuer.grants("authorization_code")) == 2
    until(lambda: browser.post("/session/refresh", {"csrf_token": browser.csrf()}).status == 303)
    assert comer.finish(callback).status == 303
    assert is_signed_in(comer)
    until(lambda: rig.services.vault.open(thief.cookies[TICKET]) is None)
    assert is_anonymous(rig, thief)
    assert events(rig, "unforeseen") == []

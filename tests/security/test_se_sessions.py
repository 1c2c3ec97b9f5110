"""SE: the session's ticket, its lifetimes, and who it is not given to."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles import Browser
from tests.doubles.transport import InProcess
from tests.rig import SECURE_URL, Rig, rigged
from tests.security.rows import living, rows
from tests.security.served import ROOT
from webapp.store.sealing import Ticket

TICKET, ATTEMPTS = "portico", "portico-signin"
BOTS = ("Googlebot/2.1", "curl/8.5", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "")


def _everything_that_sets_cookies(rig: Rig) -> list[Browser]:
    guest, person, stranger, declined = (rig.browser() for _ in range(4))
    guest.call("test-public", "guest")
    for one in (guest, person):
        form = one.get("/").page.form("/language").fields
        one.post("/language", form | {"lang": "de"})
    for number in range(40):
        person.start(f"/session?filler={'x' * 300}&n={number}")
    for user in ("admin", "viewer"):
        person.sign_in(rig.cognito.user(user), next="/credentials")
    person.call("secure", "user")
    rig.cognito.user("viewer").groups = ["Manager"]
    rig.clock.advance(3599)
    person.me()
    for depth in ("app", "cognito", "everywhere", "switch"):
        person.sign_in(rig.cognito.user("viewer"))
        person.sign_out(depth)
    stranger.get("/callback?code=c&state=s")
    declined.finish(rig.cognito.issuer.decline(declined.start()))
    caller = rig.signed_in("viewer")
    caller.post("/language", caller.get("/").page.form("/language").fields | {"lang": "fr"})
    for number in range(12):
        form = caller.get("/api").page.form("/api/call", endpoint="test-plain").fields
        caller.post("/api/call", form | {"identity": "bearer-id", "note": f"{number} {'x' * 60}"})
        caller.start(f"/session?from={number}")
    ended = rig.signed_in()
    rig.cognito.issuer.pool.revoke_all(rig.cognito.user("admin"))
    rig.clock.advance(3700)
    ended.get("/session")
    return [guest, person, stranger, declined, caller, ended]


@pytest.mark.parametrize("secure", [True, False], ids=["https", "loopback"])
def test_SE_01_cookie_attributes(tmp_path: Path, secure: bool) -> None:
    """Every Set-Cookie is host-only, HttpOnly, Lax, Secure under https; two names, under 1 KiB."""
    settings = {"base_url": SECURE_URL, "TRUSTED_PROXY_HOPS": "1"} if secure else {}
    with rigged(tmp_path, SESSION_IDLE_SECONDS="20000", **settings) as rig:
        browsers = _everything_that_sets_cookies(rig)
    prefix = "__Host-" if secure else ""
    seen = [cookie for browser in browsers for cookie in browser.cookies.history]
    assert len(seen) > 50
    assert {cookie.name for cookie in seen} == {prefix + TICKET, prefix + ATTEMPTS}
    for cookie in seen:
        attributes = cookie.attributes
        assert attributes["path"] == "/"
        assert attributes["samesite"] == "Lax"
        assert "httponly" in attributes
        assert ("secure" in attributes) is secure
        assert "domain" not in attributes
    largest = {
        name: max(len(cookie.value) for cookie in seen if cookie.name == name)
        for name in {cookie.name for cookie in seen}
    }
    assert sum(len(name) + length for name, length in largest.items()) <= 1024


def test_SE_02_ids_never_repeat() -> None:
    """100,000 tickets hold 256 bits of the system's randomness each, and none comes twice."""
    mark = 7
    raw = {Ticket.fresh(mark).raw for _ in range(100_000)}
    assert len(raw) == 100_000
    assert {len(ticket) for ticket in raw} == {33}
    ids = {ticket[1:17] for ticket in raw}
    assert len(ids) == 100_000
    # Each of the 256 bits is set in about half of them: no constant, no counter.
    together = [0] * 32
    for ticket in raw:
        for index, byte in enumerate(ticket[1:]):
            together[index] += byte.bit_count()
    assert all(abs(count / 800_000 - 0.5) < 0.005 for count in together)


def test_SE_02_forked_workers_share_no_randomness() -> None:
    """Processes forked after the application was loaded make no ticket twice."""
    script = (
        "import os\n"
        "from webapp.store.sealing import Ticket\n"
        "Ticket.fresh(1)\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        lines = ''.join(Ticket.fresh(1).text + '\\n' for _ in range(5000))\n"
        "        os.write(1, lines.encode())\n"
        "        os._exit(0)\n"
        "while True:\n"
        "    try: os.wait()\n"
        "    except ChildProcessError: break\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    made = done.stdout.split()
    assert len(made) == len(set(made)) == 20_000


@pytest.mark.parametrize("known", ["made up", "another's", "a guest's"])
def test_SE_03_fixation(rig: Rig, known: str) -> None:
    """Signing in with a planted ticket gives a new one, and the planted one opens nothing."""
    attacker, victim = rig.browser(), rig.browser()
    if known == "made up":
        attacker.cookies[TICKET] = Ticket.fresh(rig.services.ring.writing.mark).text
    elif known == "another's":
        attacker.sign_in(rig.cognito.user("viewer"))
    else:
        attacker.call("test-public", "guest")
    planted = attacker.cookies[TICKET]
    victim.cookies[TICKET] = planted
    victim.sign_in(rig.cognito.user("admin"))
    assert victim.cookies[TICKET] != planted
    assert victim.me()["email"] == "admin@example.com"
    assert attacker.me()["signed_in"] is False
    assert rig.services.vault.open(planted) is None
    assert living(rig.store_path, rig.clock()) == 1


def test_SE_04_unknown_id(rig: Rig) -> None:
    """A ticket that nobody was given is nobody, is not adopted, and makes no row."""
    browser = rig.browser()
    for mark in {rig.services.ring.writing.mark, 0, 255}:
        made_up = Ticket.fresh(mark).text
        browser.cookies[TICKET] = made_up
        for page in ("/", "/api"):
            assert browser.get(page).status == 200
        assert browser.me()["signed_in"] is False
        assert browser.get("/session").location.endswith("/login?next=/session")
        assert browser.cookies.history == []
    assert rows(rig.store_path) == 0
    assert rows(rig.store_path, "claims") == 0


def test_SE_05_idle_timeout(rig: Rig) -> None:
    """After the idle time the session is over, the way back is kept, and the row goes."""
    browser = rig.signed_in()
    rig.clock.advance(1750)
    assert browser.me()["signed_in"] is True
    rig.clock.advance(1750)
    assert browser.me()["signed_in"] is True
    rig.clock.advance(rig.settings.session_idle_seconds + 1)
    for _ in range(2):
        answer = browser.get("/session?tab=claims")
        assert answer.location == f"{rig.base_url}/login?next=/session%3Ftab%3Dclaims"
        assert answer.body == b""
    assert browser.me()["signed_in"] is False
    assert living(rig.store_path, rig.clock()) == 0
    rig.signed_in("viewer")
    rig.services.store.purge(now=rig.clock(), limit=1000)  # the caretaker's chore, in its own time
    assert rows(rig.store_path) == 1
    browser.sign_in(rig.cognito.user("admin"))
    assert browser.me()["signed_in"] is True


def test_SE_06_absolute_timeout(tmp_path: Path) -> None:
    """Neither activity, nor refresh, nor a new ticket carries a session past its limit."""
    limit = 3600
    with rigged(tmp_path, SESSION_ABSOLUTE_SECONDS=str(limit), SESSION_IDLE_SECONDS="300") as rig:
        rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = 600
        browser = rig.signed_in("viewer")
        tickets = {browser.cookies[TICKET]}
        minute = 0
        while minute < 70 and browser.me()["signed_in"]:
            tickets.add(browser.cookies[TICKET])
            minute += 1
            rig.clock.advance(60)
            if minute == 30:
                rig.cognito.user("viewer").groups = ["Manager"]
        assert limit / 60 - 1 <= minute <= limit / 60 + 1
        assert len(rig.cognito.issuer.grants("refresh_token")) >= 5
        assert browser.get("/session").location.endswith("/login?next=/session")
        assert living(rig.store_path, rig.clock()) == 0


def test_SE_11_id_elsewhere_than_in_the_cookie(rig: Rig) -> None:
    """A ticket in the query, a form or another header is not looked at."""
    ticket = rig.signed_in().cookies[TICKET]
    stranger = rig.browser()
    for name in ("sid", "session", TICKET, "__Host-portico", "PHPSESSID"):
        assert stranger.get("/me", {name: ticket}).status == 401
        assert stranger.get("/session", {name: ticket}).status == 303
        assert stranger.get("/me", headers={name: ticket}).status == 401
        assert stranger.post("/session/refresh", {name: ticket}).location == f"{rig.base_url}/"
    for header in ("Authorization", "X-Session", "X-Auth-Token"):
        for value in (ticket, f"Bearer {ticket}", f"{TICKET}={ticket}"):
            assert stranger.get("/me", headers={header: value}).status == 401
    assert stranger.cookies.history == []


def test_SE_12_anonymous_traffic(rig: Rig) -> None:
    """10,000 visits of people without a session and of bots write no row and set no cookie."""
    stylesheet = next(
        element.get("href") or ""
        for element in rig.browser().get("/").page.elements("link")
        if element.get("rel") == "stylesheet"
    )
    pages = ("/", "/api", "/me", "/session", "/healthz", stylesheet, "/robots.txt", "/?notice=x")
    transport = InProcess(rig.app, rig.base_url)
    for number in range(10_000):
        headers = [("Host", "localhost:8000"), ("User-Agent", BOTS[number % len(BOTS)])]
        status, answered, _ = transport.send("GET", pages[number % len(pages)], headers, b"")
        assert status in (200, 303, 401, 404)
        assert "Set-Cookie" not in dict(answered)
    assert rows(rig.store_path) == rows(rig.store_path, "claims") == 0


def test_SE_12_abandoned_starts(rig: Rig) -> None:
    """A start of a sign-in costs the store nothing."""
    browser = rig.browser()
    for _ in range(200):
        browser.start("/session")
    assert rows(rig.store_path) == rows(rig.store_path, "claims") == 0


@pytest.mark.parametrize("proto", [None, "http", "https, http", "ws", ""])
def test_SE_13_plain_http_hop(secure_rig: Rig, proto: str | None) -> None:
    """Over a hop without https a session is not used: GET is led to https, a post refused."""
    browser = secure_rig.signed_in()
    token = browser.csrf()
    plain = Browser(InProcess(secure_rig.app, "http://portal.example.com"), SECURE_URL)
    plain.cookies = browser.cookies.copy()
    plain.inspect_pages = False  # it holds every answer to a cookie to be personal; these are not
    headers = {"X-Forwarded-Proto": proto}
    for path in ("/", "/session", "/me", "/login", "/callback?code=c&state=s", "/%0d%0aX-Evil:1"):
        answer = plain.get(path, headers=headers)
        assert answer.status == 308
        assert answer.location.startswith(f"{SECURE_URL}/")
        assert b"admin@example.com" not in answer.body
        assert answer.header("Set-Cookie") is None
        assert answer.header("X-Evil") is None
    for path in ("/logout", "/session/refresh", "/api/call"):
        answer = plain.post(path, {"csrf_token": token}, headers=headers)
        assert answer.status == 400
        assert b"admin@example.com" not in answer.body
        assert token.encode() not in answer.body
    assert secure_rig.cognito.issuer.grants("refresh_token") == []
    assert browser.me()["signed_in"] is True


def test_SE_16_cookies_swapped(rig: Rig) -> None:
    """A ticket is no sign-in attempt and an attempt is no ticket, whatever name they come under."""
    browser = rig.signed_in()
    location = browser.start("/session")
    ticket, attempts = browser.cookies[TICKET], browser.cookies[ATTEMPTS]
    callback = rig.cognito.issuer.approve(location, rig.cognito.user("viewer"))
    stranger = rig.browser()
    for first, second in ((attempts, ticket), (attempts[:44], ticket), (attempts, attempts)):
        stranger.cookies[TICKET], stranger.cookies[ATTEMPTS] = first, second
        assert stranger.me()["signed_in"] is False
    stranger.cookies[TICKET], stranger.cookies[ATTEMPTS] = attempts, ticket
    assert stranger.finish(callback).status == 400
    assert len(rig.cognito.issuer.grants("authorization_code")) == 1
    assert stranger.me()["signed_in"] is False
    assert living(rig.store_path, rig.clock()) == 1

"""RD-12 to RD-14: redirects that nobody asked for, and a generated corpus against two judges."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, unquote, urlencode

import pytest
from playwright.sync_api import Page, sync_playwright
from werkzeug.test import create_environ
from werkzeug.utils import redirect

from tests.doubles.browser import Browser
from tests.doubles.transport import InProcess
from tests.parts import program
from tests.rig import SECURE_URL, Rig
from tests.security.corpus import targets
from tests.security.whatwg import Origin, origin_of
from webapp.addresses import local_path

OURS: Origin = ("https", "portal.example.com", 443)
COUNT, SEED = 5000, 14
TARGETS = ("//evil.example", "https://evil.example/", "/\\evil.example")
NAMES = ("next", "logout_uri", "redirect_uri", "post_logout_redirect_uri", "returnTo", "url")


def test_RD_12_next_changed_on_the_callback(rig: Rig) -> None:
    """What is added to the callback's address does not move where the sign-in ends."""
    for target in TARGETS:
        added = urlencode([(name, target) for name in NAMES])
        for start, lands in (("/session", "/session"), (None, "/")):
            browser = rig.browser()
            callback = rig.cognito.issuer.approve(browser.start(start), rig.cognito.user("admin"))
            response = browser.finish(f"{callback}&{added}")
            assert (response.status, response.header("Location")) == (303, lands)


def test_RD_12_target_of_the_sign_out(rig: Rig) -> None:
    """A target in query or form of the sign-out is passed over, at every depth."""
    issuer = rig.cognito.issuer
    leave = {"client_id": issuer.pool.client.client_id, "logout_uri": f"{rig.base_url}/"}
    expected = {
        "app": "/",
        "cognito": f"{issuer.server.origin}/logout?{urlencode(leave)}",
        "everywhere": f"{issuer.server.origin}/logout?{urlencode(leave)}",
    }
    added = [(name, target) for name in NAMES for target in TARGETS]
    for depth, location in expected.items():
        browser = rig.signed_in("admin")
        form = [("csrf_token", browser.csrf()), ("depth", depth), *added]
        response = browser.post(f"/logout?{urlencode(added)}", form)
        landed = (response.header("Location") or "").removesuffix("?notice=app")
        assert (response.status, landed) == (303, location)
    browser = rig.signed_in("admin")
    form = [("csrf_token", browser.csrf()), ("depth", "switch"), *added]
    location = browser.post(f"/logout?{urlencode(added)}", form).location
    assert location.startswith(f"{issuer.server.origin}/logout?")
    assert f"redirect_uri={quote(rig.base_url, safe='')}%2Fcallback&" in location
    assert "evil" not in location


FOREIGN = (
    *(
        "//evil.example/acc",
        "///evil.example",
        "//evil.example/%2e%2e",
        "/\\evil.example",
        "/..//e",
    ),
    *("/%5cevil.example", "/%0d%0aLocation:%20https://evil.example", "/.evil.example", "//login"),
    *(
        "//session",
        "/@evil.example",
        "/%2f%2fevil.example",
        "/\t/evil.example",
        "/%09/evil.example",
    ),
)
SLASHED = (
    "/session/",
    "/api/",
    "/login/",
    "/callback/",
    "/credentials/",
    "/me/",
    "/static",
    "/api//call",
)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_RD_13_redirects_of_the_framework(secure_rig: Rig, scheme: str) -> None:
    """Behind a TLS proxy no address is redirected to a foreign host or down to http."""
    browser = Browser(InProcess(secure_rig.app, "http://portal.example.com"), SECURE_URL)
    headers = {"X-Forwarded-Proto": scheme, "X-Forwarded-For": "192.0.2.1"}
    for target in (*FOREIGN, *SLASHED):
        for method in ("GET", "HEAD", "POST"):
            response = browser.request(method, target, headers=headers)
            assert response.status < 500, (method, target)
            location = response.header("Location")
            if location is None or response.status in (302, 303):
                # Ours, or the configured pool; never a host that the address named.
                assert "evil" not in (location or "")
                assert not (location or "").startswith(("//", "http://portal"))
                continue
            # What is left is the way up to https, for what can be repeated without loss.
            assert (scheme, response.status) == ("http", 308), (method, target)
            assert method in ("GET", "HEAD")
            assert location.startswith(f"{SECURE_URL}/")
            assert origin_of(location, OURS) == OURS, (method, target, location)


def test_RD_13_own_redirects_behind_a_proxy(secure_rig: Rig) -> None:
    """The guard's own redirect names no host and no scheme, so nothing is downgraded."""
    browser = Browser(InProcess(secure_rig.app, "http://portal.example.com"), SECURE_URL)
    response = browser.get("/session?a=b", headers={"X-Forwarded-Proto": "https"})
    assert (response.status, response.header("Location")) == (303, "/login?next=/session%3Fa%3Db")


def sent_as(target: str) -> str:
    """The Location header that goes out for this target, after the framework touched it."""
    response = redirect(local_path(target), 303)
    return dict(response.get_wsgi_headers(create_environ(base_url=SECURE_URL)))["Location"]


def test_RD_14_generated_corpus() -> None:
    """Of 5,000 made-up targets each Location stays at our origin, also if a proxy decodes it."""
    made = targets(COUNT, SEED)
    assert len(made) == COUNT
    assert sum(origin_of(target, OURS) != OURS for target in made) > COUNT // 10
    accepted = 0
    for target in made:
        location = sent_as(target)
        assert location in ("/", target), ascii(target)
        accepted += location != "/"
        for _ in range(3):
            assert origin_of(location, OURS) == OURS, ascii(target)
            location = unquote(location)
    assert accepted > COUNT // 50


def test_RD_14_through_the_application(secure_rig: Rig) -> None:
    """A sample of the accepted and of the refused walks through a whole sign-in, as judged."""
    made = targets(COUNT, SEED)
    accepted = [target for target in made if local_path(target) != "/"][:20]
    refused = [target for target in made if origin_of(target, OURS) != OURS][:20]
    for target in (*accepted, *refused):
        browser = secure_rig.browser()
        raw = quote(target.encode("utf-8", "surrogatepass"), safe="")
        location = browser.get(f"/login?next={raw}", site="same-origin").location
        callback = secure_rig.cognito.issuer.approve(location, secure_rig.cognito.user("admin"))
        landed = browser.finish(callback).header("Location")
        assert landed == local_path(target), ascii(target)
        assert origin_of(landed, OURS) == OURS


@contextmanager
def chromium() -> Iterator[Page]:
    """A page of a real browser, without network."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("browser"), args=["--no-sandbox"]
        )
        try:
            yield browser.new_page()
        finally:
            browser.close()


@pytest.mark.browser
def test_RD_14_generated_corpus_in_chromium() -> None:
    """Chromium agrees: each Location is ours, and it judges every raw target as our judge does."""
    made = targets(COUNT, SEED)
    script = """([base, ...texts]) => texts.map(text => {
        try { return new URL(text, base).origin } catch { return "no address" } })"""
    base = f"{SECURE_URL}/callback"
    with chromium() as page:
        sent = page.evaluate(script, [base, *map(sent_as, made)])
        raw = page.evaluate(script, [base, *made])
    assert set(sent) == {SECURE_URL}
    pairs = zip(made, raw, strict=True)
    assert [
        ascii(target)
        for target, origin in pairs
        if (origin == SECURE_URL) != (origin_of(target, OURS) == OURS)
    ] == []

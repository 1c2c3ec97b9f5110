"""HD and CS: what every answer carries, whatever its status."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.doubles import Response
from tests.rig import SECURE_URL, Rig, rigged
from tests.security.answers import STATUSES, TICKETS, every_answer
from tests.security.served import Served

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Frame-Options": "DENY",
}
PRODUCT = re.compile(r"(gunicorn|werkzeug|flask|python|portico|openssl|authlib)[/ ]v?\d", re.I)


class Walk(NamedTuple):
    """The rig after the walk, and everything that it answered."""

    rig: Rig
    answers: list[Response]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One walk through every status, under https behind a proxy."""
    folder: Path = tmp_path_factory.mktemp("walk")
    with rigged(folder, base_url=SECURE_URL, TRUSTED_PROXY_HOPS="1") as rig:
        yield Walk(rig, every_answer(rig))


def _policy(answer: Response) -> dict[str, list[str]]:
    values = answer.header_values("Content-Security-Policy")
    assert len(values) == 1, str(answer)
    return {words[0]: words[1:] for part in values[0].split(";") if (words := part.split())}


def test_every_status_was_met(walk: Walk) -> None:
    """The walk that the tests below look at meets every status that the application emits."""
    assert {answer.status for answer in walk.answers} == STATUSES


def test_CS_09_framing(walk: Walk) -> None:
    """Every answer, errors and redirects and files included, refuses to be framed."""
    for answer in walk.answers:
        assert _policy(answer)["frame-ancestors"] == ["'none'"], str(answer)
        assert answer.header("X-Frame-Options") == "DENY", str(answer)


def test_CS_12_form_action(walk: Walk) -> None:
    """Managed Login's origin stands in form-action, so a browser follows sign-out there."""
    managed_login = walk.rig.cognito.issuer.server.origin
    farewells = [a for a in walk.answers if urlsplit(a.url).path == "/logout" and a.status == 303]
    assert farewells
    for answer in farewells:
        assert answer.location.startswith(f"{managed_login}/logout?")
    pages = [answer for answer in walk.answers if answer.is_html and answer.body]
    with_forms = [page for page in pages if b'action="/logout"' in page.body]
    assert with_forms
    for page in pages:
        assert _policy(page)["form-action"] == ["'self'", managed_login], str(page)


def test_HD_09_caching(walk: Walk) -> None:
    """Whatever had a session, or sets a cookie, is kept by no cache."""
    looked_at = 0
    for answer in walk.answers:
        path = urlsplit(answer.url).path
        personal = answer.sent_cookies & TICKETS and not path.startswith("/static/")
        if not (personal or answer.header("Set-Cookie")) or answer.status == 308:
            continue
        looked_at += 1
        assert answer.header("Cache-Control") == "no-store", str(answer)
        if answer.is_html or path in ("/me", "/session", "/credentials"):
            assert "Cookie" in (answer.header("Vary") or ""), str(answer)
    assert looked_at > 60


def test_HD_11_content_policy(walk: Walk) -> None:
    """One strict policy on every answer, error pages included: no unsafe word, no wildcard."""
    policies = {answer.header("Content-Security-Policy") for answer in walk.answers}
    assert len(policies) <= 2  # before and after Managed Login's origin is known
    for answer in walk.answers:
        policy = _policy(answer)
        for name in ("default-src", "base-uri", "object-src", "frame-ancestors"):
            assert policy[name] == ["'none'"], str(answer)
        for name in ("script-src", "style-src", "img-src"):
            assert policy[name] == ["'self'"], str(answer)
        sources = [source for listed in policy.values() for source in listed]
        assert not [s for s in sources if "unsafe" in s or "*" in s or s in ("http:", "https:")]


def test_HD_12_other_headers(walk: Walk) -> None:
    """Every status carries HSTS, nosniff, the referrer, the isolation and the feature policies."""
    for answer in walk.answers:
        for name, value in HEADERS.items():
            assert answer.header_values(name) == [value], f"{answer}: {name}"
        hsts = answer.header("Strict-Transport-Security") or ""
        assert int(hsts.partition("=")[2].partition(";")[0]) >= 31_536_000, str(answer)
        assert "includeSubDomains" in hsts
        referrers = answer.header_values("Referrer-Policy")
        assert len(referrers) == 1
        assert referrers[0] in ("same-origin", "no-referrer", "strict-origin")
        assert "camera=()" in (answer.header("Permissions-Policy") or "")
        if answer.body and (answer.header("Content-Type") or "").startswith("text/"):
            assert (answer.header("Content-Type") or "").endswith("; charset=utf-8")


def test_HD_12_no_hsts_on_loopback(rig: Rig) -> None:
    """Plain http on loopback promises no https."""
    assert rig.browser().get("/").header("Strict-Transport-Security") is None


def test_HD_16_versions(walk: Walk) -> None:
    """No header and no page names a product with its version."""
    for answer in walk.answers:
        for name, value in answer.headers:
            assert not PRODUCT.search(value), f"{answer}: {name}"
            assert name.lower() not in ("x-powered-by", "x-aspnet-version", "via")
        if urlsplit(answer.url).path.startswith("/static/"):
            continue
        assert not PRODUCT.search(answer.text), str(answer)


def test_HD_16_versions_of_the_server(served: Served) -> None:
    """Neither good answers nor gunicorn's own refusals tell a version."""
    answers = [
        served.ask(b"/"),
        served.ask(b"/nowhere"),
        served.ask(b"/", method=b"get"),
        served.raw(b"GET / HTTP/9.9\r\n\r\n"),
        served.raw(b"\x16\x03\x01\x02\x00\r\n\r\n"),
        served.ask(b"/" + b"x" * 9000),
    ]
    for answer in answers:
        assert not [value for _, value in answer.headers if PRODUCT.search(value)]
        assert not PRODUCT.search(answer.body.decode("latin-1"))
        assert b"Traceback" not in answer.body


def test_CS_10_cross_origin_probing(rig: Rig) -> None:
    """No route answers another origin, asked simply or by a preflight, with leave to read."""
    browser = rig.signed_in()
    browser.inspect_pages = False
    routes = [rule.rule for rule in rig.app.url_map.iter_rules()]
    assert len(routes) > 12
    for origin in ("https://evil.example", "null", "http://localhost:8001", rig.base_url):
        for rule in [*routes, "/nowhere"]:
            target = rule.replace("<name>", "style.css")
            ask = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
            preflight = {
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "x-csrf-token, content-type",
                "Access-Control-Request-Private-Network": "true",
            }
            for method, more in (("GET", {}), ("POST", {}), ("OPTIONS", preflight)):
                answer = browser.request(method, target, headers={**ask, **more})
                names = [name for name, _ in answer.headers if name.lower().startswith("access-")]
                assert names == [], str(answer)
                assert method != "OPTIONS" or answer.status in (404, 405), str(answer)

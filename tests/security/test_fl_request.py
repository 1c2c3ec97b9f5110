"""FL-10 to FL-12, FL-21 and FL-25: how a sign-in starts, and what an attacker may add to it."""

import base64
import itertools
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.rig import SECURE_URL, Rig
from tests.security.outcomes import Watch, is_anonymous
from webapp.attempts import secrets_of

STARTS = 1000
CONFIGURED = {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce"} | {
    "code_challenge",
    "code_challenge_method",
}


def fields_of(location: str) -> dict[str, str]:
    """The parameters of an authorize request; none may come twice."""
    pairs = parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def decoded(text: str) -> bytes:
    """The bytes behind base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def assert_configured(rig: Rig, location: str, *, extra: dict[str, str] | None = None) -> None:
    """The request goes to the pool and holds what is configured, byte-exact, and nothing else."""
    issuer = rig.cognito.issuer
    assert location.partition("?")[0] == f"{issuer.server.origin}/oauth2/authorize"
    fields = fields_of(location)
    assert fields.keys() == CONFIGURED | set(extra or {})
    fixed = {
        "response_type": "code",
        "client_id": issuer.pool.client.client_id,
        "redirect_uri": f"{rig.base_url}/callback",
        "scope": "openid email profile aws.cognito.signin.user.admin",
        "code_challenge_method": "S256",
    }
    assert {name: fields[name] for name in fixed} == fixed
    assert {name: fields[name] for name in extra or {}} == (extra or {})


def test_FL_10_secrets_are_strong_and_never_reused(rig: Rig) -> None:
    """A thousand starts give distinct, wholly random values of 128 bits and more, S256 only."""
    browser = rig.browser()
    started = [fields_of(browser.start()) for _ in range(STARTS)]
    assert {fields["code_challenge_method"] for fields in started} == {"S256"}
    for name in ("state", "nonce", "code_challenge"):
        values = [decoded(fields[name]) for fields in started]
        assert len(set(values)) == STARTS
        assert min(map(len, values)) >= 16
        columns = list(zip(*values, strict=True))
        # A byte that hardly varies, or follows another one, is no part of 128 random bits; chance
        # gives about 251 of 256.
        assert all(len(set(column)) > 220 for column in columns), name
        for one, other in itertools.combinations(columns, 2):
            assert len({a ^ b for a, b in zip(one, other, strict=True)}) > 220, name
    states = {fields["state"] for fields in started}
    assert not any(fields["nonce"] in states for fields in started)
    assert max(len(cookie.value) for cookie in browser.cookies.history) <= 1024


def test_FL_10_verifier_stays_on_the_server(rig: Rig) -> None:
    """The code verifier is in no cookie, address or log line; the cookie shows nothing at all."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
    held = rig.services.attempts.unpack(browser.cookies["portico-signin"], rig.clock())
    browser.finish(callback)
    verifier = rig.cognito.issuer.grants("authorization_code")[0]["code_verifier"]
    assert verifier == secrets_of(held[0]).verifier
    assert len(decoded(verifier)) >= 32
    seen = [rig.log, *(repr(r.headers) + r.url + r.text for r in browser.responses)]
    assert "sign_in_started" in rig.log
    assert not any(verifier in text for text in seen)
    sealed = [decoded(cookie.value) for cookie in browser.cookies.history if cookie.value]
    plain = (verifier.encode(), decoded(verifier), held[0].seed[:16], held[0].seed[16:], b"/sess")
    assert not any(secret in cookie for cookie in sealed for secret in plain)
    assert repr(held[0]).count("b'") == 0
    assert verifier not in repr(secrets_of(held[0]))


def test_FL_11_pkce_dropped_in_transit(rig: Rig) -> None:
    """A request that lost its challenge on the way ends in a refusal, not in a session."""
    rig.cognito.issuer.require_pkce = False
    browser = rig.browser()
    fields = fields_of(location := browser.start())
    for name in ("code_challenge", "code_challenge_method"):
        del fields[name]
    stripped = f"{location.partition('?')[0]}?{urlencode(fields)}"
    callback = rig.cognito.issuer.approve(stripped, rig.cognito.user("admin"))
    watch = Watch(rig)
    assert watch.denied(browser.finish(callback), token_requests=1) == "code_refused"
    assert "code_verifier" in rig.cognito.issuer.grants("authorization_code")[0]
    assert is_anonymous(rig, browser)


def test_FL_12_added_parameters_are_passed_over(rig: Rig) -> None:
    """Parameters that an attacker adds to /login change nothing in the request to the pool."""
    added = {
        "scope": "openid admin",
        "redirect_uri": "https://evil.example/callback",
        "client_id": "x",
        "iss": "https://evil.example",
        "state": "fixed",
        "nonce": "fixed",
        "code_challenge": "fixed",
        "code_challenge_method": "plain",
        "response_type": "token",
        "response_mode": "fragment",
        "request": "eyJ",
        "request_uri": "https://evil.example/r",
        "resource": "https://evil.example",
        "identity_provider": "Evil",
        "idp_identifier": "evil",
        "provider": "Evil",
        "login_hint": 'a"b\r\nc',
        "lang": "xx",
        "prompt": "evil",
    }
    browser = rig.browser()
    assert_configured(rig, browser.start(None, **added))
    for name, value in added.items():
        assert_configured(rig, browser.start(None, **{name: value}))
    query = "scope=a&scope=b&client_id[]=x&=y&&prompt=none%20login&prompt=login&lang=%ff"
    assert_configured(rig, browser.get(f"/login?{query}").location)


def test_FL_12_only_listed_choices_are_passed_on(rig: Rig) -> None:
    """A choice of the person is passed on from the allow-list, alone and unchanged."""
    for name, value in {"prompt": "none", "lang": "de", "login_hint": "a+b@example.com"}.items():
        location = rig.browser().start(None, **{name: value, "client_id": "x"})
        assert_configured(rig, location, extra={name: value})


@pytest.mark.parametrize("secure", [False, True], ids=["http", "behind-proxy"])
def test_FL_21_redirect_uri_from_host(secure: bool, request: pytest.FixtureRequest) -> None:
    """A forged Host is refused; forwarded names leave the configured redirect_uri byte-exact."""
    rig: Rig = request.getfixturevalue("secure_rig" if secure else "rig")
    ours = rig.base_url.partition("://")[2]
    for host in ("evil.example", f"{ours}.evil.example", f"evil.example:{ours}", f"{ours}@evil"):
        for name in (host, f"{ours}:8443", f"{ours}, evil.example", ""):
            browser = rig.browser()
            response = browser.get("/login", headers={"Host": name})
            assert response.status == 400, name
            assert response.header_values("Set-Cookie") == []
            assert "evil" not in response.text + repr(response.headers)
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Server": "evil.example",
        "X-Forwarded-Port": "8443",
        "X-Forwarded-Prefix": "/evil",
        "X-Host": "evil.example",
        "X-Original-URL": "https://evil.example/",
        "Forwarded": "host=evil.example;proto=http",
    }
    for headers in (forged, *({name: value} for name, value in forged.items())):
        assert_configured(rig, rig.browser().get("/login", headers=headers).location)
    assert (rig.base_url == SECURE_URL) is secure


PARTS_OF_A_PAGE = ("image", "iframe", "frame", "script", "style", "object", "embed", "video")
AHEAD = (
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Sec-Purpose": "prefetch;anonymous-client-ip"},
    {"Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch", "Sec-Fetch-Dest": "empty"},
)


def test_FL_25_started_by_a_part_of_a_page(rig: Rig) -> None:
    """No image, frame or prefetch starts a sign-in: no transaction, nothing at the pool."""
    browser = rig.browser()
    for headers in (*({"Sec-Fetch-Dest": part} for part in PARTS_OF_A_PAGE), *AHEAD):
        watch = Watch(rig)
        response = browser.get("/login?next=/session", site="cross-site", headers=headers)
        assert watch.denied(response) == "embedded", headers
        assert response.header_values("Set-Cookie") == []
        assert response.header("Location") is None
        assert browser.cookies.names == []
        assert watch.events("sign_in_started") == []


def test_FL_25_a_person_starts(rig: Rig) -> None:
    """A link on another site and a browser without fetch metadata do start a sign-in."""
    followed, old = rig.browser(), rig.browser()
    old.fetch_metadata = False
    assert_configured(rig, followed.get("/login", site="cross-site").location)
    assert_configured(rig, old.start())
    head = rig.browser().request("HEAD", "/login")
    assert head.status == 405
    assert head.header_values("Set-Cookie") == []

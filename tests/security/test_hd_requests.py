"""HD: what a request may claim, what a cache may keep, and what no address gives away."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import pytest

from tests.doubles import Browser, Response
from tests.rig import Rig

PRIVATE = ("/session", "/credentials")
EMAIL = b"@example.com"


def _signed_out(answer: Response) -> None:
    assert answer.status in (303, 401)
    assert EMAIL not in answer.body


def test_HD_06_other_names_for_the_path(rig: Rig) -> None:
    """No header gives the request another path: what is private stays shut, what is open too."""
    stranger = rig.browser()
    for header in (
        "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Forwarded-Path", "X-Original-URI",
        "X-Accel-Redirect", "X-Override-URL", "X-HTTP-DestinationURL", "X-Sendfile",
    ):  # fmt: skip
        for path in PRIVATE:
            _signed_out(stranger.get(path, headers={header: "/healthz"}))
            _signed_out(stranger.get(path, headers={header: "/"}))
            assert stranger.get("/healthz", headers={header: path}).json() == {"status": "ok"}


@pytest.mark.parametrize(
    "agent",
    ["GoogleHC/1.0", "ELB-HealthChecker/2.0", "kube-probe/1.31", "Amazon-Route53-Health-Check"],
)
def test_HD_07_health_checker(rig: Rig, agent: str) -> None:
    """A health checker's name, or a path that mentions the probe, opens no private page."""
    stranger = rig.browser()
    headers = {"User-Agent": agent}
    for path in PRIVATE:
        for more in ("", "?x=/healthz", "?/healthz", "?path=/readyz#/healthz"):
            _signed_out(stranger.get(path + more, headers=headers))
        for beside in (
            f"{path}/healthz",
            f"/healthz{path}",
            f"{path};/healthz",
            f"/healthz/..{path}",
        ):
            assert stranger.get(beside, headers=headers).status == 404
    assert stranger.get("/me", headers=headers).status == 401


FORGED = {
    "X-Cognito-Id-Token": "forged-canary",
    "Authorization": "Bearer forged-canary",
    "X-Amz-Security-Token": "forged-canary",
    "X-Amz-Date": "20000101T000000Z",
    "X-Amz-Target": "forged-canary",
    "X-Amzn-Oidc-Data": "forged-canary",
    "X-Amzn-Oidc-Identity": "forged-canary",
    "X-Forwarded-User": "forged-canary",
    "Proxy-Authorization": "forged-canary",
    "Cookie2": "forged-canary",
}


def test_HD_08_clients_headers_go_nowhere(rig: Rig) -> None:
    """Tokens and AWS headers that a client sends are neither believed nor forwarded."""
    stranger, person = rig.browser(), rig.signed_in("viewer")
    good = rig.cognito.issuer.pool.sign_in(rig.cognito.user("admin"))
    for forged in (FORGED, FORGED | {"Authorization": f"Bearer {good['access_token']}"}):
        assert stranger.get("/me", headers=forged).status == 401
        assert stranger.get("/session", headers=forged).status == 303
        assert person.get("/me", headers=forged).json()["email"] == "viewer@example.com"
        for identity in ("nobody", "guest", "user", "bearer-access", "bearer-id"):
            form = {"endpoint": "vip", "identity": identity, "csrf_token": person.csrf()}
            assert person.post("/api/call", form, json=True, headers=forged).json()["status"] == 403
    assert len(rig.cognito.api.calls) == 10
    sent = [call.request for call in rig.cognito.api.calls]
    sent += rig.cognito.pool.get_id.requests + rig.cognito.pool.get_credentials.requests
    for request in sent:
        everything = repr(request.headers) + request.target + request.body.decode()
        assert "forged-canary" not in everything
        assert good["access_token"] not in everything
        assert "20000101" not in everything


@dataclass
class Cache:
    """A shared cache that keeps whatever is not forbidden to it, by the rules of RFC 9111."""

    kept: dict[tuple[str, ...], Response] = field(default_factory=dict)
    varies: dict[str, list[str]] = field(default_factory=dict)
    hits: int = 0

    def get(self, browser: Browser, path: str) -> Response:
        """Through the cache: from it if it holds something that fits."""
        cookies = "; ".join(
            f"{n}={v}" for n, v in browser.cookies.for_url(urlsplit(browser.base_url))
        )
        sent = {"cookie": cookies, "accept": "text/html"}
        names = self.varies.get(path)
        if names is not None and (found := self.kept.get(self._key(path, names, sent))):
            self.hits += 1
            return found
        answer = browser.get(path, headers={"Accept": "text/html"})
        control = answer.header("Cache-Control") or ""
        vary = [name.strip().lower() for name in (answer.header("Vary") or "").split(",") if name]
        if "no-store" not in control and "private" not in control and "*" not in vary:
            self.varies[path] = vary
            self.kept[self._key(path, vary, sent)] = answer
        return answer

    @staticmethod
    def _key(path: str, names: list[str], sent: dict[str, str]) -> tuple[str, ...]:
        return (path, *(sent.get(name, "") for name in names))


def test_HD_09_cache_between_two_people(rig: Rig) -> None:
    """A shared cache before the application gives nobody a page of somebody else."""
    cache = Cache()
    people = {"": rig.browser(), "admin": rig.signed_in("admin"), "viewer": rig.signed_in("viewer")}
    for browser in people.values():
        browser.session_cookies = frozenset({"portico"})
    paths = ("/", "/api", "/me", "/session", "/credentials", "/nowhere", "/session/x.css", "/login")
    for _ in range(2):
        for path in paths:
            for name, browser in people.items():
                answer = cache.get(browser, path)
                for other in people:
                    if other and other != name:
                        assert f"{other}@example.com" not in answer.text, str(answer)
                if not name:
                    assert EMAIL not in answer.body
    assert not [answer for answer in cache.kept.values() if EMAIL in answer.body]
    assert not [answer for answer in cache.kept.values() if answer.header("Set-Cookie")]


def test_HD_10_cache_deception(rig: Rig) -> None:
    """A private path dressed up as a file is 404, and kept by no cache."""
    browser = rig.signed_in()
    for path in (*PRIVATE, "/me", "/api", "/"):
        for dress in (
            "/x.css", ";.js", ";x.png", "%2fx.png", "%2Fx.css", ".css", "/.css", "%3b.js",
            "%00.png", "%0a.css", "%23.css", "%3f.css", "/..%2fstatic/style.css",
            "//x.css", "/%2e%2e/x.js",
        ):  # fmt: skip
            answer = browser.get(f"{path.rstrip('/')}{dress}" if path != "/" else f"/x{dress}")
            assert answer.status == 404, str(answer)
            assert answer.header("Cache-Control") == "no-store"
            assert b'csrf_token":' not in answer.body


def test_HD_13_content_before_the_check(rig: Rig) -> None:
    """Whoever is not signed in gets an empty redirect, whatever method, range or form is asked."""
    stranger = rig.browser()
    for path in PRIVATE:
        for method in ("GET", "HEAD"):
            for headers in (
                {}, {"Range": "bytes=0-10"}, {"If-None-Match": "*"}, {"Accept": "application/json"},
                {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, {"Accept-Encoding": "gzip"},
            ):  # fmt: skip
                answer = stranger.request(method, path, headers=headers)
                assert answer.status == 303
                assert answer.body == b""
                assert answer.location == f"{rig.base_url}/login?next={path}"
    for path in ("/session/refresh", "/session/userinfo"):
        answer = stranger.post(path, {"csrf_token": stranger.csrf()})
        assert (answer.status, answer.location) == (303, f"{rig.base_url}/")
    for identity in ("user", "bearer-access", "bearer-id"):
        answer = stranger.call("secure", identity, json=False)
        assert answer.status == 401
        assert EMAIL not in answer.body
    assert rig.cognito.api.calls == []
    assert rig.cognito.pool.get_id.count == 0


SPLITS = (
    "\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "/a\r\n\r\n<script>", "\u010d\u010aX-Evil: 1",
    "%0d%0aX-Evil: 1", "\u2028X-Evil: 1", "a\x00b", "\x0bX-Evil: 1",
)  # fmt: skip


def test_HD_14_response_splitting(rig: Rig) -> None:
    """Line breaks in whatever reaches Location or another header are encoded or refused."""
    browser = rig.signed_in()
    token = browser.csrf()
    for split in SPLITS:
        escaped = quote(split)
        targets = [
            f"/login?{name}={escaped}" for name in ("next", "login_hint", "lang", "provider")
        ]
        targets += [f"/login?prompt={escaped}", f"/?notice={escaped}", f"/{escaped}"]
        targets += [f"/callback?{name}={escaped}" for name in ("code", "state", "error", "iss")]
        targets += [f"/callback?state={escaped}&code=x&next={escaped}", f"/static/{escaped}"]
        targets += [f"/session{escaped}", f"/session?x={escaped}"]
        answers = [browser.get(target) for target in targets]
        answers += [rig.browser().get(target) for target in targets[-2:]]
        form = {"csrf_token": token, "depth": split, "endpoint": split, "identity": split}
        answers += [browser.post("/logout", form), browser.post("/api/call", form)]
        for answer in answers:
            assert answer.status < 500, str(answer)
            assert answer.header("X-Evil") is None
            for _, value in answer.headers:
                assert value.isprintable(), str(answer)
    assert browser.me()["signed_in"] is True
    assert '"unforeseen"' not in rig.log


def _addresses(answer: Response) -> list[str]:
    found = [value for name, value in answer.headers if name in ("Location", "Link", "Refresh")]
    if answer.is_html and answer.body:
        for element in answer.page.elements():
            found += [v for k, v in element.attrib.items() if k in ("href", "src", "action")]
    return found


def test_HD_18_nothing_secret_in_an_address(rig: Rig) -> None:
    """No token, code or state is in an address or page after the callback, nor in a referrer."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
    state = callback.partition("state=")[2]
    landed = browser.finish(callback)
    assert landed.status == 303
    assert landed.body == b""
    assert landed.header("Referrer-Policy") == "no-referrer"
    to_pool = browser.get("/login")
    assert to_pool.header("Referrer-Policy") == "no-referrer"
    for path in ("/session", "/credentials", "/api", "/"):
        browser.get(path)
    browser.call("secure", "user", json=False)
    browser.get(callback)
    browser.sign_out()
    tokens = rig.cognito.issuer.mint.id_token.minted + rig.cognito.issuer.mint.access_token.minted
    secret = [
        *tokens,
        *rig.cognito.issuer.pool.refresh_tokens,
        state,
        browser.cookies.history[0].value,
    ]
    secret += [form["code"] for form in rig.cognito.issuer.grants("authorization_code")]
    after = browser.responses[browser.responses.index(landed) :]
    for answer in after:
        for address in _addresses(answer):
            assert not [text for text in secret if text in address], str(answer)
        assert not [text for text in secret if text in answer.text], str(answer)


def test_HD_18_referrer_of_a_refused_callback(rig: Rig) -> None:
    """The page of a refused callback, whose address holds code and state, sends no path onwards."""
    for browser in (rig.browser(), rig.signed_in()):
        for query in ("code=c&state=s", "error=access_denied&state=s", "code=c"):
            answer = browser.get(f"/callback?{query}", site="cross-site")
            if answer.status == 303:
                assert answer.header("Referrer-Policy") == "no-referrer"
            else:
                # Not no-referrer on a page with forms: that makes Chromium post Origin: null.
                assert answer.header("Referrer-Policy") == "strict-origin"


def test_HD_18_third_party_links(rig: Rig) -> None:
    """Every link that leads away says noreferrer."""
    browser = rig.signed_in()
    away = 0
    for path in ("/", "/session", "/credentials", "/api", "/how-it-works", "/nowhere"):
        for link in browser.get(path).page.elements("a"):
            href = link.get("href") or ""
            if urlsplit(href).netloc:
                away += 1
                assert "noreferrer" in (link.get("rel") or "").split(), href
    assert away

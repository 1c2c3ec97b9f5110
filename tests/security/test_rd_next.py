"""RD-01 to RD-11: where a sign-in may lead, said by `next` in every disguise."""

import time
from collections.abc import Iterable
from urllib.parse import quote

from tests.rig import Rig
from webapp.addresses import local_path

EVIL = "evil.example"
DEADLINE_SECONDS = 0.02


def landing(rig: Rig, login: str) -> str:
    """The raw Location of the callback, after a sign-in that began at this address."""
    browser = rig.browser()
    location = browser.get(login, site="same-origin").location
    response = browser.finish(rig.cognito.issuer.approve(location, rig.cognito.user("admin")))
    assert response.status == 303, login
    assert len(response.header_values("Location")) == 1
    return response.header("Location") or ""


def strays(rig: Rig, targets: Iterable[str | bytes]) -> dict[str | bytes, str]:
    """Those of the targets after which a sign-in landed anywhere but at `/`."""
    landed = {target: landing(rig, f"/login?next={quote(target, safe='')}") for target in targets}
    assert landed
    return {target: where for target, where in landed.items() if where != "/"}


def test_RD_01_more_than_one_slash(rig: Rig) -> None:
    """Two and more leading slashes name a host to a browser: home instead."""
    targets = [f"//{EVIL}", f"///{EVIL}", f"////{EVIL}/..", f"/////{EVIL}", f"//{EVIL}/session"]
    assert strays(rig, [*targets, "//", f"/a//{EVIL}", f"//@{EVIL}", f"//{EVIL}:443/"]) == {}


def test_RD_02_backslashes(rig: Rig) -> None:
    """A backslash is a slash to a browser, also when it is encoded once or twice."""
    targets = [rf"/\{EVIL}", rf"\\{EVIL}", rf"\/{EVIL}", rf"\{EVIL}", rf"/a\..\\{EVIL}"]
    encoded = [f"/%5c{EVIL}", f"/%5C{EVIL}", f"/%255c{EVIL}", f"/%5c%5c{EVIL}", f"/a/%255C{EVIL}"]
    assert strays(rig, targets + encoded) == {}


BLANKS = "\t\n\r\0\x0b\x0c\x1b\x7f\x85\xa0\u2028\u2029\u3000\u200b\ufeff"


def test_RD_03_control_and_blank_characters(rig: Rig) -> None:
    """No control character or odd blank anywhere, raw or encoded, in path or query."""
    places = ("/{}/" + EVIL, "{}//" + EVIL, "/session{}", "/{}session", "/session?x={}")
    raw = [place.format(blank) for place in places for blank in "\t\r\u2028"]
    raw += [f"/{blank}/{EVIL}" for blank in BLANKS]
    encoded = [f"/session?x={quote(blank)}" for blank in BLANKS]
    encoded += [f"/{quote(blank)}/{EVIL}" for blank in BLANKS]
    twice = [f"/session?x={quote(quote(blank))}" for blank in BLANKS]
    assert strays(rig, raw + encoded + twice) == {}


def test_RD_04_dot_segments(rig: Rig) -> None:
    """No dot segments: a browser takes them away, and what is left may be two slashes."""
    targets = [f"/..//{EVIL}", rf"/./\{EVIL}", f"/%2e%2e//{EVIL}", f"/.//{EVIL}", f"/a/..//{EVIL}"]
    more = ["/..", "/.", "/a/../b", "/%2e", "/%252e%252e/", f"/..;/{EVIL}", "/a/.%2e/b", "/.;a=b/c"]
    assert strays(rig, targets + more) == {}


def test_RD_05_absolute_to_ourselves(rig: Rig) -> None:
    """An absolute address is never accepted, not even our own, and no other port or scheme."""
    hosts = ("localhost:8000", "localhost:8443", "localhost")
    targets = [f"{scheme}://{host}/" for scheme in ("http", "https") for host in hosts]
    assert strays(rig, [*targets, *(f"//{host}/session" for host in hosts)]) == {}


def test_RD_06_user_information(rig: Rig) -> None:
    """Our name before an @ is a user name, not a host."""
    targets = [f"https://localhost@{EVIL}", f"https://localhost:8000@{EVIL}", f"//localhost@{EVIL}"]
    assert strays(rig, [*targets, f"https://localhost%40{EVIL}", f"localhost@{EVIL}"]) == {}


def test_RD_07_hosts_that_look_alike(rig: Rig) -> None:
    """No look-alike of our host is taken for it."""
    hosts = ["localhost.evil.example", "evillocalhost", "localhost.", "loc\u0430lhost", "[::1]"]
    hosts += ["2130706433", "0x7f000001", "127.1", "xn--lclhost-6fg", "\uff4cocalhost", "[::]"]
    targets = [f"{lead}{host}:8000/" for host in hosts for lead in ("http://", "//")]
    assert strays(rig, targets) == {}


def test_RD_08_other_schemes_and_lists(rig: Rig) -> None:
    """No scheme runs as script or leads on, and a repeated `next` is none."""
    targets = ["javascript:alert(1)", "JavaScript://%0aalert(1)", "data:text/html,x", "vbscript:x"]
    targets += [
        f"http:{EVIL}",
        f"https:/{EVIL}",
        f"https:{EVIL}",
        f"http:/\\{EVIL}",
        EVIL,
        "session",
    ]
    assert (
        strays(rig, [*targets, "java\tscript:alert(1)", " javascript:x", "", "?next=x", "#x"]) == {}
    )
    queries = [f"next=/session&next=//{EVIL}", f"next=//{EVIL}&next=/session", f"next[]=//{EVIL}"]
    queries += [f"next[0]=//{EVIL}", f"next[a]=//{EVIL}", "next=/session&next=/session", "next", ""]
    assert {query for query in queries if landing(rig, f"/login?{query}") != "/"} == set()


def test_RD_09_loops(rig: Rig) -> None:
    """No sign-in leads back to the sign-in, the sign-out or the callback."""
    targets = ["/login", "/logout", "/callback", "/login/", "/LOGIN", "/login?next=/login"]
    more = ["/callback?code=a&state=b", "/%6cogin", "/log%69n", "/%256cogin", "/logout?depth=app"]
    assert strays(rig, targets + more) == {}


DEEP = (
    "/session?x=1%262",
    "/session?q=a%20b+c%2Bd",
    "/session?q=%C3%A9%F0%9F%98%80",
    "/session?half=50%25&u=https://a.example/b?c",
    "/session?x=a?",
    "/session?%2F%2Fevil.example=%5C",
    "/credentials?a=&b&&c==",
    "/session",
)


def test_RD_10_deep_link_by_login(rig: Rig) -> None:
    """An honest deep link is restored to the byte, however it is encoded for the way."""
    landed = {link: landing(rig, f"/login?next={quote(link, safe='')}") for link in DEEP}
    assert landed == {link: link for link in DEEP}
    for link in ("/api?endpoint=vip", "/", "/a;b=c/d", "/%20a", "/@a"):
        assert landing(rig, f"/login?next={quote(link, safe='/')}") == link


def test_RD_10_deep_link_by_guard(rig: Rig) -> None:
    """The link that somebody signed out followed is where the sign-in ends, to the byte."""
    for link in DEEP:
        away = rig.browser().get(link)
        assert away.status == 303
        assert landing(rig, away.header("Location") or "") == link


def test_RD_11_malformed(rig: Rig) -> None:
    """Broken encodings and endless targets lead home."""
    targets: list[str | bytes] = ["/%", "/%z", "/%zz", "/a%2", "/session?x=%", "/session?x=%zz"]
    targets += ["/%ff", "/%c0%af", "/%ed%a0%80", "/session?x=%ff", "/session?x=%ed%a0%80", "/%25ff"]
    targets += [b"/\xff", b"/session?x=\xff\xfe", b"/\xed\xa0\x80", "/\u00e9", "/" + "a" * 512]
    targets += ["/" + "a" * 2**20, "/session?" + "%25" * 2**18]
    assert strays(rig, targets) == {}


def test_RD_11_malformed_deep_link(rig: Rig) -> None:
    """A followed link with bytes that are no UTF-8 is an ordinary sign-in, never a fault."""
    for query in ("\xff", "x=\xed\xa0\x80", "x=%ff", "\xe9"):
        away = rig.browser().get(f"/session?{query}")
        assert (away.status, away.header("Location")) == (303, "/login?next=/"), ascii(query)


def test_RD_11_judged_in_no_time() -> None:
    """No target, however made, takes more than twenty milliseconds to judge."""
    pieces = ("/a", "%25", "%", "/..", ";", "?", "\\", "/.;", "%2525", "\u3000", "\ud800")
    targets = ["/" + piece * (510 // len(piece)) for piece in pieces]
    targets += ["/" + piece * (2**20 // len(piece)) for piece in pieces]
    for target in targets:
        spent = []
        for _ in range(3):
            began = time.thread_time()
            local_path(target)
            spent.append(time.thread_time() - began)
        assert min(spent) < DEADLINE_SECONDS, ascii(target[:20])

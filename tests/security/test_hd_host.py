"""HD: who a request says it is for, and what it says of the way it came. Raw bytes to gunicorn."""

import pytest

from tests.doubles import EvilHost
from tests.security.served import RawAnswer, Served

EVERY_ROUTE = (
    (b"GET", b"/"),
    (b"GET", b"/login"),
    (b"GET", b"/callback?code=c&state=s"),
    (b"POST", b"/logout"),
    (b"GET", b"/me"),
    (b"GET", b"/session"),
    (b"POST", b"/session/refresh"),
    (b"POST", b"/session/userinfo"),
    (b"GET", b"/credentials"),
    (b"GET", b"/api"),
    (b"POST", b"/api/call"),
    (b"GET", b"/static/style.css"),
    (b"GET", b"/no-such-page"),
)
EVIL = b"evil.example"


def _nothing_of_it(answer: RawAnswer, forged: bytes = EVIL) -> None:
    assert forged not in answer.body
    assert all(forged.decode() not in value for _, value in answer.headers)


@pytest.mark.parametrize(("method", "target"), EVERY_ROUTE, ids=lambda part: part.decode())
def test_HD_01_forged_host_on_every_route(served: Served, method: bytes, target: bytes) -> None:
    """A foreign Host gets 400 on every route, starts no sign-in and is built into nothing."""
    answer = served.ask(target, b"Content-Length: 0", host=EVIL, method=method)
    assert answer.status == 400
    assert answer.by_application
    assert answer.header("Location") is None
    assert answer.header("Set-Cookie") is None
    _nothing_of_it(answer)


@pytest.mark.parametrize(
    "shape",
    [
        "evil.example:{port}",
        "localhost:1",
        "localhost",
        "localhost:{port}.",
        "localhost.:{port}",
        "user@localhost:{port}",
        "localhost:{port}@evil.example",
        "localhost:{port},evil.example",
        "evil.example,localhost:{port}",
        "localhost:{port} evil.example",
        "localhost:{port}/evil",
        "localhost:{port}#",
        "127.0.0.1:{port}",
        "[::1]:{port}",
        "localhost:0{port}",
        "lo\u0441alhost:{port}",
        "",
    ],
)
def test_HD_01_forged_host_in_every_shape(served: Served, shape: str) -> None:
    """A Host that is not exactly ours is refused: other port, dot, user, list, empty."""
    answer = served.ask(b"/login", host=shape.format(port=served.port).encode())
    assert answer.status == 400
    assert answer.header("Location") is None
    _nothing_of_it(answer)


@pytest.mark.parametrize(
    "lines",
    [
        b"GET /login HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /login HTTP/1.0\r\n\r\n",
        b"GET /login HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /login HTTP/1.1\r\nHost: evil.example\r\nHost: HOST\r\nConnection: close\r\n\r\n",
        b"GET /login HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\nConnection: close\r\n\r\n",
        b"GET /login HTTP/1.1\r\nHost : HOST\r\nConnection: close\r\n\r\n",
        b"GET /login HTTP/1.1\r\n Host: HOST\r\nConnection: close\r\n\r\n",
    ],
    ids=["missing", "missing in 1.0", "ours first", "ours last", "twice ours", "space", "folded"],
)
def test_HD_01_host_missing_or_twice(served: Served, lines: bytes) -> None:
    """No Host, two of them, or a malformed line is 400, and no sign-in starts."""
    answer = served.raw(lines.replace(b"HOST", served.host.encode()))
    assert answer.status == 400
    assert answer.header("Location") is None
    _nothing_of_it(answer)


@pytest.mark.parametrize("path", [b"/healthz", b"/readyz"])
def test_HD_01_probes_come_by_address(served: Served, path: bytes) -> None:
    """Probes are answered under any name, with nothing in it that depends on the name."""
    answer = served.ask(path, host=b"10.0.0.7:8000")
    assert answer.status == 200
    _nothing_of_it(answer, b"10.0.0.7")
    assert answer.body == served.ask(path).body


@pytest.mark.parametrize("form", [b"/healthz/../session", b"/healthz/", b"/healthz;x"])
def test_HD_01_nothing_but_the_probes(served: Served, form: bytes) -> None:
    """What merely looks like a probe is held to the Host as everything else is."""
    assert served.ask(form, host=EVIL).status == 400


def test_HD_02_absolute_form_target(served: Served) -> None:
    """An absolute target changes nothing: the Host rules, and the other name is not repeated."""
    with EvilHost() as evil:
        target = evil.origin.encode() + b"/login"
        ours = served.ask(target)
        assert ours.status in (302, 400)
        _nothing_of_it(ours, evil.origin.removeprefix("http://").encode())
        foreign = served.ask(b"http://" + served.host.encode() + b"/login", host=EVIL)
        assert foreign.status == 400
        evil.assert_untouched()


FORWARDED = (
    b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-Host: evil.example, evil.example",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Port: 4443",
    b"X-Forwarded-Prefix: /evil.example",
    b"X-Forwarded-Server: evil.example",
    b"X-Forwarded-Ssl: on",
    b"X-Forwarded-Protocol: ssl",
    b"X-Host: evil.example",
    b"Forwarded: for=1.2.3.4;host=evil.example;proto=https",
    b"X-Original-Host: evil.example",
)


@pytest.mark.parametrize("line", FORWARDED, ids=repr)
def test_HD_03_forwarded_headers_of_a_stranger(served: Served, line: bytes) -> None:
    """No X-Forwarded header of an untrusted peer changes a redirect, a cookie or a page."""
    plain, forged = served.ask(b"/login"), served.ask(b"/login", line)
    assert (plain.status, forged.status) == (302, 302)
    _nothing_of_it(forged)
    assert f"redirect_uri=http%3A%2F%2Flocalhost%3A{served.port}%2Fcallback&" in (
        forged.header("Location") or ""
    )
    assert "; Secure" not in (forged.header("Set-Cookie") or "")
    page = served.ask(b"/", line)
    assert page.status == 200
    assert page.body == served.ask(b"/").body


@pytest.mark.parametrize(
    "line",
    [
        b"X_Forwarded_Host: evil.example",
        b"x_forwarded-host: evil.example",
        b"X-FORWARDED-host: evil.example",
        b"X_Forwarded_Proto: https",
        b"PATH_INFO: /session",
        b"PATH-INFO: /session",
        b"SCRIPT-NAME: /evil.example",
        b"REQUEST_URI: /evil.example",
        b"REMOTE_USER: admin",
    ],
    ids=repr,
)
def test_HD_05_variants_of_names(served: Served, line: bytes) -> None:
    """Underscores, odd case and names of CGI variables in a header change nothing."""
    answer = served.ask(b"/", line)
    assert answer.status == 200
    assert answer.body == served.ask(b"/").body
    _nothing_of_it(served.ask(b"/login", line))


@pytest.mark.parametrize("prefix", [b"/session", b"/session/", b"/", b"/evil.example"])
def test_HD_05_script_name(served: Served, prefix: bytes) -> None:
    """SCRIPT_NAME moves no path: it is dropped, or (plain gunicorn) the request is refused."""
    for target in (b"/session/healthz", b"/session/me", b"/session/login"):
        answer = served.ask(target, b"SCRIPT_NAME: " + prefix)
        # Plain gunicorn answers 500 itself to a prefix that does not fit; the rest is ours.
        assert answer.status in ((404,) if served.with_conf else (400, 404, 500))
        assert answer.header("Location") is None
        assert b'"ok"' not in answer.body

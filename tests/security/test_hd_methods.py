"""HD-15 and the neighbouring runtime rows: odd methods, sizes and paths. Raw bytes to gunicorn."""

import pytest

from tests.security.served import Served

CANARY = b"canary-7f3a"


@pytest.mark.parametrize(
    "method",
    [b"TRACE", b"TRACK", b"CONNECT", b"PROPFIND", b"get", b"G" * 10240, b"DEBUG", b"P\xc3\x96ST"],
    ids=["TRACE", "TRACK", "CONNECT", "PROPFIND", "lower case", "10 KiB", "DEBUG", "not ASCII"],
)
@pytest.mark.parametrize("target", [b"/", b"/login", b"/session", b"/healthz", b"/nowhere"])
def test_HD_15_methods_that_nobody_offers(served: Served, method: bytes, target: bytes) -> None:
    """Foreign methods are refused, nothing that was sent comes back, and no sign-in starts."""
    answer = served.ask(target, b"X-Canary: " + CANARY, method=method)
    redirected = answer.status == 303 and answer.header("Location") == "/"
    assert answer.status in (400, 404, 405, 414, 501) or (target == b"/session" and redirected)
    assert CANARY not in answer.body
    assert answer.header("Set-Cookie") is None
    assert (answer.header("Content-Type") or "").startswith("text/html")


@pytest.mark.parametrize(
    "target", [b"/", b"/login", b"/callback", b"/logout", b"/me", b"/api/call", b"/session", b"*"]
)
def test_HD_15_options_grants_nothing(served: Served, target: bytes) -> None:
    """OPTIONS is refused and lets no other site in."""
    answer = served.ask(
        target,
        b"Origin: https://evil.example",
        b"Access-Control-Request-Method: POST",
        b"X-Canary: " + CANARY,
        method=b"OPTIONS",
    )
    assert answer.status in (400, 404, 405)
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]
    assert answer.header("Set-Cookie") is None
    assert CANARY not in answer.body


@pytest.mark.parametrize("target", [b"/", b"/api", b"/me", b"/healthz", b"/readyz", b"/session"])
def test_HD_15_head_equals_get(served: Served, target: bytes) -> None:
    """HEAD answers the status and headers of GET, and no body."""
    changing = {"Date"}
    got, head = served.ask(target), served.ask(target, method=b"HEAD")
    assert head.body == b""
    assert head.status == got.status
    assert {pair for pair in head.headers if pair[0] not in changing} == {
        pair for pair in got.headers if pair[0] not in changing
    }


@pytest.mark.parametrize("target", [b"/login", b"/callback?code=c&state=s"])
def test_HD_15_head_is_no_sign_in(served: Served, target: bytes) -> None:
    """HEAD starts and finishes no sign-in."""
    answer = served.ask(target, method=b"HEAD")
    assert answer.status == 405
    assert answer.header("Location") is None
    assert answer.header("Set-Cookie") is None
    assert answer.body == b""


@pytest.mark.parametrize(
    "lines",
    [
        [b"X-Big: " + b"x" * 65536],
        [b"X-%d: y" % number for number in range(200)],
        [b"Cookie: " + b"; ".join(b"c%d=%s" % (n, b"v" * 200) for n in range(80))],
    ],
    ids=["64 KiB header", "200 headers", "16 KiB of cookies"],
)
def test_RT_09_headers_too_large(served: Served, lines: list[bytes]) -> None:
    """Oversized headers are refused before the application, which goes on answering."""
    answer = served.ask(b"/", *lines)
    # Plain gunicorn takes up to 100 headers; beyond every limit it closes.
    assert answer.status in (0, 400, 414, 431)
    assert served.ask(b"/").status == 200


@pytest.mark.parametrize("size", [4094, 8192, 65536])
def test_RT_09_line_too_long(served: Served, size: int) -> None:
    """A request line beyond the limit is refused, whatever its address."""
    assert served.ask(b"/?" + b"x" * size).status in (0, 400, 414)
    assert served.ask(b"/").status == 200


def test_RT_09_our_own_cookies_always_fit(served: Served) -> None:
    """A browser with a session and every attempt that fits is never refused for its headers."""
    browser = served.browser()
    browser.sign_in(served.cognito.user("admin"))
    for number in range(30):
        browser.start(f"/session?page={number}&filler={'x' * 400}")
    held = sum(len(f"{name}={browser.cookies[name]}; ") for name in browser.cookies.names)
    assert held <= 1024
    assert browser.me()["signed_in"] is True


@pytest.mark.parametrize(
    "target",
    [
        b"/\x00",
        b"/%00",
        b"/session%00",
        b"/%ff",
        b"/\xff\xfe",
        b"/caf\xc3\xa9",
        b"/../../etc/passwd",
        b"/./session/../../x",
        b"/static/../wsgi.py",
        b"/static/%2e%2e/wsgi.py",
        b"/static/..%2fwsgi.py",
        b"/static/%252e%252e%252fwsgi.py",
        b"/" + b"a" * 4000,
        b"/%",
        b"/%zz",
        b"/\\..\\wsgi.py",
        b"session",
        b"/%0d%0aX-Evil:%201",
        b"/%e2%80%a8",
        b"/%ed%a0%80",
    ],
    ids=repr,
)
def test_RT_11_odd_paths(served: Served, target: bytes) -> None:
    """A path that is no page of ours is 400 or 404, never 500, and opens no file."""
    answer = served.ask(target)
    assert answer.status in (400, 404, 414)
    assert b"create_app" not in answer.body
    assert answer.header("X-Evil") is None
    assert served.ask(b"/healthz").status == 200


def test_RT_11_nothing_was_a_surprise(served: Served) -> None:
    """None of the raw requests reached an error that the application had not foreseen."""
    assert '"unforeseen"' not in served.log
    assert "Traceback" not in served.log

"""SE-08 and SE-10: cookie headers that no browser of good will sends. Raw bytes to gunicorn."""

import json

import pytest

from tests.doubles import Browser
from tests.security.served import RawAnswer, Served

NAME = b"portico"


def _signed_in(served: Served, user: str = "admin") -> tuple[Browser, bytes]:
    browser = served.browser()
    browser.sign_in(served.cognito.user(user))
    return browser, browser.cookies[NAME.decode()].encode()


def _me(served: Served, *lines: bytes) -> RawAnswer:
    return served.ask(b"/me", *lines)


def _anonymous(answer: RawAnswer) -> None:
    assert answer.status == 401
    assert json.loads(answer.body)["signed_in"] is False


def test_SE_08_two_cookies_of_one_name(served: Served) -> None:
    """Two tickets, in one header or in two, are nobody: neither person's, and not mixed."""
    _, ours = _signed_in(served, "admin")
    _, theirs = _signed_in(served, "viewer")
    assert _me(served, b"Cookie: portico=" + ours).status == 200
    for first, second in ((ours, theirs), (theirs, ours), (ours, ours), (ours, b""), (b"x", ours)):
        pair = b"portico=" + first, b"portico=" + second
        _anonymous(_me(served, b"Cookie: " + b"; ".join(pair)))
        _anonymous(_me(served, b"Cookie: " + pair[0], b"Cookie: " + pair[1]))
    assert _me(served, b"Cookie: portico=" + ours).status == 200


@pytest.mark.parametrize(
    "header",
    [
        b"=portico=TICKET",
        b"==portico=TICKET",
        b"portico==TICKET",
        b'portico="TICKET"',
        b"Portico=TICKET",
        b"portico =x; PORTICO=TICKET",
        b"xportico=TICKET",
        b"portico%3dTICKET",
        b"%70ortico=TICKET",
        b"portico=TICKET,portico=TICKET",
        b"portico=TICKET=",
        b"portico=TICKET\xc2\xa0",
        b"portico-signin=TICKET",
        b"__Host-portico=TICKET",
    ],
    ids=repr,
)
def test_SE_08_nameless_and_nearly(served: Served, header: bytes) -> None:
    """A nameless cookie, or one that is only nearly ours, is no ticket."""
    _, ticket = _signed_in(served)
    answer = _me(served, b"Cookie: " + header.replace(b"TICKET", ticket))
    assert answer.status in (400, 401)
    assert b"admin@example.com" not in answer.body


GARBAGE = {
    "8 KiB": b"portico=" + b"A" * 8100,
    "ticket of dots": b"portico=" + b"." * 44,
    "NUL": b"portico=a\x00b",
    "quotes": b'portico="a\\"b"; portico-signin="\\073"',
    "octal escapes": b'portico="\\000\\377\\012"',
    "not ASCII": "portico=\u00e4\u00f6; portico-signin=\u2028".encode(),
    "invalid UTF-8": b"portico=\xff\xfe\xfd; portico-signin=\xc3\x28",
    "60 names": b"; ".join(b"n%d=%d" % (n, n) for n in range(60)),
    "huge numbers": b"portico=" + b"9" * 5000 + b"; portico-signin=1e999",
    "no equals": b"portico; portico-signin; ;;; =; ==",
    "only separators": b";" * 2000,
    "bad base64": b"portico-signin=!!!!; portico=____",
    "lone padding": b"portico-signin====; portico==",
    "right length, foreign": b"portico=" + b"A" * 44 + b"; portico-signin=" + b"A" * 200,
    "control characters": b"portico=\x01\x02\x1b[31m; portico-signin=\x7f",
    "markup": b"portico=<script>alert(1)</script>",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
@pytest.mark.parametrize(
    "target", [b"/", b"/me", b"/session", b"/login", b"/callback?code=c&state=s"]
)
def test_SE_10_garbage(served: Served, garbage: bytes, target: bytes) -> None:
    """Garbage in the Cookie header is nobody or 4xx, never 500, and without it all is well."""
    answer = served.ask(target, b"Cookie: " + garbage)
    assert answer.status in (200, 302, 303, 400, 401, 431)
    assert b'signed_in":true' not in answer.body
    if target == b"/session" and answer.status != 400:
        assert (answer.header("Location") or "").startswith("/login") or answer.status == 431
    clean = {b"/": 200, b"/me": 401, b"/session": 303, b"/login": 302}
    assert served.ask(target).status == clean.get(target, 400)


def test_SE_10_garbage_beside_a_good_ticket(served: Served) -> None:
    """Foreign cookies beside ours, however odd, do not sign anybody out."""
    _, ticket = _signed_in(served)
    for other in (b'a="b;c"', b"b=\xff", b"; ;;", b"=x", b"n" * 500 + b"=1", b"portico2=x"):
        answer = _me(served, b"Cookie: " + other + b"; portico=" + ticket + b"; z=1")
        assert answer.status == 200
        assert json.loads(answer.body)["email"] == "admin@example.com"


def test_SE_10_nothing_was_a_surprise(served: Served) -> None:
    """No cookie led to an error that the application had not foreseen."""
    assert '"unforeseen"' not in served.log
    assert "Traceback" not in served.log

"""The inspection passes a good page and names each fault of a bad one."""

import base64

import pytest

from tests.doubles import Response, inspect

POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
GOOD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Home</title>
<link rel="stylesheet" href="/static/style.css"></head>
<body><h1>Welcome</h1>
<form method="post" action="/logout"><input type="hidden" name="csrf_token" value="abc">
<label for="depth">Depth</label><select id="depth" name="depth"><option>app</option></select>
<button>Sign out</button></form>
<p><a href="https://example.com/">Elsewhere</a></p></body></html>"""
TOKEN = base64.urlsafe_b64encode(b'{"kid":"abc","alg":"RS256"}').decode()
BAD = {
    "parser": (("<p>", "<p><div></p></div>"), "line "),
    "title": (("Home", ""), "no title"),
    "lang": (('lang="en"', ""), "no lang"),
    "h1": (("<p>", "<h1>Again</h1><p>"), "2 h1"),
    "ids": (("<p>", '<p id="depth">'), "stands 2 times"),
    "label": (('for="depth"', 'for="else"'), "which is no control"),
    "unlabelled": (("<p>", '<p><input name="a">'), "has no label"),
    "action": (('action="/logout"', 'action="//evil.example/logout"'), "form goes elsewhere"),
    "csrf": (("abc", ""), "without csrf_token"),
    "script": (("<p>", "<p><script>1</script>"), "inline script"),
    "style": (("<p>", '<p style="color: red">'), "inline style"),
    "handler": (("<p>", '<p onclick="x()">'), "inline onclick"),
    "javascript": (("https://example.com/", "javascript:alert(1)"), "href of a"),
    "stylesheet": (("/static/style.css", "https://cdn.example/x.css"), "leaves our origin"),
    "image": (("<p>", '<p><img src="/a.png">'), "has no alt"),
    "token": (("Elsewhere", f"Elsewhere {TOKEN}"), "token text"),
    "cut token": (("Elsewhere", f"Elsewhere {TOKEN[:20]}…"), "token text"),
}


def response(
    markup: str = GOOD,
    *,
    cookies: frozenset[str] = frozenset(),
    policy: str = POLICY,
    more: tuple[tuple[str, str], ...] = (),
) -> Response:
    """A response with this page."""
    page = ("Content-Type", "text/html; charset=utf-8")
    headers = (page, ("Content-Security-Policy", policy), *more)
    return Response("GET", "http://localhost:8000/", 200, headers, markup.encode(), cookies)


def test_good_page_passes() -> None:
    """A page without a fault passes, and so does what is not HTML."""
    inspect(response())
    inspect(Response("GET", "http://localhost:8000/me", 200, (), b"{"))
    page = response().page
    assert (page.title, page.heading) == ("Home", "Welcome")
    assert page.form("/logout").fields == {"csrf_token": "abc", "depth": "app"}
    assert page.links == ["https://example.com/"]


@pytest.mark.parametrize(("change", "fault"), BAD.values(), ids=BAD)
def test_bad_page_is_named(change: tuple[str, str], fault: str) -> None:
    """Each fault of a page fails the inspection by its name."""
    with pytest.raises(AssertionError, match=fault):
        inspect(response(GOOD.replace(*change)))


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ("default-src 'self'; frame-ancestors 'none'; base-uri 'none'", "default-src"),
        (POLICY.replace("frame-ancestors 'none'", ""), "frame-ancestors"),
        (POLICY + "; script-src 'unsafe-inline'", "allows 'unsafe-inline'"),
        (POLICY + "; img-src *", "allows \\*"),
        (POLICY + "; object-src 'self'", "object-src"),
    ],
)
def test_weak_policy_is_named(policy: str, fault: str) -> None:
    """A content security policy that allows too much fails the inspection."""
    with pytest.raises(AssertionError, match=fault):
        inspect(response(policy=policy))


def test_session_pages_are_not_cached() -> None:
    """With a session cookie in the request the page must say no-store and vary by cookie."""
    cookies = frozenset({"session"})
    with pytest.raises(AssertionError, match="with a session"):
        inspect(response(cookies=cookies))
    inspect(response(cookies=cookies), session_cookies=frozenset({"other"}))
    kept_out = (("Cache-Control", "no-store"), ("Vary", "Cookie"))
    inspect(response(cookies=cookies, more=kept_out))


def test_title_in_a_drawing_is_not_the_pages() -> None:
    """An SVG may carry a title; the page's own stays what it is."""
    drawing = '<svg role="img" viewBox="0 0 1 1"><title>Parts</title></svg>'
    drawn = response(GOOD.replace("<p>", f"{drawing}<p>"))
    inspect(drawn)
    assert drawn.page.title == "Home"


def test_random_text_is_no_token() -> None:
    """Random base64 that happens to hold the three letters is not taken for a token."""
    inspect(response(GOOD.replace("abc", "xeyJ0123456789abcdef")))
    inspect(response(GOOD.replace("abc", "eyJ" + "_" * 40)))

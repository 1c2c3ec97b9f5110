"""OU-05 to OU-09: whatever an API sends is shown as text on a page of ours, and never acts."""

import json
import re
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.doubles.browser import Browser
from tests.doubles.message import Answer
from tests.doubles.response import Response
from tests.rig import Rig, rigged
from webapp.api.client import CAP
from webapp.views.body import LONGEST_SHOWN

MIB = 1 << 20
HTML = b"<!doctype html><title>x</title><script>alert(document.cookie)</script><h1>Hello</h1>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'
HOSTILE = (
    *(b'"><img src=x onerror=alert(1)>', b"</code></pre></bdi><script>x</script>"),
    *(
        b"{{7*7}} {% raw %} ${7*7}",
        b"<!--",
        b"]]><![CDATA[",
        b"</title></textarea><iframe src=//e>",
    ),
)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One rig for the many small cases of this module."""
    with rigged(tmp_path_factory.mktemp("answers"), client_secret="s3cret") as made:
        yield made


@pytest.fixture
def rig(one: Rig) -> Iterator[Rig]:
    """The rig of the module, without the faults of the test before."""
    yield one
    one.cognito.heal()


@pytest.fixture(scope="module")
def somebody(one: Rig) -> Browser:
    """Somebody signed in."""
    return one.signed_in("admin")


def _page(rig: Rig, browser: Browser, body: bytes, headers: dict[str, str]) -> Response:
    """The page about this answer: ours in status, type and policy (the browser inspects it)."""
    rig.cognito.api["secure"].answer(200, body, headers)
    page = browser.call("secure", "user", json=False)
    assert page.status == 200
    assert page.header_values("Content-Type") == ["text/html; charset=utf-8"]
    assert page.header("X-Content-Type-Options") == "nosniff"
    assert page.header("Content-Disposition") is None
    return page


def _shown(page: Response) -> str:
    """The text of the body as the page shows it, laid out where it is JSON."""
    blocks = [
        pre
        for pre in page.page.elements("pre")
        if pre.attrib.get("aria-label") == "Body of the answer"
    ]
    assert len(blocks) == 1
    (code,) = blocks[0]
    return "".join(code.itertext())


def _cookies(answer: Response) -> set[str]:
    """The names of the cookies that an answer sets."""
    return {value.partition("=")[0] for value in answer.header_values("Set-Cookie")}


def _as_json(browser: Browser) -> dict[str, object]:
    answer = browser.call("secure", "user")
    assert answer.status == 200
    document = answer.json()
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(
    "kind",
    ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "x", "application/json"],
)
@pytest.mark.parametrize("body", [HTML, SVG, *HOSTILE])
def test_OU_05_markup(rig: Rig, somebody: Browser, body: bytes, kind: str) -> None:
    """Markup and scripts come out as the text that they are, whatever they are called."""
    page = _page(rig, somebody, body, {"Content-Type": kind})
    assert _shown(page) == body.decode()
    scripts = [element.get("src") or "" for element in page.page.elements("script")]
    assert all(source.startswith("/static/") for source in scripts)
    assert "49" not in _shown(page)
    document = _as_json(somebody)
    assert (document["body"], document["body_kind"]) == (body.decode(), "text")


@pytest.mark.parametrize(
    "body",
    [
        *(b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}', b'{"a": ' + b"9" * 5000 + b"}"),
        *(
            b'{"a": "\\ud800"}',
            b'{"\\udfff": 1}',
            b'{"a": "long enough not to be binary \xed\xa0\x80"}',
            b'{"a":',
            b"{}}",
        ),
        *(b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000),
        *(b"[" * 70 + b"]" * 70, b"[" * 900 + b"]" * 900, b"[" + b"{}," * 60_000 + b"{}]"),
    ],
    ids=[
        *("NaN", "Infinity", "1e999", "5000 digits", "lone surrogate", "in a name", "as bytes"),
        *("half", "too much", "open", "deep", "deep objects", "70 deep", "900 deep", "many"),
    ],
)
def test_OU_06_json_that_is_none(rig: Rig, somebody: Browser, body: bytes) -> None:
    """What looks like JSON and is not safe to read is shown raw, soon; nothing crashes."""
    began = time.thread_time()
    page = _page(rig, somebody, body, {"Content-Type": "application/json"})
    assert time.thread_time() - began < 2.0
    shown = _shown(page)
    raw = body.decode("utf-8", "replace")
    assert shown == raw or (len(raw) > LONGEST_SHOWN and shown.startswith(raw[:LONGEST_SHOWN]))
    document = _as_json(somebody)
    assert (document["body_kind"], document["body"]) == ("text", shown)


def test_OU_06_script_end_in_json(rig: Rig, somebody: Browser) -> None:
    """JSON that holds the end of a script is laid out as text and read as JSON."""
    body = json.dumps({"a": "</script><script>alert(1)</script>", "b": ["</pre>", "<!--"]}).encode()
    page = _page(rig, somebody, body, {"Content-Type": "application/json"})
    assert json.loads(_shown(page)) == json.loads(body)
    assert "<script>alert" not in page.text
    assert _as_json(somebody)["body"] == json.loads(body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (bytes(range(256)) * 8, "application/octet-stream"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x01\x02" * 99, "image/png"),
        (b"\x1f\x8b\x08\x00" + bytes(range(128, 256)) * 4, "application/json"),
        ('{"a": "b"}'.encode("utf-16"), "application/json"),
        ("<script>alert(1)</script>".encode("utf-16"), "text/html; charset=utf-16"),
        ("<script>alert(1)</script>".encode("utf-32"), "text/html; charset=utf-32"),
    ],
    ids=["all bytes", "png", "gzip inside", "utf-16 json", "utf-16 html", "utf-32"],
)
def test_OU_07_binary(rig: Rig, somebody: Browser, body: bytes, kind: str) -> None:
    """Bytes that are no text are counted, not shown; the page stays UTF-8."""
    page = _page(rig, somebody, body, {"Content-Type": kind})
    assert f"{len(body):,}" in page.page.text
    assert "binary" in page.page.text.casefold()
    assert "alert" not in page.text
    assert _as_json(somebody)["body_kind"] == "binary"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"caf\xe9 and so on and on", "caf\ufffd and so on and on"),
        (b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
        (b"a\x00b and so on, and so on", "a\ufffdb and so on, and so on"),
        (b"a\x1b[31mred\x1b[0m and \x07 bell", "a\ufffd[31mred\ufffd[0m and \ufffd bell"),
        ("\u0085\u009b\ufdd0 and so on, and so on".encode(), None),
        (b"a\x7fb and so on, and so on", None),
        ("\u202eevil\u2066 and \u200b so on".encode(), None),
    ],
    ids=["latin-1", "utf-7", "nul", "escapes", "c1", "delete", "bidi"],
)
@pytest.mark.parametrize("kind", ["text/plain; charset=utf-7", "text/html; charset=x-user-defined"])
def test_OU_07_odd_text(
    rig: Rig, somebody: Browser, body: bytes, shown: str | None, kind: str
) -> None:
    """Bytes that are no UTF-8 become marks; no other charset is believed; the page stays sound."""
    page = _page(rig, somebody, body, {"Content-Type": kind})
    assert "<script" not in page.text.partition("<main")[2]
    if shown is not None:
        assert _shown(page) == shown


@pytest.mark.parametrize("path", ["fifty", "endless", "numbers", "texts", "lines"])
@pytest.mark.parametrize("as_json", [True, False])
def test_OU_08_too_large(rig: Rig, somebody: Browser, path: str, as_json: bool) -> None:
    """A body without end is cut at the cap with a notice, for a few megabytes and no long wait."""
    kind = (("Content-Type", "application/json"),)
    pieces = {"endless": b"x", "numbers": b"1,2,", "texts": b'"ab",', "lines": b"\n"}

    def stream() -> Iterator[bytes]:
        yield b"["
        while True:
            yield pieces[path] * (65536 // len(pieces[path]))

    if path == "fifty":
        rig.cognito.api["secure"].answer(200, b"x" * (50 * MIB), kind)
    else:
        rig.cognito.api["secure"].mutate(lambda _: Answer(200, kind, stream=stream))
    form = {"csrf_token": somebody.csrf(), "endpoint": "secure", "identity": "user"}
    somebody.inspect_pages = False  # the inspection would count as ours
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        began = time.thread_time()
        answer = somebody.post("/api/call", form, json=as_json)
        took = time.thread_time() - began
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
        somebody.inspect_pages = True
    assert answer.status == 200
    if as_json:
        assert answer.json()["cut"] is True
    else:
        assert "cut" in answer.text
    assert len(answer.body) < CAP
    assert took < 2.0
    assert peak < 5 * MIB, f"{peak / MIB:.1f} MiB"


HEADERS = (
    ("Set-Cookie", "portico=stolen; Path=/"),
    ("Set-Cookie", "__Host-portico=stolen; Path=/; Secure"),
    ("Content-Security-Policy", "default-src *"),
    ("Clear-Site-Data", '"*"'),
    ("Location", "//evil.example/x"),
    ("Refresh", "0; url=//evil.example/"),
    ("Strict-Transport-Security", "max-age=0"),
    ("Access-Control-Allow-Origin", "*"),
    ("Link", "<//evil.example/x.js>; rel=preload; as=script"),
    ("WWW-Authenticate", 'Basic realm="give"'),
    ("X-Markup", "<script>alert(1)</script>"),
    ("X-Bytes", "caf\xe9 \x85 \x9b31m \x7f"),
    ("X-Empty", ""),
    ("X-Folded", "a\r\n b<b>"),
    ("X-Long", "v" * 8000),
    ("Apigw-Requestid", '"><script>alert(1)</script>'),
)


def test_OU_09_hostile_headers(rig: Rig, somebody: Browser) -> None:
    """No header of the API becomes one of ours; each is shown, escaped, as what it is."""
    plain = somebody.call("secure", "user", json=False)
    rig.cognito.api["secure"].answer(200, b"{}", HEADERS)
    for as_json in (False, True):
        answer = somebody.call("secure", "user", json=as_json)
        assert answer.status == 200
        # The one cookie of a page is ours: it remembers the call (tests/web/test_history.py).
        assert _cookies(answer) <= (set() if as_json else {"portico-signin"})
        for name, value in HEADERS:
            assert value not in answer.header_values(name) or not value
        if not as_json:
            ours = {name.lower() for name, _ in plain.headers}
            assert {name.lower() for name, _ in answer.headers} == ours
            for name in ("Content-Security-Policy", "Strict-Transport-Security", "Vary"):
                assert answer.header_values(name) == plain.header_values(name)
            assert "<script>alert" not in answer.text
            text = re.sub(r"\s", "", answer.page.text)
            for name, value in HEADERS[:11]:
                assert name in text
                assert re.sub(r"\s", "", value) in text
    assert somebody.me()["email"] == "admin@example.com"


def test_OU_09_line_breaks_within_headers(rig: Rig, somebody: Browser) -> None:
    """A header line that the API breaks in two is two of its headers and none of ours."""
    broken = (
        ("X-Split", "a\r\nSet-Cookie: portico=x\r\nX-Next: b"),
        ("X-Cr", "a\rSet-Cookie: b=c"),
    )
    rig.cognito.api["secure"].answer(200, b"{}", broken)
    for as_json in (False, True):
        answer = somebody.call("secure", "user", json=as_json)
        assert answer.status in (200, 502)
        assert _cookies(answer) <= (set() if as_json else {"portico-signin"})
        assert answer.header("X-Next") is None
    assert somebody.me()["email"] == "admin@example.com"


def test_OU_09_hostile_reason(rig: Rig, somebody: Browser) -> None:
    """The words beside the status are text as well."""
    answer = rig.cognito.api["secure"]
    answer.mutate(lambda true: true.having(status="200 <script>alert(1)</script>"))
    page = somebody.call("secure", "user", json=False)
    assert page.status in (200, 502)
    assert "<script>alert" not in page.text

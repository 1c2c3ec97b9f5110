"""AP-07 to AP-11: an API that redirects, refuses, breaks off, hangs or explodes."""

import gzip
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from tests.doubles.browser import Browser
from tests.doubles.endpoint import Endpoint
from tests.doubles.evil import EvilHost
from tests.doubles.message import Answer
from tests.doubles.response import Response
from tests.rig import Rig, rigged
from tests.security.outcomes import Watch
from webapp.api.catalogue import endpoint_named
from webapp.api.client import CAP
from webapp.deadlines import API_SECONDS
from webapp.errors import ApiTimedOut

MIB = 1 << 20
BODY = b'{"balance": 1000, "note": "this is only the first half of '


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One rig for the many small cases of this module."""
    with rigged(tmp_path_factory.mktemp("upstream"), client_secret="s3cret") as made:
        yield made


@pytest.fixture
def rig(one: Rig) -> Iterator[Rig]:
    """The rig of the module, without the faults of the test before."""
    yield one
    one.cognito.heal()
    # A sign of life, or the faults of several tests in a row would open the breaker.
    plain = endpoint_named("test-plain")
    assert one.services.api.call(plain, "nobody", plain.address({})).status == 200


@pytest.fixture(scope="module")
def somebody(one: Rig) -> Browser:
    """Somebody signed in."""
    return one.signed_in("admin")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("endpoint", "identity"),
    [
        *(("secure", "user"), ("protected", "bearer-access"), ("protected", "bearer-id")),
        *(("test-public", "guest"), ("test-plain", "nobody")),
    ],
)
def test_AP_07_redirect(
    rig: Rig, somebody: Browser, endpoint: str, identity: str, status: int
) -> None:
    """A redirect is shown and not followed: the other host sees nothing, not even a connection."""
    with EvilHost() as evil:
        target = f"{evil.origin}/steal?x=1"
        rig.cognito.api[endpoint].redirect(target, status)
        asked = rig.cognito.api[endpoint].count
        page = somebody.call(endpoint, identity, json=False)
        assert page.status == 200
        assert f"{status}" in page.page.heading
        assert target in page.page.text.replace(" ", "")
        assert target not in page.page.links
        assert page.header("Location") is None
        assert somebody.call(endpoint, identity).json()["status"] == status
        assert rig.cognito.api[endpoint].count == asked + 2
        evil.assert_untouched()


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 502, 503, 504])
def test_AP_08_upstream_status(rig: Rig, somebody: Browser, status: int) -> None:
    """Any status of the API is named on a page of ours; the session stays; nothing is retried."""
    rig.cognito.api["secure"].answer(status, {"message": "no"}, {"Retry-After": "17"})
    watch, asked = Watch(rig), rig.cognito.api["secure"].count
    page = somebody.call("secure", "user", json=False)
    assert page.status == 200
    assert str(status) in page.page.heading
    assert "Retry-After17" in page.page.text.replace(" ", "")
    assert rig.cognito.api["secure"].count == asked + 1
    answer = somebody.call("secure", "user").json()
    assert (answer["status"], answer["ok"], answer["body"]) == (status, False, {"message": "no"})
    assert watch.events("refused") == []
    assert somebody.me()["email"] == "admin@example.com"


def _no_whole_answer(rig: Rig, browser: Browser, *, at_most: int) -> Response:
    """502, with nothing of what came; the session stays."""
    asked = rig.cognito.api["secure"].count
    watch = Watch(rig)
    page = browser.call("secure", "user", json=False)
    assert page.status == 502, page
    assert "balance" not in page.text
    assert page.header_values("Set-Cookie") == []
    assert int(page.header("Retry-After") or 0) > 0
    (refusal,) = watch.events("refused")
    assert refusal["code"] == "api_unavailable"
    assert refusal["request_id"] in page.page.text
    answer = browser.call("secure", "user")
    assert answer.status == 502
    assert answer.json()["error"] == "api_unavailable"
    assert rig.cognito.api["secure"].count - asked <= 2 * at_most
    assert browser.me()["email"] == "admin@example.com"
    return page


@pytest.mark.parametrize(
    "break_it",
    [
        lambda api: api.reset(),
        lambda api: api.mutate(lambda _: Answer(body=BODY * 9, cut_after=len(BODY), reset=True)),
        lambda api: api.mutate(lambda _: Answer(body=BODY * 9, cut_after=len(BODY))),
        lambda api: api.answer(200, b"x\r\n" + BODY, {"Transfer-Encoding": "chunked"}),
        lambda api: api.answer(200, BODY, {"Content-Encoding": "gzip"}),
        lambda api: api.answer(200, BODY, {"Content-Encoding": "deflate"}),
        lambda api: api.answer(200, BODY, [(f"X-{n}", "x") for n in range(200)]),
        lambda api: api.answer(200, BODY, {"X-Long": "x" * 70_000}),
    ],
    ids=[
        *("reset", "reset in body", "truncated", "bad chunks", "no gzip", "no deflate"),
        *("200 headers", "long header"),
    ],
)
def test_AP_09_no_whole_answer(
    rig: Rig, somebody: Browser, break_it: Callable[[Endpoint], object]
) -> None:
    """An answer that breaks off, or is none, is 502: a part of it is never shown as success."""
    break_it(rig.cognito.api["secure"])
    _no_whole_answer(rig, somebody, at_most=2)


def test_AP_09_refused_and_back(rig: Rig, somebody: Browser) -> None:
    """A refused connection is 502, and the first call after the API is back works."""
    assert somebody.call("secure", "user").json()["status"] == 200
    rig.cognito.api.server.stop()
    try:
        _no_whole_answer(rig, somebody, at_most=0)
    finally:
        rig.cognito.api.server.start()
    assert somebody.call("secure", "user").json()["status"] == 200


@pytest.mark.slow
def test_AP_10_total_deadline(rig: Rig, somebody: Browser) -> None:
    """An API that hangs, or drips head or body, is given up at ten seconds in all, with a 504."""
    api = rig.cognito.api
    api["secure"].drip(1.0, head=True)
    api["test-plain"].drip(1.0)
    api["test-public"].hang()
    took: dict[str, float] = {}

    def call(name: str) -> None:
        endpoint, began = endpoint_named(name), time.monotonic()
        with pytest.raises(ApiTimedOut):
            rig.services.api.call(endpoint, "nobody", endpoint.address({}))
        took[name] = time.monotonic() - began

    threads = [
        threading.Thread(target=call, args=(name,)) for name in ("test-plain", "test-public")
    ]
    # Without a deadline this would last for minutes: then the server ends it, and the test fails.
    watchdog = threading.Timer(API_SECONDS + 3, api.server.stop)
    for thread in (watchdog, *threads):
        thread.start()
    began = time.monotonic()
    page = somebody.call("secure", "user", json=False)
    took["secure"] = time.monotonic() - began
    for thread in threads:
        thread.join()
    watchdog.cancel()
    assert page.status == 504
    assert int(page.header("Retry-After") or 0) > 0
    assert API_SECONDS == 10
    assert [name for name, seconds in took.items() if not 9.5 < seconds < 10.5] == [], took
    assert len(took) == 3
    assert somebody.me()["email"] == "admin@example.com"


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_AP_11_decompression_bomb(rig: Rig, somebody: Browser, layers: int) -> None:
    """A body that unpacks to gigabytes is cut at the decoded cap, or refused; the worker lives."""
    rig.cognito.api["secure"].gzip_bomb(10 << 30 if layers == 1 else 1 << 30, layers=layers)
    token = somebody.csrf()
    form = {"csrf_token": token, "endpoint": "secure", "identity": "user"}
    tracemalloc.start()
    began = time.thread_time()
    answer = somebody.post("/api/call", form, json=True)
    took, peak = time.thread_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 2.0
    assert peak < 8 * CAP
    assert len(answer.body) < 2 * MIB
    if answer.status == 200 and layers == 1:
        assert answer.json()["cut"] is True
    elif answer.status == 200:  # more than one layer is left packed
        assert answer.json()["body_kind"] == "binary" or answer.json()["cut"] is True
    else:
        assert answer.status == 502
    rig.cognito.heal()
    assert somebody.call("secure", "user").json()["status"] == 200


def test_AP_11_long_chain_of_encodings(rig: Rig, somebody: Browser) -> None:
    """A chain of a hundred encodings costs nothing: it is refused or shown as it came."""
    body = b"once"
    for _ in range(100):
        body = gzip.compress(body, 0)
    encoding = {"Content-Encoding": ", ".join(["gzip"] * 100)}
    rig.cognito.api["secure"].answer(200, body, encoding)
    began = time.thread_time()
    answer = somebody.call("secure", "user")
    assert time.thread_time() - began < 1.0
    assert answer.status in (200, 502)
    assert answer.json().get("body") != "once"


def test_AP_11_nothing_packed_is_asked_for(rig: Rig, somebody: Browser) -> None:
    """A call says that it takes plain bodies only."""
    somebody.call("secure", "user")
    assert rig.cognito.api["secure"].last.header("Accept-Encoding") == "identity"

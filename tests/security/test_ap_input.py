"""AP-01 to AP-05: what a browser says never becomes an address, a header or a method."""

from collections.abc import Iterator

import pytest

from tests.doubles.api import Route
from tests.doubles.browser import Browser
from tests.doubles.evil import EvilHost
from tests.doubles.response import Response
from tests.rig import Rig, rigged
from tests.security.outcomes import Watch
from webapp.api.catalogue import Endpoint, Parameter
from webapp.api.identities import LABELS
from webapp.errors import BadInput

DOCUMENT = Endpoint(
    name="documents",
    method="GET",
    path="/documents/{id}",
    authorization="NONE",
    summary="A document.",
    parameters=(Parameter("id", r"(?s).*"), Parameter("view", r"(?s).*", where="query")),
)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One rig for the many small cases of this module, with a route that takes a parameter."""
    with rigged(tmp_path_factory.mktemp("input"), client_secret="s3cret") as made:
        made.cognito.api.add(Route("documents", "/documents/{id}", authorization="NONE"))
        yield made


@pytest.fixture
def rig(one: Rig) -> Iterator[Rig]:
    """The rig of the module, without the faults of the test before."""
    yield one
    one.cognito.heal()


@pytest.fixture(scope="module")
def somebody(one: Rig) -> Browser:
    """Somebody signed in, who has called the API before."""
    browser = one.signed_in("admin")
    assert browser.call("secure", "user").json()["status"] == 200
    return browser


def _refused(rig: Rig, browser: Browser, form: dict[str, str], status: int = 400) -> Response:
    """The call is refused as a page and as JSON, and nothing leaves for API or identity pool."""
    calls, pool = len(rig.cognito.api.calls), len(rig.cognito.vault.issued)
    whole = {"csrf_token": browser.csrf()} | form
    assert browser.post("/api/call", whole, json=True).status == status
    watch = Watch(rig)
    response = browser.post("/api/call", whole)
    assert response.status == status
    watch.denied(response, hidden=[value for value in form.values() if len(value) > 12])
    assert len(rig.cognito.api.calls) == calls
    assert len(rig.cognito.vault.issued) == pool
    return response


@pytest.mark.parametrize(
    "name",
    [
        *("{evil}", "{evil}/test/plain", "//{host}", "http://169.254.169.254/latest/meta-data/"),
        *("file:///etc/passwd", "gopher://{host}/", "/test/plain", "test/plain", "test-plain/"),
        *("../test-plain", "test-plain?x=1", "test-plain#x", "test-plain@{host}", "TEST-PLAIN"),
        *(
            "test-plain\r\nHost: {host}",
            "test-plain\x00",
            " test-plain",
            "",
            "x" * 65,
            "Ⓣest-plain",
        ),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("identity", ["nobody", "user"])
def test_AP_01_endpoint_not_in_the_list(
    rig: Rig, somebody: Browser, identity: str, name: str
) -> None:
    """A call names an endpoint of the list; an address or anything else is 400 and goes nowhere."""
    with EvilHost() as evil:
        named = name.format(evil=evil.origin, host=evil.origin.removeprefix("http://"))
        _refused(rig, somebody, {"endpoint": named, "identity": identity})
        evil.assert_untouched()


@pytest.mark.parametrize(
    "identity", ["", "admin", "root", "user\r\n", "USER", "guest,user", "x" * 99]
)
def test_AP_01_identity_not_in_the_list(rig: Rig, somebody: Browser, identity: str) -> None:
    """A call names one of the five identities; anything else is 400 and goes nowhere."""
    _refused(rig, somebody, {"endpoint": "secure", "identity": identity})


def test_AP_01_named_twice(rig: Rig, somebody: Browser) -> None:
    """A form that names endpoint or identity twice, or not at all, is refused."""
    token = somebody.csrf()
    calls = len(rig.cognito.api.calls)
    whole = [("csrf_token", token), ("endpoint", "test-plain"), ("identity", "nobody")]
    for form in (
        [*whole, ("endpoint", "vip")],
        [*whole, ("identity", "user")],
        [*whole, ("endpoint", "test-plain")],
        whole[:2],
        [whole[0], whole[2]],
    ):
        assert somebody.post("/api/call", form).status == 400
    assert len(rig.cognito.api.calls) == calls


def test_AP_01_address_in_another_field(rig: Rig, somebody: Browser) -> None:
    """No further field of the form or of the query changes where a call goes."""
    with EvilHost() as evil:
        fields = ("url", "base", "host", "path", "address", "API_ENDPOINT", "scheme", "redirect")
        form = dict.fromkeys(fields, evil.origin) | {"endpoint": "secure", "identity": "user"}
        form["csrf_token"] = somebody.csrf()
        answer = somebody.post(
            f"/api/call?endpoint={evil.origin}&url={evil.origin}", form, json=True
        )
        assert answer.json()["status"] == 200
        assert rig.cognito.api.calls[-1].request.target == f"{rig.cognito.api.base_path}/secure"
        evil.assert_untouched()


@pytest.mark.parametrize(
    "value",
    [
        *("..", "%2e%2e%2f", "..;/", "%252e", "a/b", "\\", "", ".", "%2e", "..%2f..%2fvip", "a\\b"),
        *("../vip", "/vip", "//evil", "a%00", "a;b=c", "..\\..\\vip", "\u2024\u2024/vip"),
    ],
    ids=ascii,
)
def test_AP_02_traversal_in_a_path_parameter(value: str) -> None:
    """A path parameter that is more or less than one plain segment makes no address at all."""
    with pytest.raises(BadInput):
        DOCUMENT.address({"id": value})


def test_AP_02_plain_segments_arrive(rig: Rig) -> None:
    """What is let through arrives as the one segment that it was."""
    for value, raw in (
        ("a-b_c.d~e", "a-b_c.d~e"),
        ("...", "..."),
        ("a b", "a%20b"),
        ("ä", "%C3%A4"),
    ):
        answer = rig.services.api.call(DOCUMENT, "nobody", DOCUMENT.address({"id": value}))
        assert answer.status == 200
        assert (
            rig.cognito.api["documents"].last.path == f"{rig.cognito.api.base_path}/documents/{raw}"
        )


@pytest.mark.parametrize(
    "value",
    [
        *("a&admin=1", "a#b", "a%26b", ";", "a=b&view=c", "?", "+", "a b", "..", "a/../b", "\\"),
        *("%00", "&", "é", "a;b", "{id}", "@evil", "'\"<>", "//evil.example"),
    ],
    ids=ascii,
)
def test_AP_03_one_value_arrives(rig: Rig, value: str) -> None:
    """A query value cannot end itself: the API gets one parameter, with exactly this value."""
    rig.services.api.call(DOCUMENT, "nobody", DOCUMENT.address({"id": "7", "view": value}))
    request = rig.cognito.api["documents"].last
    assert request.path == f"{rig.cognito.api.base_path}/documents/7"
    assert request.query_fields() == {"view": value}


def test_AP_03_through_the_console(rig: Rig, somebody: Browser) -> None:
    """The same holds from a browser's form to the API, signed or not."""
    for value in ("a&admin=1", "a#b", "a%26b", ";", "x+y z"):
        answer = somebody.call("test-plain", "user", note=value).json()
        assert answer["status"] == 200
        call = rig.cognito.api.calls[-1]
        assert call.request.query_fields() == {"note": value}
        assert call.verdict is not None
        assert call.verdict.fault is None


@pytest.mark.parametrize(
    "text", ["\r\nX-Evil: 1", "\n", "\r", "a\r\n\r\nGET /vip HTTP/1.1", "\x00"]
)
def test_AP_04_line_breaks_in_any_value(rig: Rig, somebody: Browser, text: str) -> None:
    """A line break in any field that a call reads is 400, and no header comes of it."""
    whole = {"endpoint": "test-plain", "identity": "user", "note": "x"}
    for name in whole:
        _refused(rig, somebody, whole | {name: whole[name] + text})
    with pytest.raises(BadInput):
        DOCUMENT.address({"id": "7" + text})
    with pytest.raises(BadInput):
        DOCUMENT.address({"id": "7", "view": text})


def test_AP_04_line_breaks_from_the_identity_pool(rig: Rig) -> None:
    """Not even the identity pool can put a header into a call: such credentials go nowhere."""

    def poison(body: dict[str, dict[str, str]]) -> None:
        body["Credentials"]["SessionToken"] += "\r\nX-Evil: 1"

    rig.cognito.pool.get_credentials.alter(poison)
    browser = rig.signed_in("viewer")
    calls = len(rig.cognito.api.calls)
    answer = browser.call("secure", "user")
    assert answer.status in (502, 503), answer.text
    assert len(rig.cognito.api.calls) == calls
    assert browser.me()["email"] == "viewer@example.com"


@pytest.mark.parametrize("method", ["DELETE", "POST", "PUT", "HEAD", "delete", "GET\r\n", "x"])
def test_AP_05_method_outside_the_list(rig: Rig, somebody: Browser, method: str) -> None:
    """A call by a method that the endpoint does not list is 405 and is not sent."""
    for name in ("secure", "test-plain"):
        form = {"endpoint": name, "identity": "user", "method": method}
        _refused(rig, somebody, form, 405)


def test_AP_05_own_method(rig: Rig, somebody: Browser) -> None:
    """Naming the endpoint's own method changes nothing; /api/call itself takes a post alone."""
    assert somebody.call("secure", "user", method="GET").json()["status"] == 200
    calls = len(rig.cognito.api.calls)
    form = {"csrf_token": somebody.csrf(), "endpoint": "secure", "identity": "user"}
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        assert (
            somebody.request(method, "/api/call", headers={"X-Csrf": form["csrf_token"]}).status
            == 405
        )
    assert len(rig.cognito.api.calls) == calls
    assert set(LABELS) == {"nobody", "guest", "user", "bearer-access", "bearer-id"}

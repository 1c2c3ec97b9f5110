"""Each address of the first walk as a person sees it: what stands there, and what is offered."""

import struct

import pytest

from tests.doubles.browser import Browser
from tests.doubles.users import AUTHENTICATED_ROLE, TEAM_A_ROLE, TEAM_B_ROLE
from tests.rig import Rig

ENDPOINTS = (
    *("test-plain", "test-public", "test-auth", "secure", "vip", "protected", "whoami"),
    *("documents", "document-read", "document-write", "document-delete"),
)
PRIVATE = ("/session", "/credentials")


@pytest.fixture
def admin(rig: Rig) -> Browser:
    """A browser in which the admin is signed in."""
    return rig.signed_in("admin")


def test_home_signed_out(rig: Rig) -> None:
    """Home offers one way to sign in, and a try as a guest, to somebody unknown."""
    response = rig.browser().get("/")
    assert response.status == 200
    assert any("/login" in link for link in response.page.links)
    assert any(form.fields.get("identity") == "guest" for form in response.page.forms) or any(
        link.endswith("/api") for link in response.page.links
    )
    assert response.header_values("Set-Cookie") == []


def test_home_signed_in(admin: Browser) -> None:
    """Home says who is signed in, the groups, and what runs out when."""
    response = admin.get("/")
    assert response.status == 200
    for text in ("admin@example.com", "Admin", "Tokens", "Session"):
        assert text in response.page.text
    assert "Sign in" not in response.page.text


def test_home_offers_four_ways_out(admin: Browser) -> None:
    """Every depth of sign-out is a button, so that nobody needs a script for it."""
    markup = admin.get("/").text
    for depth in ("app", "cognito", "everywhere", "switch"):
        assert f'value="{depth}"' in markup


@pytest.mark.parametrize("notice", ["revoke", "everywhere", "cognito", "revoke,cognito"])
def test_home_says_what_a_sign_out_left(rig: Rig, notice: str) -> None:
    """Home names what a sign-out could not reach."""
    assert "Cognito" in rig.browser().get("/", {"notice": notice}).page.text


@pytest.mark.parametrize("notice", ["<script>alert(1)</script>", "x" * 300, "", "constructor"])
def test_home_repeats_no_address(rig: Rig, notice: str) -> None:
    """A notice is one of ours or none: an address puts no words into the page."""
    plain = rig.browser().get("/").page.text
    assert rig.browser().get("/", {"notice": notice}).page.text == plain


@pytest.mark.parametrize("page", PRIVATE)
def test_private_pages_want_somebody(rig: Rig, page: str) -> None:
    """A private page leads a stranger to the sign-in and then back, with its query."""
    browser = rig.browser()
    response = browser.get(f"{page}?x=1%262")
    assert (response.status, response.body) == (303, b"")
    assert response.location == f"{rig.base_url}/login?next={page}%3Fx%3D1%25262"
    callback = rig.cognito.issuer.approve(
        browser.follow(response).location, rig.cognito.user("viewer")
    )
    landed = browser.follow(browser.finish(callback))
    assert (landed.status, landed.url) == (200, f"{rig.base_url}{page}?x=1%262")


def test_session_page(admin: Browser) -> None:
    """The claims of both tokens stand side by side with their meaning and what was checked."""
    text = admin.get("/session").page.text
    for part in ("iss", "sub", "aud", "client_id", "token_use", "exp", "cognito:groups"):
        assert part in text
    for part in ("admin@example.com", "Admin", "RS256", "passed", "Issuer: the user pool"):
        assert part in text


def test_refresh_now(rig: Rig, admin: Browser) -> None:
    """The button renews the tokens once and leads back to the page."""
    form = admin.get("/session").page.form("/session/refresh")
    response = admin.post("/session/refresh", form.fields)
    assert (response.status, response.location) == (303, f"{rig.base_url}/session")
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1
    assert admin.follow(response).status == 200


def test_ask_userinfo(rig: Rig, admin: Browser) -> None:
    """userInfo is asked by a button, and its claims then stand beside the tokens'."""
    page = admin.get("/session").page
    assert rig.cognito.issuer.user_info.count == 0
    rig.cognito.user("admin").claims["locale"] = "eo"
    response = admin.post("/session/userinfo", page.form("/session/userinfo").fields)
    assert response.status == 303
    text = admin.get("/session").page.text
    assert "locale" in text
    assert "eo" in text
    assert rig.cognito.issuer.user_info.count == 1


def test_credentials_page(rig: Rig, admin: Browser) -> None:
    """The page tells identity, role, why this role, and when the keys end; no key is shown."""
    response = admin.get("/credentials")
    assert response.status == 200
    keys = rig.cognito.vault.issued[-1]
    for text in (keys.identity_id, "portico-admin", "preferred role"):
        assert text in response.page.text
    assert keys.access_key not in response.text
    assert keys.secret_key not in response.text
    assert keys.session_token not in response.text


def test_credentials_page_while_the_pool_is_down(rig: Rig, admin: Browser) -> None:
    """Without the identity pool the page still stands and says what is the matter."""
    rig.cognito.pool.get_id.answer(500)
    response = admin.get("/credentials")
    assert response.status == 200
    assert "identity pool" in response.page.text
    rig.cognito.heal()
    assert "portico-admin" in admin.get("/credentials").page.text


def test_role_switcher(rig: Rig) -> None:
    """Somebody with two roles takes one, sees it taken, and gives it back to the pool."""
    browser = rig.signed_in("both")
    page = browser.get("/credentials").page
    assert "portico-authenticated" in page.text or "default" in page.text
    form = next(form for form in page.forms if form.action.endswith("/credentials/role"))
    assert form.method == "post"
    for role in (TEAM_A_ROLE, TEAM_B_ROLE):
        assert role in page.markup
        sent = {"csrf_token": form.fields["csrf_token"], "role": role}
        response = browser.post("/credentials/role", sent)
        assert (response.status, response.location) == (303, f"{rig.base_url}/credentials")
        assert "You chose it" in browser.follow(response).page.text
        called = browser.call("whoami", "user").json()
        assert called["body"]["caller"]["role"] == called["role"] == role
    sent = {"csrf_token": form.fields["csrf_token"], "role": ""}
    assert browser.post("/credentials/role", sent).status == 303
    assert browser.call("whoami", "user").json()["body"]["caller"]["role"] == AUTHENTICATED_ROLE


def test_role_switcher_refuses(rig: Rig, admin: Browser) -> None:
    """A role of somebody else, a missing proof and a stranger are each turned away."""
    sent = {"csrf_token": admin.csrf(), "role": TEAM_A_ROLE}
    assert admin.post("/credentials/role", sent).status == 403
    assert admin.post("/credentials/role", {"role": ""}).status == 403
    assert rig.browser().post("/credentials/role", sent).status == 303
    assert rig.cognito.pool.get_credentials.count == 0


@pytest.mark.parametrize("signed_in", [False, True])
def test_console(rig: Rig, signed_in: bool) -> None:
    """The console lists every endpoint with a form; a stranger may call as nobody and as guest."""
    browser = rig.signed_in("viewer") if signed_in else rig.browser()
    response = browser.get("/api")
    forms = [form for form in response.page.forms if form.action.endswith("/api/call")]
    assert sorted(form.fields["endpoint"] for form in forms) == sorted(ENDPOINTS)
    buttons = [one for one in response.page.elements("button") if one.get("name") == "identity"]
    closed = {one.get("value") for one in buttons if one.get("disabled") is not None}
    assert closed == (set() if signed_in else {"user", "bearer-access", "bearer-id"})
    assert response.header_values("Set-Cookie") == []


ANSWERS = (
    ("test-plain", "nobody", 200),
    ("test-public", "guest", 200),
    ("test-auth", "guest", 403),
    ("vip", "user", 200),
    ("protected", "bearer-access", 200),
    ("protected", "bearer-id", 403),
)


def test_answer_page(admin: Browser) -> None:
    """The answer's page is 200 and shows the API's status, headers, body, and why it was so."""
    for endpoint, identity, status in ANSWERS:
        response = admin.call(endpoint, identity, json=False)
        assert response.status == 200
        assert str(status) in response.page.heading
        for text in ("Apigw-Requestid", "Who asked", "What decided", "as expected"):
            assert text in response.page.text, (endpoint, identity, text)


def test_answer_page_as_a_stranger(rig: Rig) -> None:
    """Without a sign-in the first calls of the walk work from the forms alone."""
    browser = rig.browser()
    form = browser.get("/api").page.form("/api/call", endpoint="test-plain")
    response = browser.post("/api/call", form.fields | {"identity": "nobody"})
    assert (response.status, browser.cookies.names) == (200, [])
    response = browser.post("/api/call", form.fields | {"identity": "user"})
    assert response.status == 401
    assert "/login" in response.text


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
def test_probes(rig: Rig, probe: str) -> None:
    """Both probes answer under any host, with JSON that nobody keeps."""
    response = rig.browser().get(probe, headers={"Host": "10.0.0.7"})
    assert response.status == 200
    assert "no-store" in (response.header("Cache-Control") or "")
    assert response.json()["status"] in ("ok", "ready")


def test_static_files(rig: Rig) -> None:
    """A page's own files come under names with their hash and may be kept for a year."""
    browser = rig.browser()
    page = browser.get("/").page
    files = [one.get("href") or one.get("src") or "" for one in page.elements("link", "script")]
    assert len(files) >= 2
    for file in files:
        response = browser.get(file)
        assert response.status == 200
        assert "immutable" in (response.header("Cache-Control") or "")
    assert browser.get("/static/style.css").status == 404
    assert browser.get("/static/../wsgi.py").status == 404


def test_a_form_from_before_the_sign_out_is_out_of_date(rig: Rig) -> None:
    """It says that nothing was sent, and its button leads to the page where the form stands."""
    browser = rig.signed_in("viewer")
    form = {"csrf_token": browser.csrf(), "endpoint": "test-plain", "identity": "nobody"}
    browser.sign_out()
    response = browser.post("/api/call", form)
    assert response.status == 403
    assert response.page.heading == "This page is out of date"
    assert "Nothing was sent" in response.page.text
    assert any(link.endswith("/api") for link in response.page.links)
    assert "Load it again" in response.page.text


def test_a_link_to_a_public_page_has_a_card(rig: Rig) -> None:
    """Others show our own picture, by an absolute address of ours; nothing of it when signed in."""
    page = rig.browser().get("/api").page
    told = {one.get("property"): one.get("content") or "" for one in page.elements("meta")}
    assert told["og:url"] == f"{rig.base_url}/api"
    assert told["og:title"].endswith("Portico")
    picture = rig.browser().get(told["og:image"].removeprefix(rig.base_url))
    assert (picture.status, picture.header("Content-Type")) == (200, "image/png")
    width, height = struct.unpack(">II", picture.body[16:24])
    assert (width, height, len(picture.body) < 60_000) == (1200, 630, True)
    assert "og:image" not in rig.signed_in("viewer").get("/").text
    assert "og:" not in rig.browser().get("/nowhere").text

"""OU: what other people chose is shown as text, and what went wrong is not shown at all."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest

from tests.doubles import Browser, Response, User, person
from tests.doubles.response import local_name
from tests.rig import Rig
from tests.security.rows import living

MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></bdi></dd><script src=//evil.example/x.js></script>",
    "' onmouseover='alert(1)",
    "</title></style></textarea><svg onload=alert(1)>",
    "<!--<a href=javascript:alert(1)>",
    "&lt;b&gt;&#x3c;script&#x3e;",
    "--><iframe srcdoc='<script>alert(1)</script>'>",
)
TEMPLATE = ("{{7*7}}", "${7*7}", "{% for x in range(9) %}A{% endfor %}", "#{7*7}", "<%= 7*7 %>")
PAGES = ("/", "/session", "/credentials", "/api", "/how-it-works", "/sign-in-options", "/nowhere")


def _decorated(rig: Rig, text: str) -> User:
    """Somebody whose every value is this text, in the pool, put there by somebody else."""
    group = text[:100]
    user = person(f"{text[:60]}@example.com", (group, f"arn:aws:iam::000000000000:role/{group}"))
    user.claims = {
        "name": text,
        "cognito:groups": [group],
        "cognito:username": text,
        "custom:note": text,
        "custom:list": [text, {text: text}],
        text[:80]: text,
    }
    user.access_claims = {"custom:note": text}
    rig.cognito.issuer.add(user)
    return user


def _pages(rig: Rig, user: User) -> Iterator[Response]:
    """Every page that shows something of this person; each is inspected as it comes."""
    browser = rig.browser()
    browser.sign_in(user)
    browser.post("/session/userinfo", {"csrf_token": browser.csrf()})
    for path in PAGES:
        yield browser.get(path)
    yield browser.call("test-plain", "user", json=False)
    yield browser.call("vip", "user", json=False)


def _harmless(answer: Response) -> None:
    for element in answer.page.elements():
        name = local_name(element)
        assert name not in ("iframe", "object", "embed", "base", "style"), str(answer)
        assert name != "script" or _ours(element), str(answer)
        for attribute, value in element.attrib.items():
            assert not attribute.lower().startswith("on"), str(answer)
            # The value of a choice goes nowhere but back to us, as text.
            if attribute != "value":
                assert "javascript:" not in value.lower().replace("\t", ""), str(answer)


def _ours(script: Element) -> bool:
    return (script.get("src") or "").startswith("/static/")


def test_OU_01_markup(rig: Rig) -> None:
    """Markup in name, address, groups, roles and claims is text on every page."""
    for text in MARKUP:
        shown = 0
        for answer in _pages(rig, _decorated(rig, text)):
            _harmless(answer)
            shown += " ".join(text.split())[:30] in answer.page.text
            assert text not in answer.text or "<" not in text
        assert shown >= 3, text


def test_OU_02_template_syntax(rig: Rig) -> None:
    """Template syntax in a value is not worked out."""
    for text in TEMPLATE:
        shown = 0
        for answer in _pages(rig, _decorated(rig, text)):
            assert "49@example" not in answer.text
            assert ">49<" not in answer.text
            assert "AAAAAAAAA" not in answer.text
            shown += text in answer.page.text
        assert shown >= 3, text


ODD = {
    "bidi": "admin\u202egnp.exe\u2066\u2067",
    "zero width": "a\u200bd\u200cm\u200di\ufeffn",
    "10 KiB": "long" * 2560,
    "1,000 lines": "line\n" * 1000,
    "combining": "e" + "\u0301" * 1200,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_OU_03_text_out_of_shape(rig: Rig, text: str) -> None:
    """Directions are isolated, and what is too long is cut with a mark."""
    user = rig.cognito.user("admin")
    user.claims = {"name": text, "cognito:groups": [text[:200]]}
    for answer in _pages(rig, user):
        assert len(answer.body) < 200_000
        parents = {child: parent for parent in answer.page.root.iter() for child in parent}
        for element in answer.page.elements():
            if local_name(element) == "title":
                assert "\u202e" not in (element.text or "")
            for part in (element.text, *(child.tail for child in element)):
                if part and ("\u202e" in part or "\u2066" in part):
                    assert _isolated(element, parents), f"{answer}: {local_name(element)}"
                if part and "long" * 20 in part:
                    assert len(part) <= 4_000, str(answer)
        if "/session" in answer.url and len(text) > 1000:
            assert "(cut)" in answer.text


CONTROLS = "a\x00\x1b[31m\x9b\x0b\x7f\ufffex"


def test_OU_03_controls(rig: Rig) -> None:
    """What HTML does not allow in text has a mark in its place; every page is inspected for it."""
    user = _decorated(rig, CONTROLS)
    for answer in _pages(rig, user):
        assert not {*CONTROLS} - {*"a[31mx"} & {*answer.text}, str(answer)
        if "/session" in answer.url:
            assert "a\ufffd\ufffd[31m\ufffd" in answer.text


def _isolated(element: Element, parents: dict[Element, Element]) -> bool:
    up: Element | None = element
    while up is not None:
        if local_name(up) in ("bdi", "option"):
            return True
        up = parents.get(up)
    return False


def test_OU_04_addresses_in_claims(rig: Rig) -> None:
    """`picture`, `website` and their like never become a link, an image or a style."""
    tracker = "https://tracker.example/pixel.gif"
    user = rig.cognito.user("admin")
    user.claims = {
        "picture": tracker,
        "website": "javascript:alert(1)",
        "profile": tracker,
        "zoneinfo": "data:text/html,<script>alert(1)</script>",
        "name": tracker,
        "custom:style": f"background:url({tracker})",
    }
    seen = 0
    for answer in _pages(rig, user):
        _harmless(answer)
        seen += "tracker.example" in answer.text
        for element in answer.page.elements():
            for attribute, value in element.attrib.items():
                assert "tracker.example" not in value, f"{answer}: {attribute}"
                assert not value.lower().startswith(("javascript:", "data:")), str(answer)
    assert seen >= 2


REFLECT = "canary7f3a<svg/onload=alert(1)>"


def test_OU_10_errors_of_the_provider(rig: Rig) -> None:
    """What the callback says of an error is mapped to our own words, never repeated."""
    browser = rig.browser()
    for error in (REFLECT, "access_denied", "server_error", "x" * 2000, "{{7*7}}", ""):
        for described in (REFLECT, "Call 555-0100 to unlock your account"):
            start = browser.start("/session")
            refused = browser.finish(rig.cognito.issuer.decline(start, error, described))
            assert refused.status in (400, 502)
            for sign in ("canary7f3a", "svg/onload", "555-0100", "x" * 100, "{{", "unlock"):
                assert sign not in refused.text
            assert (
                browser.get("/callback", {"error": error, "error_description": described}).status
                == 400
            )
            assert "canary7f3a" not in browser.responses[-1].text
    assert rig.cognito.issuer.token.count == 0
    assert "555-0100" not in rig.log


def test_OU_11_nothing_of_the_request(rig: Rig) -> None:
    """Path, query names, method, form fields and headers are not repeated in an error."""
    for browser in (rig.browser(), rig.signed_in()):
        token = browser.csrf()
        answers = []
        for accept in ("text/html", "application/json"):
            headers = {
                "Accept": accept,
                "X-Note": REFLECT,
                "User-Agent": REFLECT,
                "Referer": REFLECT,
            }
            answers += [
                browser.get("/canary7f3a%3Csvg%20onload=alert(1)%3E", headers=headers),
                browser.get(f"/?{REFLECT}={REFLECT}&notice={REFLECT}", headers=headers),
                browser.get("/static/canary7f3a%3Csvg%3E", headers=headers),
                browser.get("/callback", {REFLECT: REFLECT, "code": REFLECT}, headers=headers),
                browser.request("CANARY7F3A", "/", headers=headers),
                browser.get("/logout?canary7f3a", headers=headers),
                browser.get("/", headers=headers | {"Host": "canary7f3a.example"}),
                browser.post("/logout", {"csrf_token": token, "depth": REFLECT}, headers=headers),
                browser.post(
                    "/api/call",
                    {"csrf_token": token, "endpoint": REFLECT[:60], "identity": "x"},
                    headers=headers,
                ),
                browser.post("/canary7f3a", {REFLECT: REFLECT}, headers=headers),
            ]
        for answer in answers:
            assert b"canary7f3a" not in answer.body.lower(), str(answer)
            assert not [v for _, v in answer.headers if "canary7f3a" in v.lower()], str(answer)
        assert {400, 404, 405} <= {answer.status for answer in answers}


def test_OU_15_people_are_issuer_and_subject(rig: Rig) -> None:
    """People whose addresses look alike have sessions, identities and roles of their own."""
    alike = (
        "admin@example.com", "Admin@Example.com", "\u0430dmin@example.com", "admin@example.com ",
        "admin@example.com@evil.example", "admin+x@example.com", "ADMIN@EXAMPLE.COM",
    )  # fmt: skip
    admin = rig.signed_in("admin")
    assert admin.call("vip", "user").json()["status"] == 200
    others: list[tuple[Browser, User]] = []
    for address in alike:
        user = person(address, username="admin")
        user.sub = f"sub-{len(others)}"
        rig.cognito.issuer.add(user)
        browser = rig.browser()
        browser.sign_in(user)
        others.append((browser, user))
        assert browser.me()["sub"] == user.sub
        assert browser.me()["groups"] == []
        assert browser.call("vip", "user").json()["status"] == 403
    identities = {keys.identity_id for keys in rig.cognito.vault.issued}
    assert len(identities) == len(alike) + 1
    last, _ = others.pop()
    last.sign_out("everywhere")
    assert admin.me()["signed_in"] is True
    assert all(browser.me()["signed_in"] for browser, _ in others)
    assert living(rig.store_path, rig.clock()) == len(alike)


def test_OU_16_no_token_on_any_page(rig: Rig) -> None:
    """Pages and JSON show claims: no token, no part of one, no key, no verifier, no ticket."""
    browser = rig.signed_in("both", next="/session")
    form = {"csrf_token": browser.csrf()}
    browser.post("/session/userinfo", form)
    browser.post("/session/refresh", form)
    for path in (*PAGES, "/me"):
        browser.get(path)
    for identity in ("user", "guest", "bearer-access", "bearer-id", "nobody"):
        for endpoint in ("whoami", "secure", "protected", "test-plain"):
            browser.call(endpoint, identity, json=False)
            browser.call(endpoint, identity, json=True)
    issuer = rig.cognito.issuer
    parts: set[str] = set()
    for token in (*issuer.mint.id_token.minted, *issuer.mint.access_token.minted):
        parts |= {token, *token.split(".")}
    for refresh in issuer.pool.refresh_tokens:
        parts |= {refresh, *refresh.split(".")}
    for keys in rig.cognito.vault.issued:
        parts |= {keys.secret_key, keys.session_token}
    for grant in issuer.grants():
        parts |= {grant[name] for name in ("code", "code_verifier") if name in grant}
    assert len(parts) > 20
    for answer in browser.responses:
        assert not [part for part in parts if part in answer.text], str(answer)
        assert browser.cookies["portico"] not in answer.text
        assert "eyJ" not in answer.text, str(answer)

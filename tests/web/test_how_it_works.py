"""GET /how-it-works: one's own way, step by step, or an example's; values, never secrets."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.doubles.browser import Browser
from tests.rig import Rig
from webapp.views.steps import LANES

JSON = {"Accept": "application/json"}
WHOLE_WAY = [
    *("login", "authorize", "managed-login", "callback", "token", "keys", "checks", "session"),
    *("get-id", "get-credentials", "refresh", "call", "sign-out"),
]


def _way(browser: Browser) -> dict[str, Any]:
    answer = browser.get("/how-it-works", headers=JSON)
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def _named(steps: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in steps}


def _values(step: dict[str, Any]) -> dict[str, str | None]:
    return {fact["name"]: fact["value"] for fact in step["facts"]}


def test_strangers_see_an_example(rig: Rig) -> None:
    """Somebody unknown sees the whole way, marked as an example, and asks the store nothing."""
    browser = rig.browser()
    page = browser.get("/how-it-works")
    assert page.status == 200
    assert "An example: no values of yours" in page.page.text
    assert page.header_values("Set-Cookie") == []
    way = _way(browser)
    assert way["example"] is True
    assert [one["name"] for one in way["steps"]] == WHOLE_WAY
    assert {one["verdict"] for one in way["checks"]} == {"passed", "not applicable"}
    shown = page.text
    for own in (rig.settings.cognito_client_id, rig.settings.issuer):
        assert own not in shown
    assert "EXAMPLE" in _values(_named(way["steps"])["authorize"])["client_id"]  # type: ignore[operator]


def test_ones_own_way(rig: Rig) -> None:
    """A person sees the values of the session that they are in, and the times that it took."""
    browser = rig.signed_in("admin")
    way = _way(browser)
    assert way["example"] is False
    assert [one["name"] for one in way["steps"]] == WHOLE_WAY
    steps = _named(way["steps"])
    assert {name for name, one in steps.items() if one["state"] == "done"} == set(WHOLE_WAY[:8])
    assert {steps[name]["state"] for name in ("get-id", "get-credentials", "refresh")} == {
        "not_yet"
    }
    assert steps["call"]["state"] == "unnoted"
    assert steps["sign-out"]["state"] == "to_come"
    values = _values(steps["authorize"])
    assert values["client_id"] == rig.settings.cognito_client_id
    assert values["redirect_uri"] == f"{rig.base_url}/callback"
    assert values["scope"] == " ".join(rig.settings.cognito_scopes)
    assert values["state"] is values["nonce"] is values["code_challenge"] is None
    assert _values(steps["checks"])["iss"] == rig.settings.issuer
    assert _values(steps["keys"])["kid (ID token)"]
    assert steps["token"]["milliseconds"] > 0
    assert [one["at"] for one in way["steps"] if one["at"]] == sorted(
        one["at"] for one in way["steps"] if one["at"]
    )
    checks = {one["name"]: one for one in way["checks"]}
    assert checks["aud"]["value"] == rig.settings.cognito_client_id
    assert checks["nonce"]["value"] == "as sent, not shown"
    page = browser.get("/how-it-works")
    assert page.header("Cache-Control") == "no-store"
    assert "An example" not in page.page.text
    assert rig.settings.cognito_client_id in page.page.text


def test_what_happens_later_joins_in(rig: Rig) -> None:
    """Keys, a choice of role, a refresh and a guest's keys stand there in the order of events."""
    browser = rig.signed_in("both")
    browser.get("/credentials")
    token = browser.csrf()
    role = _roles(rig, browser)[0]
    browser.post("/credentials/role", {"csrf_token": token, "role": role})
    browser.post("/session/refresh", {"csrf_token": token})
    browser.call("test-public", "guest")
    way = _way(browser)
    assert [one["name"] for one in way["steps"]][8:] == [
        *("get-id", "get-credentials", "role", "get-credentials", "refresh"),
        *("get-id", "get-credentials", "call", "sign-out"),
    ]
    later = way["steps"][8:]
    assert _values(later[0])["IdentityId"].startswith("us-east-1:")  # type: ignore[union-attr]
    assert _values(later[3])["role"] == role.rpartition("/")[2]
    assert "guest" in later[5]["title"]
    assert _values(later[0]) != _values(later[5])
    nonce = next(one for one in way["checks"] if one["name"] == "nonce")
    assert nonce["value"] in ("as sent, not shown", "checked at the sign-in; a refresh brings none")


def test_the_last_signed_call_joins_in(rig: Rig) -> None:
    """A call with the person's keys stands there with its status; one without keys does not."""
    browser = rig.signed_in("admin")
    browser.call("test-plain", "nobody", json=False)
    assert _named(_way(browser)["steps"])["call"]["state"] == "unnoted"
    browser.call("vip", "user", json=False)
    browser.call("test-plain", "nobody", json=False)
    step = _named(_way(browser)["steps"])["call"]
    assert step["state"] == "done"
    values = _values(step)
    assert (values["endpoint"], values["identity"], values["status"]) == ("vip", "user", "200")
    assert step["milliseconds"] > 0
    assert "vip" in browser.get("/how-it-works").page.text


def _roles(rig: Rig, browser: Browser) -> tuple[str, ...]:
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    assert session.record.person
    return session.record.person.roles


def test_a_guest_has_no_way_of_their_own(rig: Rig) -> None:
    """A guest's session has no sign-in to show: it is the example that stands there."""
    browser = rig.browser()
    browser.call("test-public", "guest")
    assert _way(browser)["example"] is True


def test_session_of_an_earlier_release(rig: Rig) -> None:
    """A session without notes says so of its sign-in, and shows what its tokens tell."""
    browser = rig.signed_in("admin")
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    rig.services.vault.change(session, _without_notes)
    steps = _named(_way(browser)["steps"])
    assert {steps[name]["state"] for name in WHOLE_WAY[:8]} == {"unnoted"}
    assert _values(steps["checks"])["sub"]
    assert "not noted" in browser.get("/how-it-works").page.text


def _without_notes(record: Any) -> Any:
    return type(record)(**{name: getattr(record, name) for name in record.__slots__} | {"flow": ()})


def test_drawing_and_table_tell_the_same(rig: Rig) -> None:
    """Each arrow has a row, each part its line; the drawing has a title and a description."""
    for browser in (rig.browser(), rig.signed_in("viewer")):
        page = browser.get("/how-it-works")
        steps = _way(browser)["steps"]
        arrows = [link for link in page.page.links if "#step-" in link]
        assert len(arrows) == len(steps)
        ids = {one.get("id") for one in page.page.elements("tr")}
        assert {f"step-{n}" for n in range(1, len(steps) + 1)} <= ids
        assert page.text.count('class="seq-life"') == len(LANES)
        assert 'aria-labelledby="sequence-title sequence-text"' in page.text
        assert "style=" not in page.text


@pytest.mark.parametrize("signed_in", [False, True])
def test_FL_10_the_way_holds_no_secret(rig: Rig, *, signed_in: bool) -> None:
    """Neither page nor JSON hold state, nonce, code, verifier, challenge, token, key or ticket."""
    browser = rig.signed_in("admin") if signed_in else rig.browser()
    browser.get("/credentials")
    texts = [browser.get("/how-it-works", headers=kind).text for kind in ({}, JSON)]
    issuer, keys = rig.cognito.issuer, rig.cognito.vault.issued
    secrets = {browser.cookies["portico"]} if signed_in else set()
    for grant in issuer.grants():
        secrets |= {grant[name] for name in ("code", "code_verifier") if name in grant}
    for start in issuer.authorize.requests:
        fields = start.query_fields()
        secrets |= {fields[name] for name in ("state", "nonce", "code_challenge")}
    secrets |= {*issuer.mint.id_token.minted, *issuer.mint.access_token.minted}
    secrets |= set(issuer.pool.refresh_tokens)
    secrets |= {part for one in keys for part in (one.secret_key, one.session_token)}
    assert bool(secrets) is signed_in
    for text in texts:
        assert not [one for one in secrets if one in text or one[:12] in text]
        assert "eyJ" not in text

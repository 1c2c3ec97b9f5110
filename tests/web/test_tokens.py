"""What the tokens say: meanings, differences, changes; and the switch that shows one raw."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.browser import Browser
from tests.rig import SECURE_URL, Rig, rigged
from webapp.errors import SettingsProblems
from webapp.settings import Settings
from webapp.views.claims import CUSTOM, FROM_COGNITO, MEANINGS, UNKNOWN, meaning_of
from webapp.views.comparison import differences


@pytest.fixture
def open_rig(tmp_path: Path) -> Iterator[Rig]:
    """The application with APP_SHOW_TOKENS, on loopback."""
    with rigged(tmp_path, APP_SHOW_TOKENS="true") as made:
        yield made


def _tokens(rig: Rig, browser: Browser) -> dict[str, str]:
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    assert session.record.tokens
    tokens = session.record.tokens
    return {"id": tokens.id_token, "access": tokens.access_token}


def test_each_claim_has_a_meaning() -> None:
    """Claims of the pool's own, of Cognito and of nobody are told apart, known ones explained."""
    assert meaning_of("custom:department") == CUSTOM
    assert meaning_of("cognito:something_new") == FROM_COGNITO
    assert meaning_of("x") == UNKNOWN
    for name in ("event_id", "origin_jti", "auth_time", "permissions", "cognito:groups", "scope"):
        assert meaning_of(name) == MEANINGS[name]


def test_what_differs() -> None:
    """Names stand where they belong; true and "true" are no difference."""
    found = {
        str(one.says): one.names
        for one in differences(
            {"sub": "a", "aud": "c", "token_use": "id", "email_verified": True, "name": "A"},
            {"sub": "a", "client_id": "c", "token_use": "access"},
            {"sub": "a", "email_verified": "true", "name": "B", "locale": "de"},
        )
    }
    assert found == {
        "Only in the ID token": ("aud", "email_verified", "name"),
        "Only in the access token": ("client_id",),
        "In both tokens, with another value": ("token_use",),
        "In both tokens, the same": ("sub",),
        "Only in userInfo": ("locale",),
        "In userInfo and the ID token, with another value": ("name",),
    }
    assert "Only in userInfo" not in {str(one.says) for one in differences({}, {"a": 1}, None)}


def test_before_and_after_a_refresh(rig: Rig) -> None:
    """After a refresh the page shows each changed claim with the value before and the one now."""
    browser = rig.signed_in("admin")
    assert "What the refresh changed" not in browser.get("/session").page.text
    before = _claims(_tokens(rig, browser)["id"])
    rig.clock.advance(100)
    browser.post("/session/refresh", {"csrf_token": browser.csrf()})
    page = browser.get("/session")
    after = _claims(_tokens(rig, browser)["id"])
    assert "What the refresh changed" in page.page.text
    changes = page.text.partition('id="changes"')[2].partition('id="claims"')[0]
    for name in ("jti", "exp", "iat"):
        assert before[name] != after[name]
        assert str(before[name]) in changes
        assert str(after[name]) in changes


def _claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return found


def test_OU_16_no_raw_token_without_the_switch(rig: Rig) -> None:
    """Without APP_SHOW_TOKENS the address is unknown and no page offers it."""
    browser = rig.signed_in("admin")
    answer = browser.post("/session/token", {"csrf_token": browser.csrf(), "token": "id"})
    assert answer.status == 404
    assert "/session/token" not in browser.get("/session").text


def test_OU_16_masked_until_asked_for(open_rig: Rig) -> None:
    """With the switch the session's page offers a token, and holds none."""
    browser = open_rig.signed_in("admin")
    page = browser.get("/session")
    assert "/session/token" in page.text
    for token in _tokens(open_rig, browser).values():
        assert token.split(".")[1] not in page.text
        assert token.split(".")[2] not in page.text
    assert browser.get("/session/token").status == 405


@pytest.mark.parametrize("kind", ["id", "access"])
def test_OU_16_one_token_for_a_proven_post(open_rig: Rig, kind: str) -> None:
    """A post with the session's proof shows just that token, kept by nobody, and is logged."""
    browser = open_rig.signed_in("admin")
    form = {"csrf_token": browser.csrf(), "token": kind}
    answer = browser.post("/session/token", form)
    assert answer.status == 200
    assert answer.header("Cache-Control") == "no-store"
    tokens = _tokens(open_rig, browser)
    for name, token in tokens.items():
        assert all((part in answer.text) is (name == kind) for part in token.split(".")[1:])
    assert not [one for one in open_rig.cognito.issuer.pool.refresh_tokens if one in answer.text]
    events = [json.loads(line) for line in open_rig.log.splitlines()]
    assert [one["token"] for one in events if one["event"] == "token_shown"] == [kind]
    assert not [token for token in tokens.values() if token in open_rig.log]


def test_CS_02_a_token_wants_proof(open_rig: Rig) -> None:
    """Without the session's proof, for another kind, or for nobody there is no token."""
    browser = open_rig.signed_in("admin")
    assert browser.post("/session/token", {"token": "id"}).status == 403
    assert browser.post("/session/token", {"csrf_token": "x" * 43, "token": "id"}).status == 403
    for kind in ("refresh", "", "ID"):
        form = {"csrf_token": browser.csrf(), "token": kind}
        assert browser.post("/session/token", form).status == 400
    stranger = open_rig.browser()
    answer = stranger.post("/session/token", {"csrf_token": stranger.csrf(), "token": "id"})
    assert (answer.status, answer.location) == (303, f"{open_rig.base_url}/")


def test_RT_17_refused_where_others_come_in(rig: Rig) -> None:
    """At an address for other people, in front of a real AWS, the switch stops the start."""
    environment = rig.cognito.environment(SECURE_URL, APP_SHOW_TOKENS="true")
    elsewhere = {
        name: value for name, value in environment.items() if not name.startswith("AWS_ENDPOINT")
    }
    elsewhere["COGNITO_DISCOVERY_URL"] = elsewhere["API_ENDPOINT"] = "https://api.example.com"
    with pytest.raises(SettingsProblems) as refused:
        Settings.load(elsewhere)
    assert [line for line in refused.value.problems if line.startswith("APP_SHOW_TOKENS")]
    with pytest.raises(SettingsProblems, match="APP_SHOW_TOKENS must be true or false"):
        Settings.load(rig.cognito.environment(rig.base_url, APP_SHOW_TOKENS="perhaps"))


def test_LG_04_the_switch_is_logged_at_start(open_rig: Rig, rig: Rig) -> None:
    """Each start with the switch is a warning in the log; without it there is none."""
    events = [json.loads(line) for line in open_rig.log.splitlines()]
    assert [one["level"] for one in events if one["event"] == "raw_tokens_shown"] == ["warning"]
    assert "raw_tokens_shown" not in rig.log

"""LG-04: what an operator can tell afterwards: who, what, when, whence, and what came of it."""

import json
from typing import Any

import pytest

from tests.rig import Rig
from tests.security.answers import CANARY, broken_rig
from tests.security.events import event_lines


def _named(rig: Rig, name: str, **facts: object) -> dict[str, Any]:
    found = [
        line
        for line in event_lines(rig.log)
        if line["event"] == name and facts.items() <= line.items()
    ]
    assert found, f"no event {name} with {facts}"
    return found[-1]


def test_LG_04_audit_of_a_session(rig: Rig) -> None:
    """Sign-in, refresh, call, refusal and sign-out say who, when, whence and what came of it."""
    user = rig.cognito.user("admin")
    browser = rig.signed_in("admin")
    signed_in = _named(rig, "signed_in", subject=user.sub)
    assert _named(rig, "sign_in_started")["attempt"]
    browser.post("/session/refresh", {"csrf_token": browser.csrf()})
    browser.call("vip", "user")
    browser.post("/logout", {"csrf_token": "wrong"})
    browser.post("/logout", {"csrf_token": "wrong"}, headers={"Origin": "https://evil.example"})
    rig.signed_in("viewer")
    assert _named(rig, "signed_in", subject=rig.cognito.user("viewer").sub) != signed_in
    browser.sign_out("everywhere")
    told = [
        _named(rig, "refreshed", subject=user.sub),
        _named(rig, "api_called", subject=user.sub, endpoint="vip", identity="user", status=200),
        _named(rig, "refused", subject=user.sub, code="csrf", answer=403),
        _named(rig, "refused", subject=user.sub, code="origin", answer=403),
        _named(rig, "signed_out", subject=user.sub, depth="everywhere"),
    ]
    for line in [signed_in, *told]:
        assert line["session"] == signed_in["session"]
        assert len(line["session"]) == 12
        assert "client" in line
        assert line["timestamp"].endswith("Z")
        assert len(line["request_id"]) == 16
        assert browser.cookies.history[0].value not in json.dumps(line)


def test_LG_04_audit_of_the_end(rig: Rig) -> None:
    """A session that timed out, that the pool ended, or that never was leaves an event."""
    user = rig.cognito.user("viewer")
    ended, idle = rig.signed_in("viewer"), rig.signed_in("admin")
    rig.cognito.issuer.pool.revoke_all(user)
    ended.post("/session/refresh", {"csrf_token": ended.csrf()})
    assert _named(rig, "refused", code="refresh_refused")["subject"] == user.sub
    assert "session_not_found" not in rig.log
    rig.clock.advance(rig.settings.session_idle_seconds + 1)
    assert idle.me()["signed_in"] is False
    assert "client" in _named(rig, "session_not_found")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("code=c&state=s", "no_attempt"),
        ("code=c", "no_state"),
        ("state=a&state=b&code=c", "repeated"),
        ("error=x", "no_state"),
    ],
)
def test_LG_04_audit_of_refused_callbacks(rig: Rig, query: str, code: str) -> None:
    """Each refusal of a callback is one event with its reason, and not more."""
    rig.browser().get(f"/callback?{query}")
    line = _named(rig, "refused", code=code, answer=400)
    assert line["level"] == "warning"
    assert "client" in line
    assert rig.log.count('"refused"') == 1


def test_LG_04_the_address_of_a_proxied_client(secure_rig: Rig) -> None:
    """Behind a proxy the event holds the address that the proxy saw, not a made-up one."""
    headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
    secure_rig.browser().get("/callback?code=c&state=s", headers=headers)
    assert _named(secure_rig, "refused")["client"] == "198.51.100.7"


def test_LG_04_an_unforeseen_fault_is_told(rig: Rig) -> None:
    """A fault that nobody foresaw is an event with its type and place, and without its text."""
    broken_rig(rig, "journey").browser().get("/login")
    line = _named(rig, "unforeseen", error="RuntimeError")
    assert line["where"].startswith("Broken.")
    assert CANARY not in rig.log

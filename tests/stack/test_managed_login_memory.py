"""What the offline Managed Login remembers, and for how long; its texts."""

import tomllib
from pathlib import Path
from typing import Any

from infra.local import managed_login
from infra.local.managed_login.accounts import PasswordPolicy
from infra.local.managed_login.browser_sessions import LIFETIME_SECONDS, BrowserSessions
from infra.local.managed_login.steps import MAX_TRIES, STEP_SECONDS, FormGuard, Step, Steps

STEP = Step(kind="totp", pool_id="pool", username="ada", label="ada@example.com")


def test_browser_session_lasts_an_hour() -> None:
    """A session ends an hour after the sign-in; use does not prolong it."""
    now = [1000.0]
    sessions = BrowserSessions(lambda: now[0])
    session_id = sessions.start(pool_id="pool", username="ada")
    now[0] += LIFETIME_SECONDS - 1
    assert sessions.find(session_id) is not None
    now[0] += 1
    assert sessions.find(session_id) is None


def test_new_sign_in_ends_the_one_before() -> None:
    """The session that a browser had before its new sign-in is gone."""
    sessions = BrowserSessions(lambda: 0.0)
    first = sessions.start(pool_id="pool", username="ada")
    second = sessions.start(pool_id="pool", username="bob", replaces=first)
    assert sessions.find(first) is None
    assert sessions.find(second) is not None


def test_step_lasts_ten_minutes() -> None:
    """A waiting step ends after ten minutes."""
    now = [1000.0]
    steps = Steps(lambda: now[0])
    step_id = steps.put("flow", STEP)
    now[0] += STEP_SECONDS - 1
    assert steps.find("flow", step_id, "totp") is not None
    now[0] += 1
    assert steps.find("flow", step_id, "totp") is None


def test_step_opens_with_all_three_keys() -> None:
    """A step is found by its flow, its id and its kind together."""
    steps = Steps(lambda: 0.0)
    step_id = steps.put("flow", STEP)
    assert steps.find("other", step_id, "totp") is None
    assert steps.find("flow", "other", "totp") is None
    assert steps.find("flow", step_id, "reset") is None
    assert steps.find("flow", step_id, "totp") is not None


def test_step_ends_with_its_last_try() -> None:
    """As many wrong answers as there are tries end a step, and a late right one finds nothing."""
    steps = Steps(lambda: 0.0)
    step_id = steps.put("flow", STEP)
    assert [steps.failed("flow", step_id) for _ in range(MAX_TRIES)] == [False] * 4 + [True]
    assert steps.find("flow", step_id, "totp") is None


def test_form_token_fits_one_browser_and_flow() -> None:
    """A form's token is accepted for its own browser and sign-in, by its own server."""
    guard = FormGuard()
    token = guard.token("browser", "flow")
    assert guard.accepts(token, browser="browser", flow="flow")
    assert not guard.accepts(token, browser="browser", flow="other")
    assert not guard.accepts(token, browser="other", flow="flow")
    assert not FormGuard().accepts(token, browser="browser", flow="flow")


def test_password_rules_name_what_is_missing() -> None:
    """Only the rules in force are asked, and those that a password breaks are named."""
    policy = PasswordPolicy(minimum_length=8, upper=True, lower=False, number=True, symbol=False)
    assert policy.rules() == ("length", "upper", "number")
    assert policy.broken_by("abcdefg") == ("length", "upper", "number")
    assert policy.broken_by("ABCDEFG1") == ()


def test_every_language_has_every_text() -> None:
    """All languages have the same keys, and the same places to fill in."""
    folder = Path(next(iter(managed_login.__path__))) / "texts"
    shapes = {
        file.stem: _shape(tomllib.loads(file.read_text("utf-8"))) for file in folder.glob("*.toml")
    }
    assert shapes.keys() >= {"en", "de", "fr"}
    assert all(shape == shapes["en"] for shape in shapes.values())


def _shape(texts: dict[str, Any]) -> dict[tuple[str, str], tuple[bool, ...]]:
    return {
        (page, key): tuple(f"{{{name}}}" in text for name in ("client", "address", "count"))
        for page, keys in texts.items()
        for key, text in keys.items()
    }

"""GET and POST /doctor: who may look, what is seen, and what never is."""

from typing import Any

import pytest

from tests.doubles.browser import Browser
from tests.rig import Rig
from webapp.app import create_app
from webapp.settings import KNOWN

NOWHERE = "http://127.0.0.1:9"
"""An AWS on this machine that does not answer."""
_JSON = {"Accept": "application/json"}
ELSEWHERE = "https://cognito-idp.us-east-1.amazonaws.com"


def _signed_in(rig: Rig, user: str, endpoint: str = NOWHERE) -> Browser:
    """Somebody at an application whose pools are described at `endpoint`."""
    changes: dict[str, Any] = {
        "aws_endpoint_url_cognito_identity_provider": endpoint,
        "aws_endpoint_url_cognito_identity": endpoint,
        "cognito_discovery_url": rig.settings.discovery_url,
    }
    app = create_app(rig.settings.model_copy(update=changes), rig.services, now=rig.clock)
    issuer = rig.cognito.issuer
    browser = Browser.for_app(app, rig.base_url, issuer=issuer, now=rig.clock)
    browser.sign_in(rig.cognito.user(user))
    return browser


def _rows(browser: Browser, path: str = "/doctor") -> dict[str, Any]:
    answer = browser.get(path, headers={"Accept": "application/json"})
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def test_strangers_are_asked_to_sign_in(rig: Rig) -> None:
    """Somebody unknown, a guest too, sees no setting and starts no check."""
    browser = rig.browser()
    answer = browser.get("/doctor")
    assert (answer.status, answer.location) == (303, f"{rig.base_url}/login?next=/doctor")
    answer = browser.post("/doctor", {"csrf_token": browser.csrf()})
    assert (answer.status, answer.location) == (303, f"{rig.base_url}/")


def test_every_setting_with_its_source(rig: Rig) -> None:
    """In the demo whoever is signed in sees each setting, its value and where it came from."""
    browser = rig.signed_in("viewer")
    page = browser.get("/doctor")
    assert page.status == 200
    for name in KNOWN:
        assert name in page.page.text
    assert rig.settings.cognito_user_pool_id in page.page.text
    assert page.header("Cache-Control") == "no-store"
    found = {one["name"]: one for one in _rows(browser)["settings"]}
    assert tuple(found) == KNOWN
    assert found["AWS_REGION"]["source"] == {"place": "environment", "variable": "AWS_REGION"}
    assert found["LOG_FORMAT"]["source"] == {"place": "default", "variable": None}
    assert found["SECRET_KEY"] == {
        "name": "SECRET_KEY",
        "value": None,
        "is_set": True,
        "secret": True,
        "source": {"place": "environment", "variable": "SECRET_KEY"},
    }


def test_LG_02_the_doctor_keeps_secrets(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither page, JSON nor log, before or after an examination, holds a key or client secret."""
    browser = _signed_in(rig, "admin")
    seen = [browser.get("/doctor").text, browser.get("/doctor", headers=_JSON).text]
    form = {"csrf_token": browser.csrf()}
    seen += [browser.post("/doctor", form).text, browser.post("/doctor", form, headers=_JSON).text]
    secrets = [key.decode() for key in rig.settings.secret_keys]
    secrets.append(str(rig.settings.cognito_client_secret))
    for text in seen:
        assert "COGNITO_CLIENT_SECRET" in text
        assert not [one for one in secrets if one in text]
    logged = capsys.readouterr().err
    assert '"event": "examined"' in logged
    assert not [one for one in secrets if one in logged]


def test_live_checks_while_cognito_is_down(rig: Rig) -> None:
    """The page stands although nothing outside answers, and says what does not."""
    browser = _signed_in(rig, "viewer")
    rig.cognito.issuer.discovery.answer(500)
    rig.cognito.api.close()
    answer = browser.post("/doctor", browser.get("/doctor").page.form("/doctor").fields)
    assert answer.status == 200
    for text in ("session store", "user pool: discovery", "AWS gives no answer", "to change"):
        assert text in answer.page.text
    rig.cognito.heal()


def test_findings_as_json(rig: Rig) -> None:
    """A program gets findings with verdict and cure; before an examination there are none."""
    browser = _signed_in(rig, "viewer")
    assert _rows(browser)["findings"] is None
    answer = browser.post("/doctor", {"csrf_token": browser.csrf()}, headers=_JSON)
    found = {one["about"]: one for one in answer.json()["findings"]}
    assert found["session store"]["verdict"] == "fine"
    assert found["API"]["verdict"] == "fine"
    assert found["user pool"]["verdict"] == "unknown"
    assert answer.json()["examined_at"] == int(rig.clock())


def test_CS_02_examining_takes_a_proof(rig: Rig) -> None:
    """A post without the session's token examines nothing."""
    browser = rig.signed_in("admin")
    assert browser.post("/doctor", {}).status == 403
    assert browser.post("/doctor", {"csrf_token": "x" * 43}).status == 403


@pytest.mark.parametrize("user", ["viewer", "manager", "nobody"])
def test_outside_the_demo_admins_alone(
    rig: Rig, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over a real AWS somebody else is told whose page it is, and the log notes it."""
    browser = _signed_in(rig, user, ELSEWHERE)
    answer = browser.get("/doctor")
    assert answer.status == 403
    assert "members of the group Admin" in answer.page.text
    assert rig.settings.cognito_client_id not in answer.page.text
    assert not any(link.endswith("/doctor") for link in browser.get("/").page.links)
    assert browser.post("/doctor", {"csrf_token": browser.csrf()}).status == 403
    refused = browser.get("/doctor", headers=_JSON)
    assert (refused.status, refused.json()["error"]) == (403, "admins_only")
    assert '"code": "admins_only"' in capsys.readouterr().err


def test_outside_the_demo_an_admin_may(rig: Rig) -> None:
    """A member of the group Admin finds the page in the foot of every page."""
    browser = _signed_in(rig, "admin", ELSEWHERE)
    assert any(link.endswith("/doctor") for link in browser.get("/").page.links)
    assert browser.get("/doctor").status == 200

"""RT-17 and RT-18: a start that must not happen, and a debugger that is never there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.process import free_port
from tests.doubles.cognito import Cognito
from tests.rig import rigged
from tests.security.served import CONF, ROOT

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC123"


@pytest.fixture(scope="module")
def needed() -> dict[str, str]:
    """Settings of an application that other people reach."""
    with Cognito() as cognito:
        environment = cognito.environment("https://portal.example.com")
    return {name: value for name, value in environment.items() if "ENDPOINT_URL" not in name}


def _started(folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    port = free_port()
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    store = {"SESSION_STORE_URL": f"sqlite:///{folder / 'sessions.db'}"}
    return subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", str(CONF), "--bind", f"127.0.0.1:{port}"],
        cwd=folder,
        env=store | environment | own,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("APP_BASE_URL", "http://portal.example.com"),
        ("APP_BASE_URL", "https://*.example.com"),
        ("APP_BASE_URL", "https://portal.example.com/app"),
        ("COGNITO_USER_POOL_ID", "no pool"),
        ("COGNITO_USERPOOL_ID", "us-east-1_AbC123"),
        ("SESSION_IDLE_SECNDS", "60"),
        ("TRUSTED_PROXY_HOPS", "-1"),
        ("COGNITO_SCOPES", "email"),
        ("FLASK_DEBUG", "1"),
    ],
)
def test_RT_17_bad_settings_start_nothing(
    needed: dict[str, str], tmp_path: Path, name: str, value: str | None
) -> None:
    """One line names the setting and the cure, the exit status is not 0, no store is opened."""
    environment = {key: kept for key, kept in needed.items() if key != name}
    if value is not None:
        environment[name] = value
    done = _started(tmp_path, environment)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.lstrip().startswith(f"- {name} ")]
    assert len(said) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "Listening at" not in done.stderr
    assert not (tmp_path / "sessions.db").exists()


@pytest.mark.parametrize(
    "target",
    [
        "/console",
        "/?__debugger__=yes&cmd=resource&f=debugger.js",
        "/?__debugger__=yes&cmd=pinauth&pin=000-000-000&s=x",
        "/api?__debugger__=yes&cmd=1%2B1&frm=0&s=x",
    ],
)
def test_RT_18_no_debugger_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """Whatever the environment says: no debugger, no console, and errors stay our own pages."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with rigged(tmp_path) as rig:
        assert rig.app.debug is False
        answer = rig.browser().get(target)
        assert answer.status == (404 if target == "/console" else 200)
        for word in ("EVALEX", "Traceback", "pinauth", "Werkzeug"):
            assert word not in answer.text
        monkeypatch.setattr(rig.services.managed_login, "authorize_url", None)
        broken = rig.browser().get("/login")
        assert broken.status == 500
        assert "Traceback" not in broken.text
        assert "NoneType" not in broken.text

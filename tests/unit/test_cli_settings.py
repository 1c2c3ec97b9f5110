"""The command `settings`: what Terraform puts out becomes a .env that starts the application."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from webapp.cli.house import House
from webapp.cli.settings import settings_group
from webapp.settings import Settings

SECRET = "a+b/c=d'e"
OUTPUTS: dict[str, Any] = {
    "settings": {
        "sensitive": False,
        "value": {
            "APP_BASE_URL": "https://portal.example.com",
            "AWS_REGION": "us-east-1",
            "COGNITO_USER_POOL_ID": "us-east-1_AbC123",
            "COGNITO_CLIENT_ID": "1h57kf5cpq17m0eml12EXAMPLE",
            "COGNITO_IDENTITY_POOL_ID": "us-east-1:1234abcd-12ab-34cd-56ef-1234567890ab",
            "COGNITO_SCOPES": "openid email",
            "API_ENDPOINT": "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
        },
    },
    "secret_settings": {"sensitive": True, "value": {"COGNITO_CLIENT_SECRET": SECRET}},
    "session_store_url": {"sensitive": False, "value": "dynamodb://portico-sessions"},
}


def _run(*words: str, stdin: str = "") -> Result:
    house = House.of_environment(Path(".env"))
    return CliRunner().invoke(settings_group, [*words], input=stdin, obj=house)


def _written(tmp_path: Path, *options: str) -> Path:
    path = tmp_path / ".env"
    result = _run("from-terraform", "-", "--to", str(path), *options, stdin=json.dumps(OUTPUTS))
    assert result.exit_code == 0, result.output
    assert SECRET not in result.output
    return path


def test_terraforms_outputs_become_settings(tmp_path: Path) -> None:
    """The file holds every setting with a key of its own, and a start reads it as it was."""
    path = _written(tmp_path)
    settings = Settings.load({}, path)
    assert settings.cognito_client_secret == SECRET
    assert settings.cognito_scopes == ("openid", "email")
    assert settings.session_store_url == "sqlite:///var/sessions.db"
    assert len(settings.secret_key) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_table_of_the_stack(tmp_path: Path) -> None:
    """With --store sessions go into the stack's table."""
    settings = Settings.load({}, _written(tmp_path, "--store"))
    assert settings.session_store_url == "dynamodb://portico-sessions"


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """Nothing is written over without --force; with it the file is for its owner alone again."""
    path = _written(tmp_path)
    before = path.read_text()
    path.chmod(0o644)
    again = ("from-terraform", "-", "--to", str(path))
    result = _run(*again, stdin=json.dumps(OUTPUTS))
    assert (result.exit_code, "--force" in result.output) == (2, True)
    assert path.read_text() == before
    assert _run(*again, "--force", stdin=json.dumps(OUTPUTS)).exit_code == 0
    assert path.read_text() != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("document", ["", "[]", "{}", "nonsense", '{"settings": {}}', "null"])
def test_what_is_no_output_of_terraform(tmp_path: Path, document: str) -> None:
    """Another document is refused with how to make the right one, and nothing is written."""
    path = tmp_path / ".env"
    result = _run("from-terraform", "-", "--to", str(path), stdin=document)
    assert result.exit_code == 2
    assert "terraform -chdir=infra/terraform output -json" in result.output
    assert "Traceback" not in result.output
    assert not path.exists()


def test_settings_that_would_not_start_are_not_written(tmp_path: Path) -> None:
    """A stack without an API gives no settings: each problem is said."""
    lacking = json.loads(json.dumps(OUTPUTS))
    del lacking["settings"]["value"]["API_ENDPOINT"]
    path = tmp_path / ".env"
    result = _run("from-terraform", "-", "--to", str(path), stdin=json.dumps(lacking))
    assert (result.exit_code, "API_ENDPOINT" in result.output) == (4, True)
    assert not path.exists()


def test_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`check` reads as a start would: sound, or every problem at once."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    result = _run("check")
    assert (result.exit_code, "AWS_REGION is missing" in result.output) == (4, True)
    _written(tmp_path)
    assert _run("check").exit_code == 0

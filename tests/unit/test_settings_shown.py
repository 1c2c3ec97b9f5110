"""What may be seen of the settings: values in force and sources, and nothing that is secret."""

import re
from pathlib import Path

import pytest

from webapp.records import SettingSource, ShownSetting
from webapp.settings import KNOWN, Settings, shown
from webapp.settings.table import Table

REQUIRED = {
    "APP_BASE_URL": "https://portal.example.com",
    "SECRET_KEY": "canary-key-0123456789abcdefghijklmnop",
    "AWS_REGION": "us-east-1",
    "COGNITO_USER_POOL_ID": "us-east-1_AbC123",
    "COGNITO_CLIENT_ID": "c1",
    "COGNITO_IDENTITY_POOL_ID": "us-east-1:x",
    "API_ENDPOINT": "https://api.example.com/prod",
}
SECRETS = {
    "SECRET_KEY_FALLBACKS": "canary-fallback-0123456789abcdefghij",
    "COGNITO_CLIENT_SECRET": "canary-client-secret",
    "SESSION_STORE_URL": "rediss://canary-user:canary-pass%40word@cache.example:6380/2",
    "COGNITO_DISCOVERY_URL": "https://issuer.example/openid?key=canary-query",
}


def _shown(environ: dict[str, str], dotenv: Path | None = None) -> dict[str, ShownSetting]:
    return {one.name: one for one in shown(Settings.load(environ, dotenv))}


def test_every_setting_is_shown() -> None:
    """There is one for each variable, in the order of the table."""
    assert tuple(_shown(REQUIRED)) == KNOWN


def test_LG_02_no_secret_is_shown() -> None:
    """Of keys, client secret, store password and a query nothing is left; where they are is."""
    found = _shown(REQUIRED | SECRETS)
    assert "canary" not in repr(found)
    for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "COGNITO_CLIENT_SECRET"):
        assert (found[name].value, found[name].is_set, found[name].secret) == (None, True, True)
    assert found["SESSION_STORE_URL"].value == "rediss://…@cache.example:6380/2"
    assert found["COGNITO_DISCOVERY_URL"].value == "https://issuer.example/openid?…"


def test_LG_02_what_sounds_secret_is_kept_out_of_repr() -> None:
    """A setting named after a key, a secret, a password or a token cannot be shown by mistake."""
    for name, field in Table.model_fields.items():
        # A switch holds no secret, whatever it turns on.
        if re.search("secret|password|token|key", name) and field.annotation is not bool:
            assert not field.repr, name


def test_secrets_that_are_not_set() -> None:
    """A secret that is not there is told from one that is."""
    found = _shown(REQUIRED)
    assert not found["COGNITO_CLIENT_SECRET"].is_set
    assert not found["SECRET_KEY_FALLBACKS"].is_set


def test_values_in_force() -> None:
    """What follows from other settings is shown as it holds."""
    found = _shown(REQUIRED)
    pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC123"
    assert found["COGNITO_ISSUER"].value == pool
    assert found["COGNITO_DISCOVERY_URL"].value == f"{pool}/.well-known/openid-configuration"
    assert found["AWS_ENDPOINT_URL_STS"].is_set is False
    local = _shown(REQUIRED | {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    for name in ("IDENTITY", "IDENTITY_PROVIDER"):
        assert local[f"AWS_ENDPOINT_URL_COGNITO_{name}"].value == "http://127.0.0.1:4566"


def test_sources(tmp_path: Path) -> None:
    """Environment, file, `.env`, a file named in it, and default are told apart."""
    key, secret, dotenv = tmp_path / "key", tmp_path / "secret", tmp_path / ".env"
    key.write_text(REQUIRED["SECRET_KEY"])
    secret.write_text("s")
    dotenv.write_text(
        f"AWS_REGION=eu-west-1\nLOG_LEVEL=debug\nCOGNITO_CLIENT_SECRET_FILE={secret}\n"
    )
    environ = {name: value for name, value in REQUIRED.items() if name != "SECRET_KEY"}
    found = _shown(environ | {"SECRET_KEY_FILE": str(key), "LOG_FORMAT": ""}, dotenv)
    assert found["SECRET_KEY"].source == SettingSource("environment", "SECRET_KEY_FILE")
    assert found["AWS_REGION"].source == SettingSource("environment", "AWS_REGION")
    assert found["AWS_REGION"].value == "us-east-1"
    assert found["LOG_LEVEL"].source == SettingSource(".env", "LOG_LEVEL")
    of_secret = found["COGNITO_CLIENT_SECRET"].source
    assert of_secret == SettingSource(".env", "COGNITO_CLIENT_SECRET_FILE")
    assert found["LOG_FORMAT"].source == SettingSource("default")
    assert str(tmp_path) not in repr(found)


@pytest.mark.parametrize("url", ["sqlite:////srv/sessions.db", "dynamodb://portico-sessions"])
def test_addresses_without_a_secret_stand_whole(url: str) -> None:
    """The address of a store without a password is shown as it is."""
    assert _shown(REQUIRED | {"SESSION_STORE_URL": url})["SESSION_STORE_URL"].value == url


def test_same_values_are_the_same_settings(tmp_path: Path) -> None:
    """Where a value came from does not make other settings of it."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("".join(f"{name}={value}\n" for name, value in REQUIRED.items()))
    assert Settings.load(REQUIRED) == Settings.load({}, dotenv)
    assert Settings.load(REQUIRED) != Settings.load(REQUIRED | {"LOG_LEVEL": "DEBUG"})

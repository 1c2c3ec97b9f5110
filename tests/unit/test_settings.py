"""Settings: read once from a mapping, every problem at once, each with its name and cure."""

from pathlib import Path

import pytest

from webapp.errors import SettingsProblems
from webapp.settings import KNOWN, Settings

KEY = "k0123456" * 4
NEEDED = {
    "APP_BASE_URL": "https://portal.example.com",
    "SECRET_KEY": KEY,
    "AWS_REGION": "us-east-1",
    "COGNITO_USER_POOL_ID": "us-east-1_AbC123",
    "COGNITO_CLIENT_ID": "1h57kf5cpq17m0eml12EXAMPLE",
    "COGNITO_IDENTITY_POOL_ID": "us-east-1:1234abcd-12ab-34cd-56ef-1234567890ab",
    "API_ENDPOINT": "https://a1b2c3.execute-api.us-east-1.amazonaws.com",
}


def load(**changes: str | None) -> Settings:
    """Settings from what is needed and these changes; None leaves a variable out."""
    merged = NEEDED | changes
    return Settings.load({name: value for name, value in merged.items() if value is not None})


def problems(**changes: str | None) -> list[str]:
    """What is said to be wrong with these changes."""
    with pytest.raises(SettingsProblems) as refused:
        load(**changes)
    return refused.value.problems


def test_defaults() -> None:
    """With nothing but what is needed everything else has the value that is documented."""
    settings = load()
    assert settings.issuer == "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC123"
    assert settings.discovery_url == f"{settings.issuer}/.well-known/openid-configuration"
    assert settings.cognito_client_secret is None
    assert settings.cognito_domain is None
    assert settings.cognito_identity_providers == ()
    assert settings.cognito_scopes == (
        "openid",
        "email",
        "profile",
        "aws.cognito.signin.user.admin",
    )
    assert settings.session_store_url == "sqlite:///var/sessions.db"
    assert (settings.session_idle_seconds, settings.session_absolute_seconds) == (1800, 43_200)
    assert settings.trusted_proxy_hops == 0
    assert (settings.log_level, settings.log_format) == ("INFO", "json")
    assert settings.secret_keys == (KEY.encode(),)
    assert settings.login_key == "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC123"
    assert settings.offline is False


def test_every_problem_at_once() -> None:
    """One start shows all that is wrong, one line a variable, in order."""
    with pytest.raises(SettingsProblems) as refused:
        Settings.load(
            {
                "APP_BASE_URL": "http://portal.example.com",
                "SECRET_KEY": "short",
                "COGNITO_USER_POOL_ID": "no pool",
                "SESSION_IDLE_SECONDS": "soon",
                "COGNITO_DOMAINE": "https://x.example.com",
                "LOG_LEVEL": "LOUD",
            }
        )
    names = [line.split()[0] for line in refused.value.problems]
    assert names == sorted(
        [
            "API_ENDPOINT",
            "APP_BASE_URL",
            "AWS_REGION",
            "COGNITO_CLIENT_ID",
            "COGNITO_DOMAINE",
            "COGNITO_IDENTITY_POOL_ID",
            "COGNITO_USER_POOL_ID",
            "LOG_LEVEL",
            "SECRET_KEY",
            "SESSION_IDLE_SECONDS",
        ]
    )
    for line in refused.value.problems:
        assert line in refused.value.sentence


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_needed(name: str) -> None:
    """Each variable that is needed is missed by name, with both ways to set it."""
    for value in (None, ""):
        (said,) = problems(**{name: value})
        assert said.startswith(f"{name} is missing")
        assert f"{name}_FILE" in said


@pytest.mark.parametrize("name", KNOWN)
def test_from_a_file(name: str, tmp_path: Path) -> None:
    """Every variable can come from a file, without the line's end."""
    values = NEEDED | {
        "SECRET_KEY_FALLBACKS": "f0123456" * 5,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://127.0.0.1:4567",
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY": "http://127.0.0.1:4568",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:4570",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:4569",
        "COGNITO_CLIENT_SECRET": "secret",
        "COGNITO_ISSUER": "https://issuer.example.com/pool",
        "COGNITO_DISCOVERY_URL": "https://issuer.example.com/discovery",
        "COGNITO_DOMAIN": "https://login.example.com",
        "COGNITO_SCOPES": "openid email",
        "COGNITO_IDENTITY_PROVIDERS": "Okta,Google",
        "SESSION_STORE_URL": "sqlite:////srv/sessions.db",
        "SESSION_IDLE_SECONDS": "60",
        "SESSION_ABSOLUTE_SECONDS": "600",
        "SESSION_MAX_PER_PERSON": "5",
        "APP_SHOW_TOKENS": "true",
        "TRUSTED_PROXY_HOPS": "2",
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "console",
    }
    assert set(values) == set(KNOWN)
    plain = Settings.load(values)
    file = tmp_path / "value"
    file.write_text(f"  {values.pop(name)}\n")
    assert Settings.load(values | {f"{name}_FILE": str(file)}) == plain


def test_file_and_value(tmp_path: Path) -> None:
    """A variable that is set in both forms is a problem, for nobody knows which one was meant."""
    file = tmp_path / "key"
    file.write_text(KEY)
    (said,) = problems(SECRET_KEY_FILE=str(file))
    assert said.startswith("SECRET_KEY and SECRET_KEY_FILE are both set")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing or no text is one problem under its own name, and not two."""
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    (said,) = problems(SECRET_KEY=None, SECRET_KEY_FILE=str(file))
    assert said.startswith("SECRET_KEY_FILE names a file that cannot be read")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("COGNITO_CLIENTID", "COGNITO_CLIENT_ID"),
        ("COGNITO_USER_POOLID", "COGNITO_USER_POOL_ID"),
        ("SESSION_IDLE_SECOND", "SESSION_IDLE_SECONDS"),
        ("APP_BASEURL", "APP_BASE_URL"),
        ("COGNITO_SCOPE", "COGNITO_SCOPES"),
    ],
)
def test_slip_of_the_pen(wrong: str, right: str) -> None:
    """A variable that nearly is one of ours is named together with the one that was meant."""
    (said,) = problems(**{wrong: "x"})
    assert said == f"{wrong} is not a setting of Portico; did you mean {right}?"


@pytest.mark.parametrize("name", ["COGNITO_ANYTHING_ELSE", "APP_", "SESSION_COOKIE_COLOUR"])
def test_unknown_variable(name: str) -> None:
    """A variable of our families that is far from any of ours is a problem too."""
    (said,) = problems(**{name: "x"})
    assert said == f"{name} is not a setting of Portico; take it out or correct its name"


def test_other_variables_are_not_ours() -> None:
    """The rest of the environment is nobody's business here."""
    load(PATH="/bin", AWS_PROFILE="x", SECRET_KEYS="x", APPLE="x", COGNITION="x")


def test_dotenv_beneath_the_environment(tmp_path: Path) -> None:
    """`.env` gives what the environment does not, and what it has too much is a problem as well."""
    dotenv = tmp_path / ".env"
    lines = NEEDED | {"AWS_REGION": "eu-west-1", "LOG_LEVEL": "DEBUG"}
    dotenv.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    settings = Settings.load({"AWS_REGION": "us-west-2", "LOG_LEVEL": ""}, dotenv)
    assert (settings.aws_region, settings.log_level) == ("us-west-2", "DEBUG")
    assert Settings.load(NEEDED, tmp_path / "missing")
    dotenv.write_text("COGNITO_CLIENTID=x\n")
    with pytest.raises(SettingsProblems, match="COGNITO_CLIENT_ID"):
        Settings.load(NEEDED, dotenv)


ADDRESSES = ("APP_BASE_URL", "API_ENDPOINT", "COGNITO_ISSUER", "COGNITO_DOMAIN", "AWS_ENDPOINT_URL")


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_http_on_this_machine(name: str, host: str) -> None:
    """Plain http is taken for this machine, with any port."""
    load(**{name: f"http://{host}:8000"})


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    "address",
    [
        "http://portal.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost@example.com",
        "ftp://localhost",
        "https://",
        "portal.example.com",
        "https://*.example.com",
        "https://example.com/?x=1",
        "https://example.com/#x",
        "https://user:pass@example.com",
        "https://exa mple.com",
        "https://example.com:0",
        "https://example.com:99999",
        "https://[::1",
        "https://example.com\\@evil",
    ],
)
def test_addresses_that_are_none(name: str, address: str) -> None:
    """Anything else than https, or http on this machine, is refused by name."""
    (said,) = problems(**{name: address})
    assert said.startswith(f"{name} ")
    assert "pass" not in said.removeprefix(name)


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://portal.example.com/", "https://portal.example.com"),
        ("https://Portal.Example.com", "https://portal.example.com"),
        ("https://portal.example.com:443", "https://portal.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("https://portal.example.com:8443", "https://portal.example.com:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_origin_as_browsers_write_it(given: str, origin: str) -> None:
    """The application's origin is kept in the spelling that browsers send."""
    assert load(APP_BASE_URL=given).app_base_url == origin


@pytest.mark.parametrize("name", ["APP_BASE_URL", "COGNITO_DOMAIN"])
def test_origin_without_a_path(name: str) -> None:
    """An origin has no path; one that has is told to leave it out."""
    (said,) = problems(**{name: "https://portal.example.com/app"})
    assert "'/app'" in said


def test_api_keeps_its_path() -> None:
    """The path of the API's address is kept, without a slash at its end."""
    settings = load(API_ENDPOINT="http://127.0.0.1:4566/_aws/execute-api/abc/$default/")
    assert settings.api_endpoint == "http://127.0.0.1:4566/_aws/execute-api/abc/$default"


def test_endpoints_of_an_offline_aws() -> None:
    """The standard variables lead both pools and the discovery elsewhere, but not the issuer."""
    settings = load(AWS_ENDPOINT_URL="http://127.0.0.1:4566/")
    assert settings.offline
    assert settings.user_pool_endpoint == "http://127.0.0.1:4566"
    assert settings.identity_pool_endpoint == "http://127.0.0.1:4566"
    assert settings.session_table_endpoint == "http://127.0.0.1:4566"
    path = "us-east-1_AbC123/.well-known/openid-configuration"
    assert settings.discovery_url == f"http://127.0.0.1:4566/{path}"
    assert settings.issuer.startswith("https://cognito-idp.us-east-1.amazonaws.com/")
    apart = load(
        AWS_ENDPOINT_URL="http://127.0.0.1:4566",
        AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="http://127.0.0.1:1",
        AWS_ENDPOINT_URL_COGNITO_IDENTITY="http://127.0.0.1:2",
        AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:4",
        COGNITO_DISCOVERY_URL="http://127.0.0.1:3/d",
    )
    assert apart.session_table_endpoint == "http://127.0.0.1:4"
    assert apart.user_pool_endpoint == "http://127.0.0.1:1"
    assert apart.identity_pool_endpoint == "http://127.0.0.1:2"
    assert apart.discovery_url == "http://127.0.0.1:3/d"


def test_china() -> None:
    """The regions of China have their own suffix."""
    settings = load(AWS_REGION="cn-north-1", COGNITO_USER_POOL_ID="cn-north-1_AbC123")
    assert settings.issuer == "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbC123"


@pytest.mark.parametrize("key", ["", "x" * 31, "ä" * 15])
def test_short_keys(key: str) -> None:
    """A key below 32 bytes is refused with a way to make a good one, and is not repeated."""
    said = " ".join(problems(SECRET_KEY=key))
    assert said.startswith("SECRET_KEY ")
    assert not key or key not in said
    (said,) = problems(SECRET_KEY_FALLBACKS=f"{KEY} {key or 'y'}")
    assert said.startswith("SECRET_KEY_FALLBACKS ")
    assert KEY not in said


def test_fallback_keys() -> None:
    """The first key writes and stands first, the others follow in their order."""
    one, two = "a1234567" * 4, "b1234567" * 5
    expected = (KEY.encode(), one.encode(), two.encode())
    for text in (f"{one} {two}", f"{one},{two}", f" {one} ,\n{two}, "):
        assert load(SECRET_KEY_FALLBACKS=text).secret_keys == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_REGION", "Virginia"),
        ("AWS_REGION", "us-east-1/../x"),
        ("COGNITO_USER_POOL_ID", "us-east-1"),
        ("COGNITO_USER_POOL_ID", "us-east-1_Ab/../x"),
        ("COGNITO_CLIENT_ID", "my client"),
        ("COGNITO_IDENTITY_POOL_ID", "1234abcd"),
        ("COGNITO_IDENTITY_PROVIDERS", "Okta,<script>"),
        ("COGNITO_SCOPES", "email profile"),
        ("SESSION_IDLE_SECONDS", "0"),
        ("SESSION_IDLE_SECONDS", "-5"),
        ("SESSION_IDLE_SECONDS", "1e3"),
        ("SESSION_ABSOLUTE_SECONDS", "half a day"),
        ("SESSION_ABSOLUTE_SECONDS", "99999999999"),
        ("TRUSTED_PROXY_HOPS", "-1"),
        ("TRUSTED_PROXY_HOPS", "yes"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("SESSION_STORE_URL", "sqlite://"),
        ("SESSION_STORE_URL", "sqlite:///"),
        ("SESSION_STORE_URL", "postgres://x"),
        ("SESSION_STORE_URL", "sessions.db"),
        ("SESSION_STORE_URL", "redis:localhost"),
        ("SESSION_STORE_URL", "dynamodb://"),
        ("SESSION_STORE_URL", "dynamodb://ab"),
        ("SESSION_STORE_URL", "dynamodb://table/other"),
        ("SESSION_STORE_URL", "dynamodb://key:secret@table"),
        ("SESSION_STORE_URL", "dynamodb:table"),
    ],
)
def test_values_that_make_no_sense(name: str, value: str) -> None:
    """Each value that cannot work is refused under its variable's name."""
    (said,) = problems(**{name: value})
    assert said.startswith(f"{name} ")


def test_idle_longer_than_absolute() -> None:
    """An idle time beyond the absolute one is a contradiction, told as such."""
    (said,) = problems(SESSION_IDLE_SECONDS="600", SESSION_ABSOLUTE_SECONDS="60")
    assert "longer than SESSION_ABSOLUTE_SECONDS" in said


def test_lists() -> None:
    """Scopes are parted by blanks or commas, providers by commas, since their names have blanks."""
    settings = load(
        COGNITO_SCOPES="openid,email  profile", COGNITO_IDENTITY_PROVIDERS="Okta, My Company ,"
    )
    assert settings.cognito_scopes == ("openid", "email", "profile")
    assert settings.cognito_identity_providers == ("Okta", "My Company")


def test_frozen() -> None:
    """Nobody changes settings after they were read."""
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.log_level = "DEBUG"


def test_nothing_secret_in_a_repr() -> None:
    """Keys and the client's secret do not show when settings are printed, nor in a problem."""
    settings = load(COGNITO_CLIENT_SECRET="very-secret", SECRET_KEY_FALLBACKS="f0123456" * 5)
    for secret in (KEY, "very-secret", "f0123456" * 5):
        assert secret not in repr(settings)
        assert secret not in str(settings)
    said = problems(COGNITO_CLIENT_SECRET="very-secret", API_ENDPOINT="x")
    assert "very-secret" not in " ".join(said)


def test_the_issuer_is_kept_to_the_letter() -> None:
    """`iss` must match exactly, so a slash at the end of COGNITO_ISSUER stays."""
    assert load(COGNITO_ISSUER="https://idp.example.com/").issuer == "https://idp.example.com/"


def test_spellings_that_mean_the_same() -> None:
    """A client id with a dash, a log level in small letters, a discovery address with a query."""
    settings = load(
        COGNITO_CLIENT_ID="my-client-1",
        LOG_LEVEL="debug",
        LOG_FORMAT="JSON",
        COGNITO_DISCOVERY_URL="https://idp.example.com/openid?tenant=7",
    )
    assert (settings.cognito_client_id, settings.log_level) == ("my-client-1", "DEBUG")
    assert settings.discovery_url.endswith("?tenant=7")

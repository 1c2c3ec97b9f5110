"""Settings: frozen, read once from a mapping, every problem reported together.

The table of SPEC section 3 is the model below. Each variable may also come as NAME_FILE, the path
of a file that holds the value (the usual way for secrets in a container).
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import PrivateAttr, ValidationError

from webapp.addresses import is_loopback
from webapp.errors import SettingsProblems
from webapp.records import SettingSource
from webapp.settings.reading import read_dotenv, read_table, sources
from webapp.settings.table import KNOWN, Table
from webapp.settings.values import MIN_KEY_BYTES, weakness


class Settings(Table):
    """The application's settings. `load` is the only way in from the outside."""

    _sources: Mapping[str, SettingSource] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls, environ: Mapping[str, str], dotenv: Path | None = None) -> "Settings":
        """Read settings from a mapping, beneath it from a `.env` file.

        Raises SettingsProblems with every problem found, each naming its variable and the cure.
        """
        problems: list[str] = []
        written = read_dotenv(dotenv, problems)
        values = written | {k: v for k, v in environ.items() if v}
        table = read_table(values, KNOWN, problems)
        try:
            origins = sources(KNOWN, environ, written)
            settings = cls.model_validate(table, context=origins)
            problems += _disagreements(settings, set())
            if _debugs(values) and not settings.is_of_this_machine:
                problems.append("FLASK_DEBUG is on, where other people come in; take it away")
        except ValidationError as error:
            unread = {problem.partition("_FILE ")[0] for problem in problems}
            problems += [line for line in _sentences(error) if line.split()[0] not in unread]
            problems += _disagreements_beside(error, table, cls)
            raise SettingsProblems(sorted(problems)) from None
        if problems:
            raise SettingsProblems(sorted(problems))
        return settings

    def model_post_init(self, context: Mapping[str, SettingSource] | None, /) -> None:
        """Keep where the values came from."""
        self._sources = context or {}

    def __eq__(self, other: object) -> bool:
        """Whether the values are the same, wherever they came from."""
        return isinstance(other, Settings) and dict(self) == dict(other)

    def source_of(self, name: str) -> SettingSource:
        """Where the value of a variable came from, by the variable's name."""
        return self._sources.get(name, SettingSource("default"))

    @property
    def secret_keys(self) -> tuple[bytes, ...]:
        """All keys, the writing one first."""
        return (self.secret_key, *self.secret_key_fallbacks)

    @property
    def issuer(self) -> str:
        """The exact `iss` that tokens must carry."""
        if self.cognito_issuer:
            return self.cognito_issuer
        return f"https://cognito-idp.{self._host}/{self.cognito_user_pool_id}"

    @property
    def discovery_url(self) -> str:
        """Where the pool's OpenID Connect discovery document is."""
        if self.cognito_discovery_url:
            return self.cognito_discovery_url
        base = self.user_pool_endpoint or f"https://cognito-idp.{self._host}"
        return f"{base}/{self.cognito_user_pool_id}/.well-known/openid-configuration"

    @property
    def user_pool_endpoint(self) -> str | None:
        """The address of the user pool API when it is not AWS's own."""
        return self.aws_endpoint_url_cognito_identity_provider or self.aws_endpoint_url

    @property
    def user_pool_api(self) -> str:
        """The address of the user pool's own API."""
        return f"{self.user_pool_endpoint or f'https://cognito-idp.{self._host}'}/"

    @property
    def sts_endpoint(self) -> str:
        """The address of AWS STS in the region."""
        own = self.aws_endpoint_url_sts or self.aws_endpoint_url
        return f"{own or f'https://sts.{self._host}'}/"

    @property
    def identity_pool_endpoint(self) -> str | None:
        """The address of the identity pool API when it is not AWS's own."""
        return self.aws_endpoint_url_cognito_identity or self.aws_endpoint_url

    @property
    def session_table_endpoint(self) -> str | None:
        """The address of DynamoDB when it is not AWS's own."""
        return self.aws_endpoint_url_dynamodb or self.aws_endpoint_url

    @property
    def offline(self) -> bool:
        """Whether the AWS behind the application is this machine's."""
        return is_loopback(urlsplit(self.user_pool_endpoint or "").hostname)

    @property
    def is_of_this_machine(self) -> bool:
        """Whether only this machine's browsers come in, or only its own AWS stands behind."""
        return self.offline or is_loopback(urlsplit(self.app_base_url).hostname)

    @property
    def login_key(self) -> str:
        """The key under which the identity pool knows the user pool."""
        return f"cognito-idp.{self._host}/{self.cognito_user_pool_id}"

    @property
    def _host(self) -> str:
        suffix = ".cn" if self.aws_region.startswith("cn-") else ""
        return f"{self.aws_region}.amazonaws.com{suffix}"


# What stands in for a value that is wrong, so that the others can still be held against each other.
_STAND_INS = {
    "app_base_url": "https://portal.example.com",
    "secret_key": "0123456789abcdef" * (MIN_KEY_BYTES // 16),
    "aws_region": "us-east-1",
    "cognito_user_pool_id": "us-east-1_AbC123",
    "cognito_client_id": "x",
    "cognito_identity_pool_id": "us-east-1:x",
    "api_endpoint": "https://api.example.com",
}


def _disagreements_beside(
    error: ValidationError, table: Mapping[str, str], kind: type[Settings]
) -> list[str]:
    wrong = {str(item["loc"][0]) for item in error.errors(include_url=False, include_input=False)}
    sound = {name: value for name, value in table.items() if name not in wrong}
    return _disagreements(kind.model_validate(_STAND_INS | sound), wrong)


def _sentences(error: ValidationError) -> list[str]:
    lines = []
    for item in error.errors(include_url=False, include_input=False):
        name = str(item["loc"][0]).upper()
        if item["type"] == "missing":
            lines.append(f"{name} is missing; set it, or {name}_FILE to a file that holds it")
        elif item["type"] == "value_error":
            lines.append(f"{name} {item['ctx']['error']}")
        elif item["type"].startswith("bool_"):
            lines.append(f"{name} must be true or false")
        elif item["type"].startswith("int_"):
            lines.append(f"{name} must be a whole number, such as 1800")
        else:
            text = item["msg"].removeprefix("Input should ").removeprefix("be ")
            lines.append(f"{name} must be {text}")
    return lines


def _disagreements(settings: Settings, wrong: set[str]) -> list[str]:
    """Where sound values contradict each other; `wrong` names the fields that are not sound."""
    found = [
        (
            {"cognito_scopes"},
            "openid" not in settings.cognito_scopes,
            "COGNITO_SCOPES lacks openid, without which there is no ID token; add it",
        ),
        (
            {"session_idle_seconds", "session_absolute_seconds"},
            settings.session_idle_seconds > settings.session_absolute_seconds,
            "SESSION_IDLE_SECONDS is longer than SESSION_ABSOLUTE_SECONDS; make it the shorter one",
        ),
    ]
    if not settings.is_of_this_machine:
        found.append(
            (
                {"app_show_tokens"},
                settings.app_show_tokens,
                "APP_SHOW_TOKENS puts raw tokens into pages, where other people come in; take it"
                " away",
            )
        )
        # Where other people come in, a key that can be guessed opens every session.
        found += [
            ({name}, True, f"{name.upper()} {why}")
            for name in ("secret_key", "secret_key_fallbacks")
            for one in _keys_of(settings, name)
            if (why := weakness(one)) is not None
        ]
    return [sentence for fields, holds, sentence in found if holds and not fields & wrong]


def _debugs(values: Mapping[str, str]) -> bool:
    return values.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no")


def _keys_of(settings: Settings, name: str) -> tuple[bytes, ...]:
    return (settings.secret_key,) if name == "secret_key" else settings.secret_key_fallbacks

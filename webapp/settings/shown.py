"""Settings as a person may see them: each with the value in force and its source, no secret."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from webapp.records import ShownSetting
from webapp.settings.model import Settings
from webapp.settings.table import Table


def shown(settings: Settings) -> tuple[ShownSetting, ...]:
    """Every setting, in the order of the table.

    What is not set shows the value that holds in its place, where there is one. Of a field that is
    kept out of `repr` only whether it is set; of a store's address all but who asks it.
    """
    in_force = _in_force(settings)
    return tuple(_shown(settings, field, in_force) for field in Table.model_fields)


def _shown(settings: Settings, field: str, in_force: Mapping[str, str | None]) -> ShownSetting:
    name = field.upper()
    given = getattr(settings, field)
    secret = not Table.model_fields[field].repr and field not in in_force
    value = None if secret else in_force.get(field, _text(given))
    return ShownSetting(
        name=name,
        value=value,
        is_set=bool(given) if secret else value is not None,
        secret=secret,
        source=settings.source_of(name),
    )


def _in_force(settings: Settings) -> dict[str, str | None]:
    """What holds where the setting itself does not say it, or may not be shown as it is."""
    return {
        "aws_endpoint_url_cognito_identity_provider": settings.user_pool_endpoint,
        "aws_endpoint_url_cognito_identity": settings.identity_pool_endpoint,
        "aws_endpoint_url_dynamodb": settings.session_table_endpoint,
        "aws_endpoint_url_sts": settings.aws_endpoint_url_sts or settings.aws_endpoint_url,
        "cognito_issuer": settings.issuer,
        "cognito_discovery_url": _without_query(settings.discovery_url),
        "session_store_url": _without_user(settings.session_store_url),
    }


def _text(value: object) -> str | None:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _without_query(url: str) -> str:
    # Whatever somebody put there to be let in.
    address, mark, _ = url.partition("?")
    return f"{address}?…" if mark else address


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    _, mark, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"…@{host}").geturl() if mark else url

"""SPEC section 3 as a model: one field a variable, each with its check.

A field whose value nobody may see has `repr=False`; `shown.py` goes by that.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from webapp.settings.values import (
    REGION,
    exact,
    key,
    keys,
    matching,
    names,
    origin,
    store_url,
    url,
    words,
)

API = "https://a1b2c3.execute-api.us-east-1.amazonaws.com"
DEFAULT_SCOPES = "openid email profile aws.cognito.signin.user.admin"

Origin = Annotated[str, AfterValidator(origin)]
UrlWithQuery = Annotated[
    str, AfterValidator(lambda value: url(value, path_allowed=True, query_allowed=True))
]
Url = Annotated[str, AfterValidator(lambda value: url(value, path_allowed=True))]
ApiUrl = Annotated[str, AfterValidator(lambda value: url(value, path_allowed=True, example=API))]


class Table(BaseModel):
    """SPEC section 3, one field a variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    app_base_url: Origin
    secret_key: Annotated[bytes, BeforeValidator(lambda value: key(str(value)))] = Field(repr=False)
    secret_key_fallbacks: Annotated[tuple[bytes, ...], BeforeValidator(keys)] = Field(
        (), repr=False
    )
    aws_region: Annotated[str, matching(REGION, "us-east-1")]
    aws_endpoint_url: Url | None = None
    aws_endpoint_url_cognito_identity_provider: Url | None = None
    aws_endpoint_url_cognito_identity: Url | None = None
    aws_endpoint_url_dynamodb: Url | None = None
    aws_endpoint_url_sts: Url | None = None
    cognito_user_pool_id: Annotated[str, matching(r"[\w-]{1,54}_[0-9A-Za-z]+", "us-east-1_AbC123")]
    cognito_client_id: Annotated[str, matching(r"[\w+.-]{1,128}", "1h57kf5cpq17m0eml12EXAMPLE")]
    cognito_client_secret: str | None = Field(None, repr=False)
    cognito_issuer: Annotated[str, AfterValidator(exact)] | None = None
    cognito_discovery_url: UrlWithQuery | None = None
    cognito_domain: Origin | None = None
    cognito_identity_pool_id: Annotated[
        str,
        matching(r"[\w-]{1,55}:[0-9A-Za-z-]+", "us-east-1:1234abcd-12ab-34cd-56ef-1234567890ab"),
    ]
    cognito_scopes: Annotated[tuple[str, ...], BeforeValidator(words)] = tuple(
        DEFAULT_SCOPES.split()
    )
    cognito_identity_providers: Annotated[tuple[str, ...], BeforeValidator(names)] = ()
    api_endpoint: ApiUrl
    session_store_url: Annotated[str, AfterValidator(store_url)] = Field(
        "sqlite:///var/sessions.db", repr=False
    )
    session_idle_seconds: int = Field(1800, ge=1, le=2_592_000)
    session_absolute_seconds: int = Field(43_200, ge=1, le=31_536_000)
    session_max_per_person: int = Field(20, ge=1, le=1000)
    app_show_tokens: bool = False
    trusted_proxy_hops: int = Field(0, ge=0, le=10)
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)
    ] = "INFO"
    log_format: Annotated[Literal["json", "console"], BeforeValidator(str.lower)] = "json"


KNOWN = tuple(name.upper() for name in Table.model_fields)
"""Every variable; each may also come as NAME_FILE."""

"""The shape of `stack.yaml`: one frozen dataclass for each part, with what a value may be.

Lengths are characters, times carry their unit in the name. What hangs together across parts (a
group's role exists, a JWT route has a scope) is checked in `infra.stack`.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt
from pydantic.dataclasses import dataclass

from infra.demo_facts import Demo
from infra.fact_kinds import FACTS, CustomAttributeName, Name, Text
from infra.function_facts import Function, Triggers
from infra.table_facts import PermissionsTable, SessionTable, UsersTable

UrlPath = Annotated[str, Field(pattern=r"^/\S*$")]
Permission = Annotated[str, Field(pattern=r"^(\*|[A-Z]+) /\S*$")]
RouteKey = Annotated[str, Field(pattern=r"^[A-Z]+ /\S*$")]
Count = Annotated[StrictInt, Field(ge=1)]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class PasswordPolicy:
    """What a password must be; a temporary one lives `temporary_days` days."""

    minimum_length: Annotated[StrictInt, Field(ge=6, le=99)]
    require: tuple[Literal["lowercase", "uppercase", "numbers", "symbols"], ...]
    temporary_days: Annotated[StrictInt, Field(ge=1, le=365)]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class CustomAttribute:
    """One attribute of the pool's own; Cognito adds the prefix `custom:`. Lengths in characters."""

    kind: Literal["String"]
    mutable: StrictBool
    min_length: Annotated[StrictInt, Field(ge=0, le=2048)]
    max_length: Annotated[StrictInt, Field(ge=1, le=2048)]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Domain:
    """Where people sign in: 2 is Managed Login, 1 the classic pages."""

    version: Literal[1, 2]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class UserPool:
    """The directory of people: how they sign up, sign in and recover."""

    tier: Literal["LITE", "ESSENTIALS", "PLUS"]
    sign_in_with: tuple[Literal["email"], ...]
    case_sensitive: StrictBool
    self_sign_up: StrictBool
    verify: tuple[Literal["email"], ...]
    verify_before_update: tuple[Literal["email"], ...]
    recovery: tuple[Literal["verified_email", "admin_only"], ...]
    mfa: Literal["OFF", "OPTIONAL", "ON"]
    mfa_methods: tuple[Literal["SOFTWARE_TOKEN_MFA"], ...]
    password: PasswordPolicy
    custom_attributes: dict[CustomAttributeName, CustomAttribute]
    domain: Domain


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Group:
    """A group of the user pool; the lowest precedence gives the preferred role."""

    precedence: Annotated[StrictInt, Field(ge=0)]
    role: Name
    description: Text
    demo: StrictBool = False


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Rotation:
    """Refresh token rotation; the old token still works for `grace_seconds`."""

    enabled: StrictBool
    grace_seconds: Annotated[StrictInt, Field(ge=0, le=60)]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class AppClient:
    """The application as Cognito knows it. Paths are below the application's origin."""

    secret: StrictBool
    flows: tuple[Literal["code"], ...]
    scopes: tuple[Text, ...]
    identity_providers: tuple[Text, ...]
    callback_paths: tuple[UrlPath, ...]
    logout_paths: tuple[UrlPath, ...]
    auth_flows: tuple[Text, ...]
    id_token_minutes: Annotated[StrictInt, Field(ge=5, le=1440)]
    access_token_minutes: Annotated[StrictInt, Field(ge=5, le=1440)]
    refresh_token_days: Annotated[StrictInt, Field(ge=1, le=3650)]
    auth_session_minutes: Annotated[StrictInt, Field(ge=3, le=15)]
    rotation: Rotation
    revocation: StrictBool
    hide_user_existence: StrictBool
    read_attributes: tuple[Text, ...]
    write_attributes: tuple[Text, ...]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class MappingRule:
    """One rule of a role mapping of type Rules; the first match wins."""

    claim: Text
    match: Literal["Equals", "Contains", "StartsWith", "NotEqual"]
    value: Text
    role: Name


@dataclass(frozen=True, kw_only=True, config=FACTS)
class RoleMapping:
    """How a signed-in person gets a role; `ambiguous` decides when nothing does."""

    type: Literal["Token", "Rules"]
    ambiguous: Literal["AuthenticatedRole", "Deny"]
    rules: Annotated[tuple[MappingRule, ...], Field(max_length=25)] = ()


@dataclass(frozen=True, kw_only=True, config=FACTS)
class IdentityPool:
    """The exchange of an ID token (or of nothing, for a guest) for AWS credentials."""

    guests: StrictBool
    classic_flow: StrictBool
    check_token_on_server: StrictBool
    guest_role: Name
    authenticated_role: Name
    role_mapping: RoleMapping
    principal_tags: dict[Name, Text]
    """Tag of the session to the claim of the ID token that fills it."""


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Role:
    """A role that the identity pool hands out; `invoke` lists "METHOD /path" patterns."""

    trust: Literal["authenticated", "unauthenticated"]
    invoke: tuple[Permission, ...]
    demo: StrictBool = False


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Throttle:
    """The stage's limit: requests a second, and how many at once above it."""

    rate_per_second: Count
    burst: Count


@dataclass(frozen=True, kw_only=True, config=FACTS)
class JwtAuthorizer:
    """Where API Gateway finds the bearer token; issuer and audience come from the pool."""

    name: Name
    identity_source: Annotated[str, Field(pattern=r"^\$request\.")]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Route:
    """One address of the HTTP API, who guards it, and the function behind it."""

    name: Name
    route: RouteKey
    authorization: Literal["NONE", "AWS_IAM", "JWT"]
    function: Name
    scopes: tuple[Text, ...] = ()


@dataclass(frozen=True, kw_only=True, config=FACTS)
class HttpApi:
    """The HTTP API (API Gateway v2) in front of the functions."""

    stage: Text
    throttle: Throttle
    jwt_authorizer: JwtAuthorizer
    routes: tuple[Route, ...]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class ResourceServer:
    """The API as OAuth knows it; a scope is IDENTIFIER/NAME, with a description."""

    identifier: Name
    scopes: dict[Text, Text]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Stack:
    """All of `stack.yaml`."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    user_pool: UserPool
    groups: dict[Name, Group]
    app_client: AppClient
    identity_pool: IdentityPool
    roles: dict[Name, Role]
    functions: dict[Name, Function]
    http_api: HttpApi
    session_table: SessionTable
    permissions_table: PermissionsTable
    users_table: UsersTable
    triggers: Triggers
    resource_server: ResourceServer
    demo: Demo

    def resource(self, key: str) -> str:
        """Return the name of the resource with this key, where there are several of its kind."""
        return f"{self.name}-{key}"

"""The shape of `functions` and `triggers` in `stack.yaml`."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, StrictInt
from pydantic.dataclasses import dataclass

from infra.fact_kinds import FACTS, Name, Text

Fact = Literal[
    "user_pool.issuer", "user_pool.jwks_url", "app_client.id", "permissions_table.name",
    "users_table.name", "groups", "triggers.allowed_domains", "triggers.auto_confirm_domains",
    "triggers.department_groups", "triggers.group_scopes", "triggers.default_group",
    "triggers.product",
]  # fmt: skip
TableAction = Literal["Query", "GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"]
UserPoolAction = Literal["AdminAddUserToGroup"]
TriggerName = Literal[
    "pre_sign_up", "pre_token_generation", "post_confirmation", "custom_message",
    "pre_authentication", "post_authentication",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Function:
    """A Lambda function; `environment` maps a variable to a fact known after provisioning.

    `tables` says what its own role may do with which table (by the table's key), index included;
    `user_pool` what it may do with the user pool.
    """

    package: Name
    handler: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$")]
    runtime: Annotated[str, Field(pattern=r"^python3\.\d+$")]
    architecture: Literal["arm64", "x86_64"]
    memory_mb: Annotated[StrictInt, Field(ge=128, le=10240)]
    timeout_seconds: Annotated[StrictInt, Field(ge=1, le=30)]
    environment: dict[Name, Fact]
    tables: dict[Literal["permissions", "users"], tuple[TableAction, ...]] = field(
        default_factory=dict
    )
    user_pool: tuple[UserPoolAction, ...] = ()


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Triggers:
    """What the user pool calls (a function's key by the trigger's name), and what these go by."""

    functions: dict[TriggerName, Name]
    allowed_domains: tuple[Text, ...]
    auto_confirm_domains: tuple[Text, ...]
    department_groups: dict[Text, Name]
    default_group: Name
    group_scopes: dict[Name, tuple[Text, ...]]
    product: Text

"""The shape of `demo` in `stack.yaml`: who and what is there offline, to be looked at."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt
from pydantic.dataclasses import dataclass

from infra.fact_kinds import FACTS, CustomAttributeName, Name, Text

DocumentId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Rights = tuple[Literal["read", "write"], ...]


@dataclass(frozen=True, kw_only=True, config=FACTS)
class DemoGrant:
    """A share that ends so many hours after the provisioning; below zero it is over already."""

    to: Text
    permissions: Rights
    hours: StrictInt


@dataclass(frozen=True, kw_only=True, config=FACTS)
class DemoDocument:
    """A document of the demonstration; people are named by their mail."""

    id: DocumentId
    title: Text
    text: Text
    owner: Text
    department: str | None = None
    project: str | None = None
    collaborators: dict[Text, Rights] = field(default_factory=dict)
    grants: tuple[DemoGrant, ...] = ()


@dataclass(frozen=True, kw_only=True, config=FACTS)
class DemoUser:
    """A person of the offline demo; `attributes` are custom ones, without their prefix."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    name: Text
    groups: tuple[Name, ...]
    attributes: dict[CustomAttributeName, Text]
    note: Text
    must_change_password: StrictBool = False


@dataclass(frozen=True, kw_only=True, config=FACTS)
class Demo:
    """Who is there offline. The passwords are public by design.

    `callbacks` are addresses that the app client may send people back to, beside its own.
    """

    password: Text
    temporary_password: Text
    users: tuple[DemoUser, ...]
    documents: tuple[DemoDocument, ...] = ()
    callbacks: tuple[Annotated[str, Field(pattern=r"^http://127\.0\.0\.1:\d+/\w+$")], ...] = ()

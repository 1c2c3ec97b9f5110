"""What the backend should answer about documents, by its own rules: group first, then what ties.

The documents of the demonstration as data. `infra/stack.yaml` has them too and the backend has the
rules; tests hold all three against each other, so that none can drift.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from webapp.api.standing import Standing

Right = Literal["list", "read", "write", "delete"]

ID = r"[a-z0-9][a-z0-9\-]{0,63}"
"""As a browser reads a pattern, too: there a hyphen in a class is escaped."""
NOT_THERE = "portico-has-no-such-document"
"""An id that nobody gives to a document, so that deleting it destroys nothing."""
_READERS = frozenset({"Admin", "Manager", "Viewer"})


@dataclass(frozen=True, slots=True)
class DemoDocument:
    """One document of the demonstration. People by their mail, rights as the backend names them.

    `lent` names whom a grant lets read or write until it expires; one that is over counts nothing.
    """

    owner: str
    department: str | None = None
    project: str | None = None
    collaborators: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lent: Mapping[str, frozenset[str]] = field(default_factory=dict)


_READ, _WRITE = frozenset({"read"}), frozenset({"read", "write"})
DEMO: Mapping[str, DemoDocument] = {
    "handbook": DemoDocument("manager@example.com", department="Sales"),
    "atlas-plan": DemoDocument("admin@example.com", project="atlas"),
    "diary": DemoDocument("nobody@example.com"),
    "budget": DemoDocument(
        "admin@example.com",
        collaborators={"nobody@example.com": _READ, "both@example.com": _WRITE},
    ),
    "visit": DemoDocument("admin@example.com", lent={"nobody@example.com": _WRITE}),
}


def status(right: Right, person: Standing | None, values: Mapping[str, str]) -> int | None:
    """The status once the role has let the call through; None where nobody can know it.

    Without a `person`: what the one gets who may do everything.
    """
    if right == "list":
        return 200
    name = values.get("id", "")
    if not re.fullmatch(ID, name):
        return 400
    if right == "write" and not values.get("title", "").strip():
        return 400
    if name == NOT_THERE and right != "write":
        known = person is None or _READERS & {*person.groups}
        return 404 if known else 403
    if person is not None and not person.demo:
        return None
    document = DEMO.get(name)
    if document is None:
        return None
    if person is None or _allowed(right, person, document):
        return 200
    return None if right in document.lent.get(person.email or "", ()) else 403


def _allowed(right: Right, person: Standing, document: DemoDocument) -> bool:
    groups, mail = {*person.groups}, person.email or ""
    return any(
        (
            "Admin" in groups,
            "Manager" in groups and right != "delete",
            "Viewer" in groups and right == "read",
            document.department is not None
            and document.department == person.department
            and right == "read",
            document.project in person.projects and right != "delete",
            right in document.collaborators.get(mail, ()),
            document.owner == mail,
        )
    )

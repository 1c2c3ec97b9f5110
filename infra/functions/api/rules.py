"""Who may do what with a document: group first, then what ties the person to the document.

    Admin                    everything
    Manager                  read, write
    Viewer                   read
    owner                    everything
    collaborator             what the entry says
    same department          read
    same project             read, write
    grant, until it expires  what the entry says

The first rule that allows decides. A refusal names the rule that came nearest, so that a person
knows whom to ask for what. Nothing here reads a table or a token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Action = Literal["read", "write", "delete"]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The person who asks, as the verified ID token says."""

    sub: str
    groups: tuple[str, ...] = ()
    department: str | None = None
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Document:
    """What the rules look at; `version` counts its writes."""

    id: str
    owner: str
    title: str
    text: str
    department: str | None = None
    project: str | None = None
    version: int = 1
    updated_at: int = 0


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a document's owner allows one person. `expires_at` is in epoch seconds, if it ends."""

    kind: Literal["collaborator", "grant"]
    sub: str
    permissions: frozenset[str]
    expires_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Yes or no, by which rule, and in a sentence why."""

    allowed: bool
    rule: str
    because: str


def decide(
    reader: Reader,
    action: Action,
    document: Document,
    shares: Sequence[Share] = (),
    *,
    now: float,
) -> Decision:
    """The decision on one action; `now` in epoch seconds."""
    nearest = NOTHING
    for decision in _considered(reader, action, document, shares, now):
        if decision.allowed:
            return decision
        nearest = decision  # later rules are nearer to the document
    return nearest


def decide_unknown(reader: Reader) -> Decision:
    """On a document that is not there: only whom a group lets read all may know that."""
    if {"Admin", "Manager", "Viewer"} & {*reader.groups}:
        return _yes("not_there", "There is no such document.")
    return NOTHING


def decide_new(reader: Reader, project: str | None) -> Decision:
    """On a document that is to be made: whoever writes it first owns it."""
    if {*reader.groups} == {"Viewer"}:
        return _no("viewer_reads_only", "A Viewer reads and writes nothing.")
    if project is not None and project not in reader.projects:
        return _no("foreign_project", "You are not in the project that the document names.")
    return _yes("new", "Whoever writes a document first owns it.")


def _considered(
    reader: Reader, action: Action, document: Document, shares: Sequence[Share], now: float
) -> Iterator[Decision]:
    groups = {*reader.groups}
    if "Admin" in groups:
        yield _yes("admin_group", "Admins may do everything.")
    if "Manager" in groups:
        yield _when(
            action != "delete",
            ("manager_group", "Managers read and write all documents."),
            ("manager_deletes_nothing", "Managers read and write; deleting is the owner's."),
        )
    if "Viewer" in groups:
        yield _when(
            action == "read",
            ("viewer_group", "Viewers read all documents."),
            ("viewer_reads_only", "A Viewer reads and writes nothing."),
        )
    if document.department is not None and reader.department == document.department:
        yield _when(
            action == "read",
            ("department", "The document belongs to your department."),
            ("department_reads_only", "Your department may read this document, no more."),
        )
    if document.project is not None and document.project in reader.projects:
        yield _when(
            action != "delete",
            ("project", "You are in the document's project."),
            ("project_deletes_nothing", "Its project reads and writes; deleting is the owner's."),
        )
    for share in shares:
        if share.sub == reader.sub:
            yield _shared(share, action, now)
    if document.owner == reader.sub:
        yield _yes("owner", "The document is yours.")


def _shared(share: Share, action: Action, now: float) -> Decision:
    if share.expires_at is not None and share.expires_at <= now:
        return _no("grant_expired", "You had a grant for this document, and it has expired.")
    if share.kind == "collaborator":
        return _when(
            action in share.permissions,
            ("collaborator", "You are a collaborator of this document."),
            ("collaborator_limited", f"You are a collaborator who may not {action}."),
        )
    return _when(
        action in share.permissions,
        ("grant", "You have a grant for this document that has not expired."),
        ("grant_limited", f"Your grant for this document does not let you {action}."),
    )


def _when(holds: bool, yes: tuple[str, str], no: tuple[str, str]) -> Decision:
    return _yes(*yes) if holds else _no(*no)


def _yes(rule: str, because: str) -> Decision:
    return Decision(allowed=True, rule=rule, because=because)


def _no(rule: str, because: str) -> Decision:
    return Decision(allowed=False, rule=rule, because=because)


NOTHING = _no("no_rule", "Nothing ties you to this document: no group, share, department, project.")

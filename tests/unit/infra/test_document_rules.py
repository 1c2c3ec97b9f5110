"""Who may do what with a document: every rule says yes and no, and a refusal names the nearest."""

from itertools import product

import pytest

from infra.functions.api.rules import (
    Action,
    Document,
    Reader,
    Share,
    decide,
    decide_new,
    decide_unknown,
)

NOW = 1_800_000_000
PLAN = Document(
    id="plan", owner="olga", title="Plan", text="…", department="Sales", project="atlas"
)
ACTIONS: tuple[Action, ...] = ("read", "write", "delete")


def _share(*permissions: str, kind: str = "collaborator", ends: int | None = None) -> Share:
    return Share(
        kind="grant" if kind == "grant" else "collaborator",
        sub="rita",
        permissions=frozenset(permissions),
        expires_at=ends,
    )


def _reader(*groups: str, department: str | None = None, projects: tuple[str, ...] = ()) -> Reader:
    return Reader(sub="rita", groups=groups, department=department, projects=projects)


# Who, what is shared with them, and the rule for reading, writing, deleting; + is a yes.
RULES: dict[str, tuple[Reader, list[Share], str]] = {
    "admin": (_reader("Admin"), [], "+admin_group +admin_group +admin_group"),
    "manager": (_reader("Manager"), [], "+manager_group +manager_group -manager_deletes_nothing"),
    "viewer": (_reader("Viewer"), [], "+viewer_group -viewer_reads_only -viewer_reads_only"),
    "developer": (_reader("Developer"), [], "-no_rule -no_rule -no_rule"),
    "nobody": (_reader(), [], "-no_rule -no_rule -no_rule"),
    "owner": (Reader(sub="olga"), [], "+owner +owner +owner"),
    "owning viewer": (Reader(sub="olga", groups=("Viewer",)), [], "+viewer_group +owner +owner"),
    "department": (
        _reader(department="Sales"),
        [],
        "+department -department_reads_only -department_reads_only",
    ),
    "other department": (_reader(department="sales"), [], "-no_rule -no_rule -no_rule"),
    "project": (
        _reader(projects=("borealis", "atlas")),
        [],
        "+project +project -project_deletes_nothing",
    ),
    "other project": (_reader(projects=("atlas2", "")), [], "-no_rule -no_rule -no_rule"),
    "reading collaborator": (
        _reader(),
        [_share("read")],
        "+collaborator -collaborator_limited -collaborator_limited",
    ),
    "writing collaborator": (
        _reader(),
        [_share("read", "write")],
        "+collaborator +collaborator -collaborator_limited",
    ),
    "grant": (
        _reader(),
        [_share("read", kind="grant", ends=NOW + 1)],
        "+grant -grant_limited -grant_limited",
    ),
    "grant at its end": (
        _reader(),
        [_share("read", "write", kind="grant", ends=NOW)],
        "-grant_expired -grant_expired -grant_expired",
    ),
    "expired, yet in the department": (
        _reader(department="Sales"),
        [_share("write", kind="grant", ends=NOW - 5)],
        "+department -grant_expired -grant_expired",
    ),
}


@pytest.mark.parametrize("who", RULES)
def test_each_rule(who: str) -> None:
    """Each rule allows what it should and no more, and the refusal names the nearest rule."""
    reader, shares, expected = RULES[who]
    found = []
    for action in ACTIONS:
        decision = decide(reader, action, PLAN, shares, now=NOW)
        assert decision.because
        found.append(f"{'+' if decision.allowed else '-'}{decision.rule}")
    assert " ".join(found) == expected


def test_a_share_counts_for_its_person_alone() -> None:
    """What is shared with somebody else opens nothing."""
    theirs = Share(kind="collaborator", sub="rick", permissions=frozenset({"read", "write"}))
    assert not decide(_reader(), "read", PLAN, [theirs], now=NOW).allowed


def test_nothing_ties_to_what_is_not_there() -> None:
    """A document without department and project ties nobody who has none either."""
    bare = Document(id="x", owner="olga", title="t", text="")
    for reader, action in product((_reader(), _reader(projects=("",)), _reader("x")), ACTIONS):
        assert not decide(reader, action, bare, now=NOW).allowed


@pytest.mark.parametrize("group", ["Admin", "Manager", "Viewer"])
def test_who_reads_all_learns_what_is_missing(group: str) -> None:
    """Only somebody whose group reads all is told that a document does not exist."""
    assert decide_unknown(_reader(group)).allowed
    assert not decide_unknown(_reader("Developer")).allowed


@pytest.mark.parametrize(
    ("reader", "project", "rule"),
    [
        (_reader(), None, "new"),
        (_reader("Viewer"), None, "viewer_reads_only"),
        (_reader("Viewer", "Developer"), None, "new"),
        (_reader(projects=("atlas",)), "atlas", "new"),
        (_reader(projects=("atlas",)), "borealis", "foreign_project"),
    ],
)
def test_new_documents(reader: Reader, project: str | None, rule: str) -> None:
    """Whoever may write makes documents, in projects of their own."""
    decision = decide_new(reader, project)
    assert (decision.rule, decision.allowed) == (rule, rule == "new")

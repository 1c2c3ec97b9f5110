"""Documents over the offline AWS: role, then rule, with a real table behind the API."""

import json
from typing import Any

import pytest

from tests.stack.api_callers import Callers
from tests.stack.offline import OfflineAws

ADMIN, MANAGER, VIEWER, NOBODY, BOTH = (
    f"{name}@example.com" for name in ("admin", "manager", "viewer", "nobody", "both")
)
DOCUMENTS = ("handbook", "atlas-plan", "diary", "budget", "visit")
# Who, and the rule (or the status that IAM gives) for reading each of DOCUMENTS.
READING = {
    ADMIN: ("admin_group",) * 5,
    MANAGER: ("manager_group",) * 5,
    VIEWER: ("viewer_group",) * 5,
    NOBODY: ("no_rule", "no_rule", "owner", "collaborator", "grant"),
}
NEW = {"title": "Made here", "text": "by a test"}


@pytest.fixture(scope="module")
def callers(offline_aws: OfflineAws) -> Callers:
    return Callers(offline_aws)


def _call(
    callers: Callers, who: str | None, method: str, path: str, body: Any = None
) -> tuple[int, Any]:
    content = None if body is None else json.dumps(body)
    answer = callers.signed(path, who, token_of=who, method=method, body=content)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("email", READING)
def test_reading_each_document(callers: Callers, email: str) -> None:
    """Every document is read or refused by the rule that fits the person."""
    for document, rule in zip(DOCUMENTS, READING[email], strict=True):
        status, body = _call(callers, email, "GET", f"/documents/{document}")
        if rule == "no_rule":
            assert (status, body["rule"]) == (403, rule), (document, body)
            assert body["because"]
            assert "document" not in body
        else:
            assert (status, body["decided_by"]["rule"]) == (200, rule), (document, body)
            assert body["document"]["id"] == document


def test_the_list_holds_what_may_be_read(callers: Callers) -> None:
    """A person's list is the documents that they may read, each with its rule."""
    status, body = _call(callers, NOBODY, "GET", "/documents")
    rules = {row["id"]: row["rule"] for row in body["documents"]}
    assert status == 200
    assert {name: rules[name] for name in DOCUMENTS if name in rules} == {
        "diary": "owner",
        "budget": "collaborator",
        "visit": "grant",
    }


def test_role_first_then_rule(callers: Callers) -> None:
    """A role that may only GET is stopped by IAM; a guest and nobody reach no document."""
    assert _call(callers, VIEWER, "PUT", "/documents/budget", NEW)[0] == 403
    assert "rule" not in _call(callers, VIEWER, "PUT", "/documents/budget", NEW)[1]
    assert callers.signed("/documents", None).status_code == 403
    assert callers.call("/documents/diary").status_code == 403


def test_a_life_of_a_document(callers: Callers) -> None:
    """Made, changed, shared by nobody, deleted by its owner alone; each step says by which rule."""
    path = "/documents/made-by-nobody"
    status, made = _call(callers, NOBODY, "PUT", path, NEW)
    assert (status, made["decided_by"]["rule"], made["document"]["version"]) == (200, "new", 1)
    status, changed = _call(callers, MANAGER, "PUT", path, {**NEW, "text": "changed"})
    assert (status, changed["decided_by"]["rule"]) == (200, "manager_group")
    assert (changed["document"]["version"], changed["document"]["owner"]) == (
        2,
        made["document"]["owner"],
    )
    status, body = _call(callers, MANAGER, "DELETE", path)
    assert (status, body["rule"]) == (403, "manager_deletes_nothing")
    status, body = _call(callers, NOBODY, "DELETE", path)
    assert (status, body["decided_by"]["rule"]) == (200, "owner")
    assert _call(callers, ADMIN, "GET", path)[0] == 404
    assert _call(callers, NOBODY, "GET", path)[0] == 403


@pytest.mark.parametrize(
    ("path", "body", "status", "rule"),
    [
        ("/documents/Bad_Id", NEW, 400, "bad_id"),
        ("/documents/x1", {"title": "", "text": ""}, 400, "bad_title"),
        ("/documents/x1", {"title": "t"}, 400, "bad_text"),
        ("/documents/x1", ["t"], 400, "bad_body"),
        ("/documents/x1", {**NEW, "text": "x" * 10_001}, 400, "bad_text"),
        ("/documents/x1", {**NEW, "text": "x" * 20_000}, 413, "body_too_large"),
        ("/documents/x1", {**NEW, "project": "atlas"}, 403, "foreign_project"),
    ],
)
def test_what_is_not_taken(callers: Callers, path: str, body: Any, status: int, rule: str) -> None:
    """A body or an id that is not sound is refused with the reason, and nothing is made."""
    got, answer = _call(callers, NOBODY, "PUT", path, body)
    assert (got, answer["rule"]) == (status, rule)
    assert _call(callers, ADMIN, "GET", "/documents/x1")[0] == 404

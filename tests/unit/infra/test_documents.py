"""The function behind /documents: who comes in, what a body may be, and a table that is away."""

import base64
import json
from dataclasses import replace
from typing import Any, cast

import pytest

from infra.functions.api.documents import Documents
from infra.functions.api.id_token import IdTokenVerifier
from infra.functions.api.keys import SigningKeys
from infra.functions.api.permission_table import PermissionTable
from infra.functions.api.refusal import Refused
from infra.functions.api.routes import DOCUMENT_ROUTES
from infra.functions.api.rules import Document, Share
from infra.stack import load_stack
from tests.unit.infra.conftest import Clock
from tests.unit.infra.events import GUEST_AMR, iam_event, open_event
from tests.unit.infra.pool import CLIENT_ID, ISSUER, OTHER_SUB, SUB, UserPool


class Table:
    """A table in memory; `down` stands for DynamoDB away, `moved` for somebody who was quicker."""

    def __init__(self) -> None:
        self.kept: dict[str, Document] = {}
        self.queries = 0
        self.down = self.moved = False

    def read(self, document_id: str) -> tuple[Document | None, list[Share]]:
        self.queries += 1
        if self.down:
            raise Refused(503, "table_unavailable")
        return self.kept.get(document_id), []

    def documents(self) -> list[Document]:
        return [*self.kept.values()]

    def shared_with(self, sub: str) -> dict[str, Share]:
        return {}

    def write(self, document: Document, *, over: int | None) -> bool:
        known = self.kept.get(document.id)
        if self.moved or (known.version if known else None) != over:
            return False
        self.kept[document.id] = document
        return True

    def delete(self, document: Document, shares: list[Share]) -> bool:
        return not self.moved and self.kept.pop(document.id, None) is not None


@pytest.fixture
def table() -> Table:
    made = Table()
    made.kept["mine"] = Document(id="mine", owner=SUB, title="Mine", text="…")
    made.kept["theirs"] = Document(id="theirs", owner=OTHER_SUB, title="Theirs", text="secret")
    return made


@pytest.fixture
def documents(pool: UserPool, wall: Clock, ticks: Clock, table: Table) -> Documents:
    keys = SigningKeys(pool.jwks_url, now=ticks)
    verifier = IdTokenVerifier(issuer=ISSUER, client_id=CLIENT_ID, keys=keys, now=wall)
    return Documents(verifier, cast("PermissionTable", table), now=wall)


def _ungrouped(pool: UserPool) -> str:
    claims: dict[str, Any] = {"cognito:groups": []}
    return pool.token(**claims)


def _event(route: str, token: str | None, id_: str = "mine", body: Any = None) -> dict[str, Any]:
    event = iam_event(route, token=token)
    event["pathParameters"] = {"id": id_}
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    return event


def _asked(documents: Documents, event: dict[str, Any]) -> tuple[int, Any]:
    answer = documents.answer(event)
    return answer["statusCode"], json.loads(answer["body"])


def test_every_route_of_the_stack_has_an_answer() -> None:
    """The function knows exactly the routes that stack.yaml sends to it."""
    routes = load_stack().http_api.routes
    known = {route.route for route in routes if route.function == "documents"}
    assert known == set(DOCUMENT_ROUTES)


@pytest.mark.parametrize("route", DOCUMENT_ROUTES)
def test_only_a_proven_person_comes_in(
    documents: Documents, pool: UserPool, table: Table, route: str
) -> None:
    """No caller, a guest, no ID token and somebody else's ID token are refused before the table."""
    token = _ungrouped(pool)
    theirs = pool.token(sub=OTHER_SUB)
    assert documents.answer(open_event(route))["statusCode"] == 401
    assert documents.answer(iam_event(route, amr=GUEST_AMR, token=token))["statusCode"] == 403
    assert documents.answer(_event(route, None))["statusCode"] == 401
    assert documents.answer(_event(route, theirs))["statusCode"] == 403
    assert table.queries == 0


def test_one_query_answers_a_decision(documents: Documents, pool: UserPool, table: Table) -> None:
    """Reading costs one query, and what is refused shows nothing of the document."""
    token = _ungrouped(pool)
    assert _asked(documents, _event("GET /documents/{id}", token))[0] == 200
    assert table.queries == 1
    status, body = _asked(documents, _event("GET /documents/{id}", token, "theirs"))
    assert (status, body["rule"]) == (403, "no_rule")
    assert "secret" not in json.dumps(body)
    assert table.queries == 2


def test_claims_decide_department_and_project(
    documents: Documents, pool: UserPool, table: Table
) -> None:
    """Department and projects come from the verified token's own attributes."""
    theirs = table.kept["theirs"]
    table.kept["theirs"] = replace(theirs, department="Sales", project="atlas")
    claims: dict[str, Any] = {"cognito:groups": [], "custom:department": "Sales"}
    event = _event("GET /documents/{id}", pool.token(**claims), "theirs")
    assert _asked(documents, event)[1]["decided_by"]["rule"] == "department"
    claims = {"cognito:groups": [], "custom:project_ids": "borealis, atlas"}
    event = _event("GET /documents/{id}", pool.token(**claims), "theirs")
    assert _asked(documents, event)[1]["decided_by"]["rule"] == "project"


def test_a_body_may_come_in_base64(documents: Documents, pool: UserPool) -> None:
    """API Gateway sends a body of an unknown type in base64; it is read all the same."""
    event = _event("PUT /documents/{id}", pool.token(), "new")
    event["body"] = base64.b64encode(b'{"title": "t", "text": "\xc3\xbc"}').decode()
    event["isBase64Encoded"] = True
    assert _asked(documents, event)[1]["document"]["text"] == "ü"


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "1", '"x"', "[" * 5000, "\ud800"])
def test_a_body_that_is_no_object(documents: Documents, pool: UserPool, body: str) -> None:
    """Whatever is no JSON object is refused with a sentence and changes nothing."""
    event = _event("PUT /documents/{id}", pool.token(), "new", body)
    status, answer = _asked(documents, event)
    assert (status, answer["rule"]) == (400, "bad_body")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_somebody_was_quicker(
    documents: Documents, pool: UserPool, table: Table, method: str
) -> None:
    """A document that moved since it was read is a conflict, not a lost change."""
    table.moved = True
    event = _event(f"{method} /documents/{{id}}", pool.token(), body={"title": "t", "text": ""})
    status, answer = _asked(documents, event)
    assert (status, answer["rule"]) == (409, "changed_meanwhile")
    assert table.kept["mine"].title == "Mine"


def test_a_table_that_is_away_is_never_a_yes(
    documents: Documents, pool: UserPool, table: Table
) -> None:
    """Without an answer of DynamoDB the function says 503 and no reason of its own."""
    table.down = True
    status, answer = _asked(documents, _event("GET /documents/{id}", pool.token()))
    assert status == 503
    assert sorted(answer) == ["message", "request_id"]

"""The documents behind the fake API: those of the demonstration, by the backend's own rules."""

import json
from collections.abc import Callable, Sequence

from infra.demo_facts import DemoDocument
from infra.functions.api.rules import (
    Action,
    Decision,
    Document,
    Reader,
    Share,
    decide,
    decide_new,
    decide_unknown,
)
from infra.stack import load_stack
from tests.doubles.double import Now
from tests.doubles.keys import Json
from tests.doubles.message import Request
from tests.doubles.users import User

ACTIONS: dict[str, Action] = {"GET": "read", "PUT": "write", "DELETE": "delete"}
HOUR = 3600


class FakeDocuments:
    """Reads, writes and deletes; `people` are those of the pool, by whose mail owners are named."""

    def __init__(self, people: Callable[[], Sequence[User]], now: Now) -> None:
        self._people = people
        self._now = now
        self.kept = {one.id: one for one in load_stack().demo.documents}
        self.written: list[str] = []
        """Ids that were written or deleted, in order."""

    def answer(self, request: Request, name: str, claims: Json) -> tuple[int, Json]:
        """Status and body for the person of these claims; `name` is empty for the list."""
        reader = _reader(claims)
        if not name:
            allowed = [
                one for one in self.kept if self._decided(reader, "read", self.kept[one]).allowed
            ]
            return 200, {"documents": [{"id": one} for one in allowed]}
        action, document = ACTIONS[request.method], self.kept.get(name)
        if action == "write":
            body = json.loads(request.body)
            if not str(body.get("title", "")).strip():
                return 400, {"rule": "bad_title", "because": "A title is needed."}
            if document is None:
                return self._done(decide_new(reader, body.get("project")), name, action)
        if document is None:
            decision = decide_unknown(reader)
            return (404 if decision.allowed else 403), _told(decision)
        return self._done(self._decided(reader, action, document), name, action)

    def _done(self, decision: Decision, name: str, action: Action) -> tuple[int, Json]:
        if not decision.allowed:
            return 403, _told(decision)
        if action != "read":
            self.written.append(name)
        return 200, {"document": {"id": name}, "decided_by": _told(decision)}

    def _decided(self, reader: Reader, action: Action, document: DemoDocument) -> Decision:
        shares = [
            Share(kind="collaborator", sub=self._sub(mail), permissions=frozenset(rights))
            for mail, rights in document.collaborators.items()
        ]
        for one in document.grants:
            ends = int(self._now()) + one.hours * HOUR
            rights = frozenset(one.permissions)
            shares.append(
                Share(kind="grant", sub=self._sub(one.to), permissions=rights, expires_at=ends)
            )
        known = Document(
            id=document.id,
            owner=self._sub(document.owner),
            title=document.title,
            text=document.text,
            department=document.department,
            project=document.project,
        )
        return decide(reader, action, known, shares, now=self._now())

    def _sub(self, mail: str) -> str:
        return next((user.sub for user in self._people() if user.email == mail), mail)


def _reader(claims: Json) -> Reader:
    projects = str(claims.get("custom:project_ids") or "")
    return Reader(
        sub=str(claims["sub"]),
        groups=tuple(claims.get("cognito:groups", ())),
        department=claims.get("custom:department"),
        projects=tuple(one.strip() for one in projects.split(",") if one.strip()),
    )


def _told(decision: Decision) -> Json:
    return {"rule": decision.rule, "because": decision.because}

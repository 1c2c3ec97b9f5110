"""The Lambda behind /documents: the same proof of the caller, then the rules, then the table.

Environment: as the handler's, and PERMISSIONS_TABLE, the table's name.
"""

import base64
import binascii
import functools
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import boto3
from botocore.config import Config

from .caller import Caller
from .handler import Answer, Backend, Event, verifier_from_environment
from .id_token import IdTokenVerifier
from .permission_table import PermissionTable
from .refusal import Refused
from .routes import DOCUMENT_ROUTES
from .rules import Action, Decision, Document, Reader, Share, decide, decide_new, decide_unknown

MAX_BODY_BYTES = 16 * 1024
MAX_TITLE, MAX_TEXT = 200, 10_000
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def handle(event: Event, context: object) -> Answer:
    """Answer one request; the entry point that Lambda calls."""
    return _backend().answer(event)


@functools.cache
def _backend() -> "Documents":
    # Shorter than the function's own timeout: a refusal must still be sent.
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
    table = PermissionTable(
        boto3.client("dynamodb", config=config), os.environ["PERMISSIONS_TABLE"]
    )
    return Documents(verifier_from_environment(), table)


class Documents(Backend):
    """Reads, writes, deletes and lists documents. `now` gives epoch seconds."""

    def __init__(
        self,
        verifier: IdTokenVerifier,
        table: PermissionTable,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(verifier, DOCUMENT_ROUTES)
        self._table = table
        self._now = now

    def content(self, route_key: str, caller: Caller, event: Event) -> dict[str, Any]:
        """What the address answers. Raises Refused with the rule that said no."""
        reader = Reader(
            sub=caller.sub or "",
            groups=caller.groups,
            department=caller.department,
            projects=caller.projects,
        )
        method, _, path = route_key.partition(" ")
        if path == "/documents":
            return self._listed(reader)
        document_id = str((event.get("pathParameters") or {}).get("id") or "")
        if not _ID.fullmatch(document_id):
            raise Refused(400, "bad_id", "An id is lower-case letters, digits and hyphens, to 64.")
        if method == "GET":
            return self._read(reader, document_id)
        if method == "PUT":
            return self._written(reader, document_id, _body(event))
        return self._deleted(reader, document_id)

    def _listed(self, reader: Reader) -> dict[str, Any]:
        shared = self._table.shared_with(reader.sub)
        rows = []
        for document in self._table.documents():
            shares = [shared[document.id]] if document.id in shared else []
            decision = decide(reader, "read", document, shares, now=self._now())
            if decision.allowed:
                rows.append({"id": document.id, "title": document.title, "rule": decision.rule})
        return {"documents": rows}

    def _read(self, reader: Reader, document_id: str) -> dict[str, Any]:
        document, _, decision = self._allowed(reader, "read", document_id)
        return {"document": _shown(document), "decided_by": _told(decision)}

    def _written(self, reader: Reader, document_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        title, text, project = _fields(body)
        known, shares = self._table.read(document_id)
        now = int(self._now())
        if known is None:
            decision = _or_refused(decide_new(reader, project))
            document = Document(
                id=document_id,
                owner=reader.sub,
                title=title,
                text=text,
                department=reader.department,
                project=project,
                updated_at=now,
            )
        else:
            decision = _or_refused(decide(reader, "write", known, shares, now=now))
            document = replace(
                known, title=title, text=text, version=known.version + 1, updated_at=now
            )
        if not self._table.write(document, over=known.version if known else None):
            raise Refused(
                409, "changed_meanwhile", "Somebody else wrote it just now; read it again."
            )
        return {"document": _shown(document), "decided_by": _told(decision)}

    def _deleted(self, reader: Reader, document_id: str) -> dict[str, Any]:
        document, shares, decision = self._allowed(reader, "delete", document_id)
        if not self._table.delete(document, shares):
            raise Refused(
                409, "changed_meanwhile", "Somebody else wrote it just now; read it again."
            )
        return {"deleted": document_id, "decided_by": _told(decision)}

    def _allowed(
        self, reader: Reader, action: Action, document_id: str
    ) -> tuple[Document, list[Share], Decision]:
        document, shares = self._table.read(document_id)
        if document is None:
            decision = _or_refused(decide_unknown(reader))
            raise Refused(404, decision.rule, decision.because)
        decision = _or_refused(decide(reader, action, document, shares, now=self._now()))
        return document, shares, decision


def _or_refused(decision: Decision) -> Decision:
    if not decision.allowed:
        raise Refused(403, decision.rule, decision.because)
    return decision


def _body(event: Event) -> Mapping[str, Any]:
    raw = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            raw = base64.b64decode(raw, validate=True).decode()
        if not isinstance(raw, str) or len(raw.encode()) > MAX_BODY_BYTES:
            raise Refused(413, "body_too_large", f"A document has at most {MAX_BODY_BYTES} bytes.")
        body = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        raise Refused(400, "bad_body", "The body must be a JSON object.") from None
    if not isinstance(body, dict):
        raise Refused(400, "bad_body", "The body must be a JSON object.")
    return body


def _fields(body: Mapping[str, Any]) -> tuple[str, str, str | None]:
    title, text, project = body.get("title"), body.get("text"), body.get("project")
    if not isinstance(title, str) or not 0 < len(title.strip()) <= MAX_TITLE:
        raise Refused(400, "bad_title", f"A title of 1 to {MAX_TITLE} characters is needed.")
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise Refused(400, "bad_text", f"A text of at most {MAX_TEXT} characters is needed.")
    if project is not None and not (isinstance(project, str) and _PROJECT.fullmatch(project)):
        raise Refused(400, "bad_project", "A project is lower-case letters, digits and hyphens.")
    return title, text, project


def _shown(document: Document) -> dict[str, Any]:
    return {
        name: value
        for name in (
            "id",
            "title",
            "text",
            "owner",
            "department",
            "project",
            "version",
            "updated_at",
        )
        if (value := getattr(document, name)) is not None
    }


def _told(decision: Decision) -> dict[str, str]:
    return {"rule": decision.rule, "because": decision.because}

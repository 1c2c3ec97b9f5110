"""Documents and who shares them, in one DynamoDB table: one query answers one decision.

    doc (hash)        who (range)       beside it
    document#ID       document          owner, title, text, version, updated_at, department, project
    document#ID       person#SUB        kind, permissions, expires_at (epoch seconds; the TTL)

The index `by_who` turns the keys round: all documents, or all that is shared with one person.
DynamoDB removes what has expired within days, so an end is always judged by our own clock.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .refusal import Refused
from .rules import Document, Share

INDEX = "by_who"
MOST_LISTED = 200
_BATCH = 25  # AWS: BatchWriteItem takes no more
_DOCUMENT = "document"

_log = logging.getLogger("portico.api")

Item = Mapping[str, Any]


class PermissionTable:
    """The table; `api` is boto3's `dynamodb` client. Refuses with 503 while DynamoDB is away."""

    def __init__(self, api: Any, name: str) -> None:
        self._api = api
        self._name = name

    def read(self, document_id: str) -> tuple[Document | None, list[Share]]:
        """A document and all its shares, by one consistent query."""
        document, shares = None, []
        for item in self._queried(
            KeyConditionExpression="doc = :r",
            ExpressionAttributeValues={":r": {"S": _resource(document_id)}},
            ConsistentRead=True,
        ):
            if item["who"]["S"] == _DOCUMENT:
                document = _document(item)
            else:
                shares.append(_share(item))
        return document, shares

    def documents(self) -> list[Document]:
        """The first documents there are, by the index."""
        items = self._queried(
            IndexName=INDEX,
            KeyConditionExpression="who = :s",
            ExpressionAttributeValues={":s": {"S": _DOCUMENT}},
        )
        return [_document(item) for item in items]

    def shared_with(self, sub: str) -> dict[str, Share]:
        """What is shared with one person, by the document's id."""
        items = self._queried(
            IndexName=INDEX,
            KeyConditionExpression="who = :s",
            ExpressionAttributeValues={":s": {"S": f"person#{sub}"}},
        )
        return {item["doc"]["S"].partition("#")[2]: _share(item) for item in items}

    def write(self, document: Document, *, over: int | None) -> bool:
        """Put a document over the version that was read, or a new one. False when it moved."""
        item = {
            "doc": {"S": _resource(document.id)},
            "who": {"S": _DOCUMENT},
            "owner": {"S": document.owner},
            "title": {"S": document.title},
            "text": {"S": document.text},
            "version": {"N": str(document.version)},
            "updated_at": {"N": str(document.updated_at)},
        }
        for name in ("department", "project"):
            if (value := getattr(document, name)) is not None:
                item[name] = {"S": value}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(doc)"}
        if over is not None:
            condition = {
                "ConditionExpression": "#version = :over",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":over": {"N": str(over)}},
            }
        return self._asked("put_item", Item=item, **condition) is not None

    def delete(self, document: Document, shares: list[Share]) -> bool:
        """Remove a document as it was read, then its shares. False when it moved."""
        gone = self._asked(
            "delete_item",
            Key={"doc": {"S": _resource(document.id)}, "who": {"S": _DOCUMENT}},
            ConditionExpression="#version = :over",
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues={":over": {"N": str(document.version)}},
        )
        if gone is None:
            return False
        keys = [
            {"doc": {"S": _resource(document.id)}, "who": {"S": f"person#{share.sub}"}}
            for share in shares
        ]
        for start in range(0, len(keys), _BATCH):
            requests = [{"DeleteRequest": {"Key": key}} for key in keys[start : start + _BATCH]]
            self._asked("batch_write_item", RequestItems={self._name: requests}, TableName=None)
        return True

    def _queried(self, **query: Any) -> Iterator[Item]:
        found = 0
        page: dict[str, Any] = {}
        while found < MOST_LISTED:
            answer = self._asked("query", Limit=MOST_LISTED - found, **query, **page) or {}
            for item in answer.get("Items", ()):
                found += 1
                yield item
            if not answer.get("LastEvaluatedKey"):
                return
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _asked(self, operation: str, **given: Any) -> dict[str, Any] | None:
        """The answer; None when a condition did not hold."""
        given.setdefault("TableName", self._name)
        wanted = {name: value for name, value in given.items() if value is not None}
        try:
            answer: dict[str, Any] = getattr(self._api, operation)(**wanted)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ConditionalCheckFailedException":
                return None
            _log.warning("table: %s", code)
            raise Refused(503, "table_unavailable") from error
        except BotoCoreError as error:
            _log.warning("table: %s", type(error).__name__)
            raise Refused(503, "table_unavailable") from error
        return answer


def _resource(document_id: str) -> str:
    return f"document#{document_id}"


def _document(item: Item) -> Document:
    def text(name: str) -> str | None:
        value = item.get(name, {}).get("S")
        return str(value) if value is not None else None

    return Document(
        id=item["doc"]["S"].partition("#")[2],
        owner=text("owner") or "",
        title=text("title") or "",
        text=text("text") or "",
        department=text("department"),
        project=text("project"),
        version=int(item.get("version", {}).get("N", 1)),
        updated_at=int(item.get("updated_at", {}).get("N", 0)),
    )


def _share(item: Item) -> Share:
    ends = item.get("expires_at", {}).get("N")
    return Share(
        kind="collaborator" if item.get("kind", {}).get("S") == "collaborator" else "grant",
        sub=item["who"]["S"].partition("#")[2],
        permissions=frozenset(item.get("permissions", {}).get("SS", ())),
        expires_at=int(ends) if ends is not None else None,
    )

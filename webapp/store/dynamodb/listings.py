"""Which records a person has: one small item for each, all under the person's key.

Not an index of DynamoDB's own: a global index follows its table after a while, without a bound, so
ending all sessions of a person could miss the one that was made a moment ago. A listing is written
before its record stands and outlives it, so a consistent query misses none; that it may also name
records that never came to be, or have gone, is seen when the records themselves are read.
"""

from collections.abc import Callable, Iterator
from typing import Any

from webapp.store.base import Listed
from webapp.store.dynamodb import items
from webapp.store.dynamodb.calls import DynamoApi, Operation

AHEAD_SECONDS = 86_400
"""How much longer than its record a listing lasts, so that few renewals have to move it."""
PAGE = 1000  # an answer of some 60 KiB, far below what our way out takes
BATCH = 100  # AWS: BatchGetItem takes no more keys


class Listings:
    """The listings of one table. `begin` gives the time for one operation."""

    def __init__(self, api: DynamoApi, table: str, begin: Callable[[], Operation]) -> None:
        self._api = api
        self._table = table
        self._begin = begin

    def add(self, operation: Operation, person: bytes, key: bytes, *, until: int) -> None:
        """List a record until then (epoch seconds), or longer where it is already."""
        operation.write(
            self._api.put_item,
            TableName=self._table,
            Item=items.listing(person, key) | {"ttl": items.number(until)},
            ConditionExpression="attribute_not_exists(k) OR #ttl < :ttl",
            ExpressionAttributeNames=items.TTL,
            ExpressionAttributeValues={":ttl": items.number(until)},
        )

    def remove(self, operation: Operation, person: bytes, key: bytes) -> None:
        """Take the listing of a record away that is no more; of many a list is slow to read."""
        operation.write(
            self._api.delete_item, TableName=self._table, Key=items.listing(person, key)
        )

    def living(self, person: bytes, *, now: float) -> Iterator[Listed]:
        """All living records of a person."""
        keys = list(self._listed(person))
        for start in range(0, len(keys), BATCH):
            yield from self._living(keys[start : start + BATCH], person, now)

    def _listed(self, person: bytes) -> Iterator[bytes]:
        page: dict[str, Any] = {}
        while True:
            answer = self._begin().read(
                self._api.query,
                TableName=self._table,
                KeyConditionExpression="k = :person",
                ExpressionAttributeValues={":person": items.listing(person, b"")["k"]},
                ProjectionExpression="s",
                ConsistentRead=True,
                Limit=PAGE,
                **page,
            )
            yield from (item["s"]["B"] for item in answer.get("Items", ()))
            if not answer.get("LastEvaluatedKey"):
                return
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _living(self, keys: list[bytes], person: bytes, now: float) -> Iterator[Listed]:
        operation = self._begin()
        wanted: dict[str, Any] = {
            self._table: {
                "Keys": [items.record(key) for key in keys],
                "ConsistentRead": True,
                "ProjectionExpression": "k, person, shown, #ttl",
                "ExpressionAttributeNames": items.TTL,
            }
        }
        while wanted:
            answer = operation.read(self._api.batch_get_item, RequestItems=wanted)
            for item in answer.get("Responses", {}).get(self._table, ()):
                if items.lives(item, person, now):
                    yield items.listed(item)
            wanted = answer.get("UnprocessedKeys") or {}
            if wanted:
                operation.wait("UnprocessedKeys")

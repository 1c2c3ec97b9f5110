"""The store of a fleet on AWS: sessions, tombstones and claims in one DynamoDB table.

Reads are consistent and writes conditional. DynamoDB removes an item only days after its TTL, so an
end is always judged by our own clock. docs/decisions/0015-dynamodb-store.md has the reasons.
"""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from webapp.errors import StoreUnavailable
from webapp.store.base import Listed, Stored
from webapp.store.dynamodb import items
from webapp.store.dynamodb.calls import TOO_LARGE, DynamoApi, Operation, Outcome
from webapp.store.dynamodb.listings import AHEAD_SECONDS, Listings


class DynamoStore:
    """Sessions in one table. Safe over threads; nothing is sent before the first operation.

    `api` is a boto3 client that does not retry and whose deadline bounds one attempt. `clock` is
    monotonic and `pause` waits, both for sending again what was refused.
    """

    def __init__(
        self,
        api: DynamoApi,
        table: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._api = api
        self._table = table
        self._clock = clock
        self._pause = pause
        self._listings = Listings(api, table, self._begin)

    def load(self, key: bytes, *, now: float) -> Stored | None:
        """See Store. What is too large for a record is handed on as one that cannot be opened."""
        try:
            answer = self._begin().read(
                self._api.get_item,
                TableName=self._table,
                Key=items.record(key),
                ConsistentRead=True,
            )
        except StoreUnavailable as error:
            if error.facts["reason"] != TOO_LARGE:
                raise
            return Stored(b"", 0, 0)
        stored = items.stored(answer.get("Item") or {})
        return stored if stored and stored.expires_at > now else None

    def create(
        self,
        key: bytes,
        sealed: bytes,
        *,
        expires_at: int,
        person: bytes | None,
        now: float,
        label: bytes = b"",
    ) -> bool:
        """See Store."""
        del now  # an ended item keeps its key until TTL takes it: a clash is an attack
        operation = self._begin()
        item = items.record(key) | {
            "sealed": {"B": sealed},
            "version": items.number(1),
            "ttl": items.number(expires_at),
            "shown": {"B": label},
        }
        if person is not None:
            listed = expires_at + AHEAD_SECONDS
            item |= {"person": {"B": person}, "listed": items.number(listed)}
            self._listings.add(operation, person, key, until=listed)
        outcome = operation.write(
            self._api.put_item,
            TableName=self._table,
            Item=item,
            ConditionExpression="attribute_not_exists(k)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return _taken(outcome, sealed, 1)

    def replace(
        self, key: bytes, sealed: bytes, *, version: int, expires_at: int, label: bytes = b""
    ) -> bool:
        """See Store."""
        operation = self._begin()
        change = "SET sealed = :sealed, version = :next, #ttl = :end, shown = :label"
        condition = "version = :version AND attribute_exists(sealed)"
        values: dict[str, Any] = {
            ":sealed": {"B": sealed},
            ":version": items.number(version),
            ":next": items.number(version + 1),
            ":end": items.number(expires_at),
            ":label": {"B": label},
        }

        def write(change: str, condition: str) -> Outcome:
            return self._update(operation, key, change, condition, values)

        outcome = write(change, f"{condition} AND (attribute_not_exists(listed) OR listed >= :end)")
        stored, person = items.stored(outcome.item), outcome.item.get("person")
        if not outcome.taken and person and stored and stored.version == version:
            # Only its listing would end too early. That is moved first, to outlive the record.
            listed = expires_at + AHEAD_SECONDS
            self._listings.add(operation, person["B"], key, until=listed)
            values[":listed"] = items.number(listed)
            outcome = write(f"{change}, listed = :listed", condition)
        return _taken(outcome, sealed, version + 1)

    def delete(self, key: bytes, *, until: int) -> Stored | None:
        """See Store.

        Raises StoreUnavailable also when only the answer was lost: sent again, it would find a
        tombstone and say that nothing stood there, and no refresh token would be revoked.
        """
        operation = self._begin()
        ways = (
            ("#ttl <= :until", "SET version = version + :one, #ttl = :until"),
            ("#ttl > :until", "SET version = version + :one"),
        )
        values = {":until": items.number(until), ":one": items.number(1)}
        for condition, change in ways * 2:  # the end may move between two of them
            change += " REMOVE sealed, person, listed, shown"
            outcome = self._update(operation, key, change, condition, values, once=True)
            if outcome.taken or not outcome.item:
                if "person" in outcome.item:
                    # It is deleted, whatever comes now; a listing left behind is passed over.
                    with suppress(StoreUnavailable):
                        self._listings.remove(operation, outcome.item["person"]["B"], key)
                return items.stored(outcome.item)
        raise StoreUnavailable("The session store does not answer.", reason="contended")

    def claim(self, name: bytes, owner: bytes, *, now: float, seconds: float) -> bool:
        """See Store."""
        ends = now + seconds
        outcome = self._begin().write(
            self._api.update_item,
            TableName=self._table,
            Key=items.claim(name),
            UpdateExpression="SET holder = :owner, ends = :ends, #ttl = :ttl",
            ConditionExpression="attribute_not_exists(k) OR holder = :owner OR ends <= :now",
            ExpressionAttributeNames=items.TTL,
            ExpressionAttributeValues={
                ":owner": {"B": owner},
                ":ends": items.number(ends),
                ":now": items.number(now),
                ":ttl": items.number(math.ceil(ends)),
            },
        )
        return outcome.taken

    def release(self, name: bytes, owner: bytes) -> None:
        """See Store."""
        self._begin().write(
            self._api.delete_item,
            TableName=self._table,
            Key=items.claim(name),
            ConditionExpression="holder = :owner",
            ExpressionAttributeValues={":owner": {"B": owner}},
        )

    def listed(self, person: bytes, *, now: float) -> list[Listed]:
        """See Store. A record whose `create` had returned before this began is never missed."""
        return list(self._listings.living(person, now=now))

    def purge(self, *, now: float, limit: int) -> int:
        """Nothing: the table's TTL removes what has ended, at no cost and in its own time."""
        del now, limit
        return 0

    def ping(self) -> None:
        """See Store."""
        self._begin().read(self._api.get_item, TableName=self._table, Key=items.NOTHING)

    def _begin(self) -> Operation:
        return Operation(self._clock, self._pause)

    def _update(
        self,
        operation: Operation,
        key: bytes,
        change: str,
        condition: str,
        values: dict[str, Any],
        *,
        once: bool = False,
    ) -> Outcome:
        return operation.write(
            self._api.update_item,
            repeatable=not once,
            TableName=self._table,
            Key=items.record(key),
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeNames=items.TTL,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_OLD" if once else "NONE",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )


def _taken(outcome: Outcome, sealed: bytes, version: int) -> bool:
    """Whether a write was taken, be it by an earlier sending whose answer was lost.

    Sealing never gives the same bytes twice, so equal bytes are the same write.
    """
    if outcome.taken or not outcome.unsure:
        return outcome.taken
    stored = items.stored(outcome.item)
    return stored is not None and (stored.sealed, stored.version) == (sealed, version)

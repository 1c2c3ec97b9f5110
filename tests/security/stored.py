"""What lies in the store of a fleet, seen from outside: living sessions and waiting errands."""

import time
from typing import Any

from redis import Redis

from tests.contract.redis_server import RedisServer
from tests.rooms import living
from tests.security.fleet_stores import SharedStore
from webapp.store.redis import RedisStore
from webapp.store.shelf import PREFIX


def sessions_in(store: SharedStore) -> int:
    """How many sessions the store holds: what has content and is no errand."""
    if store.path:
        return living(store.path)
    return sum(not key.startswith(PREFIX) for key in _records(store))


def errands_in(store: SharedStore) -> int:
    """How many errands wait in a store of the network."""
    return sum(key.startswith(PREFIX) for key in _records(store))


def _records(store: SharedStore) -> list[bytes]:
    return _in_redis(store.redis) if store.redis else _in_dynamodb(store)


def _in_redis(server: RedisServer) -> list[bytes]:
    head = b"portico:s:"
    client = Redis(port=server.port, password=server.password, protocol=2)
    try:
        keys = [bytes(key)[len(head) :] for key in client.scan_iter(match=head + b"*", count=1000)]
    finally:
        client.close()
    store = RedisStore(server.url)
    found = [(key, store.load(key, now=time.time())) for key in keys]
    return [key for key, stored in found if stored and stored.sealed]


def _in_dynamodb(store: SharedStore) -> list[bytes]:
    assert store.aws
    found: list[dict[str, Any]] = store.aws.client("dynamodb").scan(
        TableName=store.table, ConsistentRead=True
    )["Items"]
    return [item["k"]["B"][1:] for item in found if item.get("sealed", {}).get("B")]

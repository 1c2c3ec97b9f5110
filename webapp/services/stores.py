"""The store that SESSION_STORE_URL names."""

import importlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from webapp.observe import event
from webapp.outbound import Outbound, Part, Sender
from webapp.services.aws import table_api
from webapp.services.parts import TABLE_FAILURES, store_breaker, table_silent
from webapp.store.base import Store
from webapp.store.dynamodb import DynamoStore
from webapp.store.sqlite import SqliteStore, locked

Now = Callable[[], float]


def open_store(
    url: str,
    outbound: Sender | None = None,
    *,
    region: str | None = None,
    dynamodb_endpoint: str | None = None,
    now: Now = time.time,
) -> Store:
    """The store that a checked SESSION_STORE_URL names. Raises StoreUnavailable.

    `outbound`, `region` and `dynamodb_endpoint` are for a DynamoDB store; None leaves region and
    endpoint to the AWS environment. `now` is for Redis, which is told lifetimes.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "dynamodb":
        table = Part(outbound or Outbound(), store_breaker(table_silent, TABLE_FAILURES))
        return DynamoStore(table_api(table, region, dynamodb_endpoint), rest)
    if scheme in ("redis", "rediss"):
        # Loaded only where it is chosen: redis-py costs 80 ms of start and 6 MB.
        redis: Any = importlib.import_module("webapp.store.redis")
        store: Store = redis.RedisStore(
            url, now=now, report=_log_store, breaker=partial(store_breaker, redis.silent)
        )
        return store
    return SqliteStore(
        Path(rest.removeprefix("/")), report=_alarm_store, writers=store_breaker(locked)
    )


def _log_store(code: str, sentence: str) -> None:
    event(code, level="warning", why=sentence)


def _alarm_store(code: str, sentence: str) -> None:
    event(code, level="error", why=sentence, alarm=True)

"""Sessions that nobody uses, so that a store is as full as in a busy month.

Run as `python -m tests.bench.prefill STORE_URL COUNT`.
"""

import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any, cast

from redis import Redis

from webapp.services import open_store
from webapp.store.base import Store
from webapp.store.redis import RedisStore
from webapp.store.redis.fleet import Fleet

SEALED_BYTES = 5000
"""About what a record with three tokens takes."""
LABEL_BYTES = 80
"""About what the list of a person's sessions shows of each."""
AT_ONCE = 500


def prefill_portico(store_url: str, count: int) -> None:
    """Put `count` records into a store by Portico's own store, each of a person of their own."""
    fill(open_store(store_url), count)


def fill(store: Store, count: int) -> None:
    """The same for a store that is open."""
    now = time.time()
    for _ in range(count):
        store.create(
            os.urandom(32),
            os.urandom(SEALED_BYTES),
            expires_at=int(now) + 1800,
            person=os.urandom(32),
            now=now,
            label=os.urandom(LABEL_BYTES),
        )


def prefill_redis(store_url: str, count: int) -> None:
    """The same for Redis: the store's own commands, sent by the hundred."""
    store = RedisStore(store_url)
    fill(store, 1)  # and the server learns the store's scripts
    gathered = _Gathered(store_url)
    store._fleet = cast("Fleet", gathered)  # noqa: SLF001 - the store has no other door for it
    fill(store, count - 1)
    gathered.send()
    gathered.close()


class _Gathered:
    """In the place of the lines to a server: takes commands for done and sends them together."""

    def __init__(self, url: str) -> None:
        self._client = Redis.from_url(url)
        self._waiting: list[tuple[Any, ...]] = []

    def ask(self, key: bytes, *command: Any, ends_at: float, again: bool = False) -> int:
        """As Fleet.ask, for commands that put something new."""
        del key, ends_at, again
        self._waiting.append(command)
        if len(self._waiting) >= AT_ONCE:
            self.send()
        return 1

    def send(self) -> None:
        """Send what waits; the client raises what the server refuses."""
        pipeline = self._client.pipeline(transaction=False)
        for command in self._waiting:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        pipeline.execute()
        self._waiting.clear()

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def prefill_bare(path: Path, count: int) -> None:
    """The same for the bare relying party's file, after it has made its table."""
    ends = int(time.time()) + 1800
    with sqlite3.connect(path) as database:
        database.executemany(
            "INSERT INTO sessions VALUES (?, ?, ?)",
            ((os.urandom(32), ends, os.urandom(SEALED_BYTES)) for _ in range(count)),
        )
    database.close()


if __name__ == "__main__":
    prefill_portico(sys.argv[1], int(sys.argv[2]))

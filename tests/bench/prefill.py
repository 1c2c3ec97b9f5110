"""Sessions that nobody uses, so that a store is as full as in a busy month.

Run as `python -m tests.bench.prefill STORE_URL COUNT`.
"""

import os
import sqlite3
import sys
import time
from pathlib import Path

from webapp.services import open_store

SEALED_BYTES = 5000
"""About what a record with three tokens takes."""


def prefill_portico(store_url: str, count: int) -> None:
    """Put `count` records into a store by Portico's own store, each of a person of their own."""
    store = open_store(store_url)
    now = time.time()
    for _ in range(count):
        store.create(
            os.urandom(32),
            os.urandom(SEALED_BYTES),
            expires_at=int(now) + 1800,
            person=os.urandom(32),
            now=now,
        )


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

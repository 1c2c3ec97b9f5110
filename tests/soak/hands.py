"""What can be done to each store, so that its data lives: out of reach, silent, slow, restarted."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress

from redis.exceptions import RedisError

from tests.contract.fault_proxy import Mode
from tests.security.fleet_stores import SharedStore

Harm = Callable[[], AbstractContextManager[None]]
"""Harms the store for as long as the block."""


def harms(store: SharedStore) -> dict[str, Harm]:
    """By name, what can befall this store."""
    if store.kind == "sqlite":
        return {"locked": lambda: _locked(store)}
    found: dict[str, Harm] = {
        "down": lambda: _down(store),
        "silent": lambda: _bad(store, "hole"),
        "slow": lambda: _bad(store, "slow"),
    }
    if store.kind == "redis":
        found["restarted"] = lambda: _restarted(store)
    return found


@contextmanager
def _locked(store: SharedStore) -> Iterator[None]:
    """Somebody else writes and does not come to an end: a backup, another program."""
    assert store.path
    with closing(sqlite3.connect(store.path, timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _down(store: SharedStore) -> Iterator[None]:
    assert store.proxy
    store.proxy.down()
    try:
        yield
    finally:
        store.proxy.up()


@contextmanager
def _bad(store: SharedStore, mode: Mode) -> Iterator[None]:
    assert store.proxy
    store.proxy.mode = mode
    try:
        yield
    finally:
        store.proxy.mode = "open"


@contextmanager
def _restarted(store: SharedStore) -> Iterator[None]:
    """An orderly restart: everything that was acknowledged is on disk."""
    assert store.redis
    with _down(store):
        with suppress(RedisError):  # it hangs up instead of an answer
            store.redis.say("SHUTDOWN", "SAVE")
        store.redis.stop()
        yield
        store.redis.start()

"""The store for a fleet: Redis or Valkey, alone, replicated or as a cluster.

Every key ends by itself, an hour after our clock says so: whether a record has ended is decided by
`now`, and Redis only clears up. Each command touches one key. See docs/decisions/0014.
"""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.exceptions import NoScriptError, RedisError

from webapp.breaker import Breaker, Refused
from webapp.deadlines import STORE_SECONDS
from webapp.dialling import Resolver
from webapp.errors import StoreUnavailable
from webapp.store.base import Listed, Stored
from webapp.store.redis.address import Address
from webapp.store.redis.fleet import Fleet, Word
from webapp.store.redis.line import reason
from webapp.store.redis.scripts import CLAIM, DELETE, ENLIST, RELEASE, REPLACE, Script
from webapp.store.redis.values import BEGINNING, LONGEST_HEAD, head_of, packed

# Clocks of hosts differ, and one may be put back by an hour: nothing vanishes before all agree.
SLACK_SECONDS = 3600

_RECORD, _CLAIM, _PERSON = b"portico:s:", b"portico:c:", b"portico:p:"
_TOMBSTONE = b"T"


class RedisStore:
    """Sessions in Redis. Safe over threads and forks.

    `report` is told a code and a sentence about a server that is set up badly or out of reach at
    the start; neither keeps the application from starting, for sessions come back with the server.
    `breaker` makes what stands before each server, and `resolver` is as socket.getaddrinfo.
    """

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], float] = time.time,
        report: Callable[[str, str], object] = lambda code, sentence: None,
        deadline: float = STORE_SECONDS,
        breaker: Callable[[], Breaker] = Breaker,
        resolver: Resolver = socket.getaddrinfo,
    ) -> None:
        self._fleet = Fleet(Address.of(url), breaker=breaker, resolver=resolver)
        self._now = now
        self._report = report
        self._deadline = deadline
        self._looked = False
        try:
            self._look()
        except StoreUnavailable as error:
            report("store_unreachable", f"Redis does not answer: {error.facts['reason']}.")
        self._fleet.drop()  # the process may be about to fork

    def load(self, key: bytes, *, now: float) -> Stored | None:
        """See Store. What is no record of ours is handed on, for the vault to refuse and report."""
        place = _RECORD + key
        try:
            value = self._ask(place, "GET", place, ends_at=self._ends_at(), again=True)
        except StoreUnavailable as error:
            if error.facts["reason"] != "WRONGTYPE":
                raise
            return Stored(b"", 0, 0)
        if value is None or value == _TOMBSTONE:
            return None
        head = head_of(value)
        if head is None:
            return Stored(value, 0, 0)
        if head.expires_at <= now:
            return None
        return Stored(value[head.size :], head.version, head.expires_at)

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
        place, ends_at = _RECORD + key, self._ends_at()
        if person:
            # First: a list that names too much does no harm, one that names too little would.
            self._enlist(person, key, expires_at, ends_at)
        record = packed(1, expires_at, person or b"", label, sealed)
        life = _life(expires_at, now)
        return self._ask(place, "SET", place, record, "NX", "PX", life, ends_at=ends_at) is not None

    def replace(
        self, key: bytes, sealed: bytes, *, version: int, expires_at: int, label: bytes = b""
    ) -> bool:
        """See Store."""
        place, ends_at = _RECORD + key, self._ends_at()
        start = self._start(place, ends_at)
        head = head_of(start)
        if head is None or head.version != version:
            return False
        if head.person and expires_at > head.expires_at:
            self._enlist(head.person, key, expires_at, ends_at)
        record = packed(version + 1, expires_at, head.person, label, sealed)
        life = _life(expires_at, self._now())
        replaced = self._run(REPLACE, place, start[:BEGINNING], record, life, ends_at=ends_at)
        return bool(replaced == 1)

    def delete(self, key: bytes, *, until: int) -> Stored | None:
        """See Store."""
        place, ends_at = _RECORD + key, self._ends_at()
        life = _life(until, self._now())
        value = self._run(DELETE, place, _TOMBSTONE, life, ends_at=ends_at)
        if value is None:
            return None
        head = head_of(value)
        if head is None:
            return Stored(value, 0, 0)
        if head.person:
            # It is deleted, whatever comes now; `listed` passes over a name that is left behind.
            with suppress(StoreUnavailable):
                listed = _PERSON + head.person
                self._ask(listed, "ZREM", listed, key, ends_at=ends_at)
        return Stored(value[head.size :], head.version, head.expires_at)

    def claim(self, name: bytes, owner: bytes, *, now: float, seconds: float) -> bool:
        """See Store."""
        ends = now + seconds
        arguments = (owner, repr(now), repr(ends), _life(ends, now))
        got = self._run(CLAIM, _CLAIM + name, *arguments, ends_at=self._ends_at(), again=True)
        return bool(got == 1)

    def release(self, name: bytes, owner: bytes) -> None:
        """See Store."""
        self._run(RELEASE, _CLAIM + name, owner, ends_at=self._ends_at(), again=True)

    def listed(self, person: bytes, *, now: float) -> list[Listed]:
        """See Store."""
        listed, ends_at = _PERSON + person, self._ends_at()
        keys = self._ask(
            listed, "ZRANGEBYSCORE", listed, f"({now!r}", "+inf", ends_at=ends_at, again=True
        )
        heads = ((key, head_of(self._start(_RECORD + key, ends_at))) for key in keys)
        return [
            Listed(key, head.label, head.expires_at)
            for key, head in heads
            if head is not None and head.person == person and head.expires_at > now
        ]

    def purge(self, *, now: float, limit: int) -> int:
        """See Store. Always none: every key ends by itself, and a person's list with its last."""
        del now, limit
        return 0

    def ping(self) -> None:
        """See Store."""
        if not self._looked:
            self._look()
        self._ask(b"", "PING", ends_at=self._ends_at(), again=True)

    def _look(self) -> None:
        """Warn of a server that may throw sessions away while they live."""
        try:
            said: bytes = self._ask(b"", "INFO", "memory", ends_at=self._ends_at(), again=True)
        except StoreUnavailable as error:
            if error.facts["reason"] != "NOPERM":
                raise
            self._looked = True
            self._report("store_policy_unknown", "Redis does not let this user ask; allow +info.")
            return
        facts = dict(line.split(":", 1) for line in said.decode().splitlines() if ":" in line)
        self._looked = True
        policy = facts.get("maxmemory_policy", "unknown")
        if facts.get("maxmemory", "0") != "0" and policy != "noeviction":
            self._report(
                "store_may_evict",
                f"Redis has maxmemory-policy {policy}: when it is full it signs people out and"
                " forgets sign-outs. Set it to noeviction.",
            )

    def _enlist(self, person: bytes, key: bytes, expires_at: int, ends_at: float) -> None:
        now = self._now()
        ended = repr(now - SLACK_SECONDS)
        arguments = (key, expires_at, ended, _life(expires_at, now))
        self._run(ENLIST, _PERSON + person, *arguments, ends_at=ends_at, again=True)

    def _start(self, place: bytes, ends_at: float) -> bytes:
        command = ("GETRANGE", place, 0, LONGEST_HEAD - 1)
        start: bytes = self._ask(place, *command, ends_at=ends_at, again=True)
        return start

    def _run(
        self, script: Script, key: bytes, *arguments: Word, ends_at: float, again: bool = False
    ) -> Any:
        tail = (1, key, *arguments)
        try:
            return self._ask(key, "EVALSHA", script.digest, *tail, ends_at=ends_at, again=again)
        except NoScriptError:  # new, restarted or emptied: it did nothing, and learns it now
            return self._ask(key, "EVAL", script.text, *tail, ends_at=ends_at, again=again)

    def _ask(self, key: bytes, *command: Word, ends_at: float, again: bool = False) -> Any:
        try:
            return self._fleet.ask(key, *command, ends_at=ends_at, again=again)
        except NoScriptError:
            raise
        except Refused as refused:
            raise StoreUnavailable(
                "The session store has not answered for a while.",
                reason=refused.reason,
                retry_after=refused.retry_after,
            ) from None
        except (RedisError, OSError) as error:
            why = reason(error)
        # Without the cause: what a server says may repeat what it was told, a password included.
        raise StoreUnavailable("The session store does not answer.", reason=why)

    def _ends_at(self) -> float:
        return time.monotonic() + self._deadline


def _life(ends: float, now: float) -> int:
    """For how many milliseconds Redis keeps what ends then."""
    return int((max(ends - now, 0) + SLACK_SECONDS) * 1000)

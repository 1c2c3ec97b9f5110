"""The servers of a store: idle lines to each, and in a cluster, which of them has which key."""

import os
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, ResponseError
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import TimeoutError as TimedOut

from webapp.breaker import Breaker, Refused
from webapp.dialling import Resolver
from webapp.store.redis.address import Address, Node
from webapp.store.redis.line import Line, reason

SLOTS = 16384
HOPS = 4
LEARN_SECONDS = 0.4
Word = bytes | str | int | float


class Fleet:
    """Carries commands to the server that has the key. Safe over threads and forks.

    Each server has a breaker of its own, made by `breaker`: the others of a cluster go on.
    """

    def __init__(
        self,
        address: Address,
        *,
        breaker: Callable[[], Breaker] = Breaker,
        resolver: Resolver = socket.getaddrinfo,
    ) -> None:
        self._address = address
        self._breaker = breaker
        self._resolver = resolver
        self._breakers: dict[Node, Breaker] = {}
        self._idle: dict[Node, deque[Line]] = {}
        self._owners: list[Node] | None = None
        self._known: set[Node] = set()
        self._pid = os.getpid()

    def ask(self, key: bytes, *command: Word, ends_at: float, again: bool = False) -> Any:
        """The answer to one command on one key, by `ends_at` of the monotonic clock.

        `again` lets a command that does no harm twice be repeated once, when a line proves dead.
        Raises RedisError, and Refused where the server is not asked just now.
        """
        if self._pid != os.getpid():  # a connection must not cross a fork
            self._forget()
        if not self._address.cluster:
            return self._at(self._address.node, command, ends_at, again)
        node, asking = self._node_of(key, ends_at), False
        for hop in range(HOPS):
            try:
                return self._at(node, command, ends_at, again, asking=asking)
            except (MovedError, AskError) as sent_on:
                if hop == HOPS - 1:
                    raise
                node = (sent_on.host or node[0], sent_on.port)
                asking = not isinstance(sent_on, MovedError)
                if not asking:
                    self._owners = None
            except (Lost, TimedOut, Refused) as error:
                self._owners = None  # another server may have taken over
                if hop or not (again or isinstance(error, Refused)):
                    raise
                again, node = False, self._node_of(key, ends_at, but=node)
        raise AssertionError("unreachable")  # the last hop returns or raises

    def drop(self) -> None:
        """Hang up all idle lines."""
        for node in list(self._idle):
            self._drop(node)

    def _at(
        self,
        node: Node,
        command: tuple[Word, ...],
        ends_at: float,
        again: bool,
        *,
        asking: bool = False,
    ) -> Any:
        breaker = self._breakers.get(node)
        if breaker is None:
            breaker = self._breakers.setdefault(node, self._breaker())
        return breaker.run(self._asked, node, command, ends_at, again, asking)

    def _asked(
        self, node: Node, command: tuple[Word, ...], ends_at: float, again: bool, asking: bool
    ) -> Any:
        line = self._take(node)
        reused = line is not None
        line = line or Line(self._address, node, self._resolver)
        try:
            if asking:
                line.ask("ASKING", ends_at=ends_at)
            answer = line.ask(*command, ends_at=ends_at)
        except ResponseError as error:
            if reason(error) == "READONLY":
                # The name may stand for another server by now: dial anew.
                line.hang_up()
                self._drop(node)
            else:
                self._keep(node, line)
            raise
        except BaseException as error:
            line.hang_up()
            self._drop(node)  # what broke one line has broken the others
            if again and reused and isinstance(error, Lost):
                return self._asked(node, command, ends_at, False, asking)
            raise
        self._keep(node, line)
        return answer

    def _take(self, node: Node) -> Line | None:
        idle = self._idle.setdefault(node, deque())
        while True:
            try:
                line = idle.pop()
            except IndexError:
                return None
            if not line.stale:
                return line
            line.hang_up()

    def _keep(self, node: Node, line: Line) -> None:
        self._idle.setdefault(node, deque()).append(line)

    def _drop(self, node: Node) -> None:
        idle = self._idle.get(node, deque())
        while idle:
            try:
                idle.pop().hang_up()
            except IndexError:  # another thread took the last one
                return

    def _forget(self) -> None:
        self._idle = {}
        self._owners = None
        self._known = set()
        self._pid = os.getpid()  # last: another thread must not find the old lines under it

    def _node_of(self, key: bytes, ends_at: float, *, but: Node | None = None) -> Node:
        owners = self._owners or self._learn(ends_at, but)
        return owners[key_slot(key)]

    def _learn(self, ends_at: float, but: Node | None) -> list[Node]:
        """Which server has which slot, asked of one that answers."""
        last: Exception | None = None
        for node in [one for one in (*self._known, self._address.node) if one != but]:
            try:
                soon = min(ends_at, time.monotonic() + LEARN_SECONDS)
                answer = self._at(node, ("CLUSTER", "SLOTS"), soon, True)
            except (Lost, TimedOut, Refused) as error:
                last = error
                continue
            owners = [node] * SLOTS
            for first, end, (host, port, *_), *_ in answer:
                owner = ((host or b"").decode() or node[0], port)
                owners[first : end + 1] = [owner] * (end + 1 - first)
            self._owners, self._known = owners, set(owners)
            return owners
        raise last or Lost("no server of the cluster is left to ask")

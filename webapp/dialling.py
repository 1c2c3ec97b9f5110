"""From a host's name to a connected socket, before the caller's time is over.

The system's resolver knows no deadline and may think for half a minute, so it thinks in a thread of
its own. Several addresses are tried beside each other, a little apart, and the first that answers
wins (after RFC 8305): one that swallows packets, such as a dead IPv6 route, costs that little.
"""

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

APART_SECONDS = 0.25
AGAIN_SECONDS = 1.0
"""A question to the resolver that is older is asked anew: its packet may be lost."""
MOST_LOOKUPS = 8
"""Threads that wait for one name; they end when the resolver gives up."""

Place = tuple[Any, ...]
"""Family, kind, protocol, name and address, as socket.getaddrinfo gives them."""
Resolver = Callable[..., Sequence[Place]]
"""As socket.getaddrinfo."""
S = TypeVar("S", bound=socket.socket)


def dial(
    host: str,
    port: int,
    *,
    left: Callable[[], float],
    make: Callable[[int, int, int], S],
    most: float,
    resolver: Resolver = socket.getaddrinfo,
) -> S:
    """A connected socket, made by `make(family, kind, protocol)`.

    `left` gives the seconds that are left, or raises TimeoutError; connecting takes at most `most`
    of them. Raises OSError, and ValueError for what cannot be a name.
    """
    places = _places(host, port, left, resolver)
    return _first_connected(_mixed(places), min(left(), most), make)


def _places(host: str, port: int, left: Callable[[], float], resolver: Resolver) -> Sequence[Place]:
    try:
        # An address needs no resolver, and neither thread nor wait.
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return _lookup(host, port, resolver).answer(left())


class _Lookup:
    """One question to the resolver, in a thread that nobody has to wait for."""

    def __init__(self, host: str, port: int, resolver: Resolver) -> None:
        self.began = time.monotonic()
        self._question = (host, port)
        self._resolver = resolver
        self._done = threading.Event()
        self._found: Sequence[Place] = ()
        self._error: Exception | None = None
        threading.Thread(target=self._ask, daemon=True, name="resolver").start()

    @property
    def done(self) -> bool:
        """Whether the resolver has spoken."""
        return self._done.is_set()

    def answer(self, seconds: float) -> Sequence[Place]:
        """What it said. Raises TimeoutError after so many seconds, and what the resolver raised."""
        if not self._done.wait(seconds):
            raise TimeoutError("the resolver took too long")
        if self._error is not None:
            raise self._error
        return self._found

    def _ask(self) -> None:
        try:
            self._found = self._resolver(*self._question, type=socket.SOCK_STREAM)
        except Exception as error:  # raised again in the thread that asked
            self._error = error
        self._done.set()


_running: dict[tuple[str, int, Resolver], list[_Lookup]] = {}
_lock = threading.Lock()


def _lookup(host: str, port: int, resolver: Resolver) -> _Lookup:
    """A lookup that is under way, or a new one; whoever asks at the same time shares it."""
    with _lock:
        under_way = [one for one in _running.get((host, port, resolver), []) if not one.done]
        fresh = under_way and time.monotonic() - under_way[-1].began < AGAIN_SECONDS
        if not fresh and len(under_way) < MOST_LOOKUPS:
            try:
                under_way.append(_Lookup(host, port, resolver))
            except RuntimeError as error:  # the process has no thread left
                raise OSError("no thread for the resolver") from error
        _running[host, port, resolver] = under_way
        return under_way[-1]


def _mixed(places: Sequence[Place]) -> list[Place]:
    """The addresses in the system's order, with the two families taking turns."""
    first = [place for place in places if place[0] == places[0][0]]
    second = [place for place in places if place[0] != places[0][0]]
    return [one for pair in zip_longest(first, second) for one in pair if one is not None]


def _first_connected(places: list[Place], seconds: float, make: Callable[[int, int, int], S]) -> S:
    ends_at = time.monotonic() + seconds
    next_at = 0.0
    racing: dict[int, S] = {}
    last: OSError | None = None
    ready = select.poll()
    try:
        while places or racing:
            now = time.monotonic()
            if now >= ends_at:
                raise TimeoutError("no connection in time")
            if places and now >= next_at:
                try:
                    begun = _begun(places.pop(0), make)
                except OSError as error:  # such as no route: the next may start at once
                    last = error
                    continue
                racing[begun.fileno()] = begun
                ready.register(begun, select.POLLOUT)
                next_at = now + APART_SECONDS
            until = min(ends_at, next_at) if places else ends_at
            for number, _ in ready.poll(max(0.0, until - now) * 1000):
                ready.unregister(number)
                done = racing.pop(number)
                code = done.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    done.settimeout(max(ends_at - time.monotonic(), 0.001))
                    return done
                done.close()
                last, next_at = OSError(code, os.strerror(code)), 0.0
    finally:
        for loser in racing.values():
            loser.close()
    raise last or OSError("no address")


def _begun(place: Place, make: Callable[[int, int, int], S]) -> S:
    family, kind, protocol, _, address = place
    made = make(family, kind, protocol)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = made.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
    except OSError:
        made.close()
        raise
    return made

"""gunicorn's thread worker, mended where a fleet behind a balancer would lose or stall requests.

Read in the source of the pinned gunicorn 27.0.1, whose worker

- gives a thread, for 5 seconds, to each new connection, whether or not a request comes: 32 silent
  ones stop everybody. Here they wait without a thread, and when there are too many, the one that
  has been idle longest makes room;
- waits in its one main loop, for up to 2 seconds, until the client of a finished connection closes
  as well: a client that does not stops everybody. Here such a connection is watched in passing;
- stops accepting when it is told to end, but keeps its listening socket: who connects meanwhile
  waits, and is reset at last. Here all who wait are let in, and then the door is closed;
- waits for connections that never sent anything until its time is up. Here as for kept ones, 2 s;
- ends at once, with all its requests, when it has no file descriptor left for a connection;
- starts a thread when it first needs it. A thread that finds no memory then dies before it has said
  that it began, and the main loop waits for that word for ever. Here all start with the worker.

tests/security/test_rt_worker.py and test_rt_drain.py fail when an upgrade changes what this builds
upon. Times are in seconds, sizes in bytes.
"""

import errno
import mmap
import resource
import selectors
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

LINGER = 2.0
LONGEST_DRAIN = 65_536
MOST_LINGERING = 128
LEAVING = "portico.leaving"
"""In the environ of a request when this host is about to end: /readyz says so."""

_NOBODY_WAITS = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)
_TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)

# One byte that the master and all its workers see.
leaving = mmap.mmap(-1, 1)

told_early: list[bool] = []
"""In a new worker: that SIGTERM came before it had a handler of its own."""


def connections(threads: int) -> int:
    """How many connections a worker may hold: 1,000, or what the limit of open files allows.

    Some files stay for logs, sockets and the store, and four for each thread: a way out, the store,
    and a spare of each. Exits with a sentence when that leaves less than one for each thread.
    """
    kept = 64 + 4 * threads
    wanted = kept + 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        soft = wanted
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < kept + threads:
        sys.exit(f"{soft} open files are too few (ulimit -n): allow {kept + threads} or more.")
    return min(soft, wanted) - kept


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection that, once answered, is watched until the client closes it as well."""

    def __init__(self, linger: "Callable[[Connection], None]", *rest: Any) -> None:
        super().__init__(*rest)
        self._linger = linger
        self.left = LONGEST_DRAIN

    def close(self, graceful: bool = False) -> None:
        """Close it; `graceful` lets the client read the answer to its end (RFC 9112 9.6)."""
        if graceful:
            self._linger(self)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """See the module."""

    wsgi: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lingering: deque[Connection] = deque()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """The pool, with every thread started."""
        pool: ThreadPoolExecutor = super().get_thread_pool()
        begun = threading.Barrier(self.cfg.threads + 1)
        for _ in range(self.cfg.threads):
            pool.submit(begun.wait)
        begun.wait()
        return pool

    def init_signals(self) -> None:
        """Miss no SIGTERM: before the first handler, and between two, it is lost or deadly."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        if told_early:
            self.alive = False  # it serves whoever waits, and ends

    def load_wsgi(self) -> None:
        """Tell the application, request by request, that its host is about to end."""
        super().load_wsgi()
        application = self.wsgi

        def telling(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if leaving[0]:
                environ[LEAVING] = True
            answer: Iterable[bytes] = application(environ, start_response)
            return answer

        self.wsgi = telling

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer; the last answer on this connection when the host is about to end."""
        if leaving[0]:
            self.max_keepalived = -1  # more than that are kept already, so none is kept any more
        again: bool = super().handle_request(req, conn)
        return again

    # --- Coming ----------------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        """Let one connection in, if one waits."""
        self._let_in(listener)

    def _let_in(self, listener: Any) -> bool:
        try:
            came, address = listener.accept()
        except OSError as error:
            if error.errno in _TOO_MANY_FILES:
                self._no_file_left()
            elif error.errno not in _NOBODY_WAITS:
                raise
            return False
        self.nr_conns += 1
        conn = Connection(self._linger, self.cfg, came, address, listener.getsockname())
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        with suppress(BlockingIOError):
            came.recv(1, socket.MSG_PEEK)
            conn.data_ready = True  # or it is over, which a thread finds out
            self.enqueue_req(conn)
            return True
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )
        return True

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest; False when none is idle."""
        idle = [conns for conns in (self.pending_conns, self.keepalived_conns) if conns]
        if not idle:
            return False
        conn = min(idle, key=lambda conns: conns[0].timeout).popleft()
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()
        return True

    def _no_file_left(self) -> None:
        if not self._make_room():
            self.log.warning("No file descriptor is left for another connection.")
            time.sleep(0.05)  # it waits in the queue; without a pause this loop would spin

    # --- Going -----------------------------------------------------------------------------------

    def is_parent_alive(self) -> bool:
        """Whether the master lives; without it this worker ends as if told to."""
        if super().is_parent_alive():
            return True
        self.alive = False
        return False

    def set_accept_enabled(self, enabled: bool) -> None:
        """Also close the door for good, when the worker ends."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while self._let_in(listener):
                pass
            listener.close()

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def murder_keepalived(self, force: bool = False) -> None:
        """Close what was idle for too long, and what the client does not close."""
        super().murder_keepalived(force=force)
        now = time.monotonic()
        while self._lingering and (force or self._lingering[0].timeout <= now):
            self._part(self._lingering[0])

    def _linger(self, conn: Connection) -> None:
        """Say that nothing more comes, and close when the client has, within `LINGER`."""
        conn.timeout = time.monotonic() + LINGER
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read_off, conn))
        except (OSError, ValueError):  # the client was quicker
            conn.close()
            return
        self._lingering.append(conn)
        self._read_off(conn, conn.sock)
        if len(self._lingering) > MOST_LINGERING:
            self._part(self._lingering[0])

    def _read_off(self, conn: Connection, came: Any) -> None:
        # Unread bytes would make the kernel reset the connection, and cut the answer's end.
        try:
            piece = came.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        conn.left -= len(piece)
        if not piece or conn.left <= 0:
            self._part(conn)

    def _part(self, conn: Connection) -> None:
        self._lingering.remove(conn)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        conn.close()

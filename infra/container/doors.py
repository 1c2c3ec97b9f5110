"""One listening socket for each worker, all on one port, made and kept by the master.

A socket that all workers share leaves most of the work to one of them. gunicorn's `reuse_port`
gives each its own, but the worker makes it, and it goes with the worker: what waits in its queue is
reset when the worker is replaced, and SIGUSR2 ends in a traceback, since the master has none to
hand on. Here the master makes them. What waits in the queue of a worker that died or was replaced
waits for the next one, and a new master takes the sockets over.

The rule to keep: no socket without a worker, or what the kernel puts there would wait for ever. So
there are as many workers as sockets, always, and a new worker gets the socket that has gone longest
without a new one.
"""

import errno
import os
import socket
import sys
from typing import Any

from gunicorn.sock import TCP6Socket, TCPSocket


def refuse_a_taken_port(host: str, port: int) -> None:
    """End the start with one sentence when someone listens there already.

    Our sockets would let two servers of the same user quietly share the port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            sys.exit(
                f"Port {port} on {host} is taken by another program: "
                f"stop it, or choose another port (PORT, or --bind)."
            )


def make(server: Any) -> None:
    """Make a socket for each worker and address; gunicorn makes them where that cannot be.

    In one process one is enough, port 0 would give each worker another port, and a Unix socket,
    systemd or an older master leave no choice.
    """
    cfg = server.cfg
    tcp = all(isinstance(address, tuple) and address[1] for address in cfg.address)
    given = "GUNICORN_PID" in os.environ or "LISTEN_FDS" in os.environ
    if cfg.workers < 2 or not tcp or given or not hasattr(socket, "SO_REUSEPORT"):
        return
    server.LISTENERS = [
        _listening(address, server) for _ in range(cfg.workers) for address in cfg.address
    ]


def hand_out(server: Any, worker: Any) -> None:
    """Give a worker that is about to be started the sockets that are its own."""
    doors = _doors(server)
    if len(doors) > 1:
        worker.sockets = min(doors, key=lambda door: _newest(server, door))


def close_others(server: Any, worker: Any) -> None:
    """In the new worker: close its copies of the other workers' sockets.

    They would keep the port open after their owner has closed it.
    """
    for listener in server.LISTENERS:
        if listener not in worker.sockets:
            listener.close()


def enough(server: Any, workers: int) -> None:
    """As many workers as sockets; TTIN, TTOU or a changed setting would have it otherwise."""
    doors = len(_doors(server))
    if doors > 1 and workers != doors:
        server.log.warning("%s workers stay: each has a socket of its own.", doors)
        server.num_workers = doors


def _doors(server: Any) -> list[list[Any]]:
    wide = len(server.cfg.address)
    return [server.LISTENERS[at : at + wide] for at in range(0, len(server.LISTENERS), wide)]


def _newest(server: Any, door: list[Any]) -> int:
    ages = (worker.age for worker in server.WORKERS.values() if worker.sockets[:1] == door[:1])
    return max(ages, default=0)


def _listening(address: tuple[str, int], server: Any) -> Any:
    kind = TCP6Socket if ":" in address[0] else TCPSocket
    bare = socket.socket(kind.FAMILY, socket.SOCK_STREAM)
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bare.bind(address)
    bare.listen(server.cfg.backlog)
    return kind(address, server.cfg, server.log, fd=bare.detach())

"""How gunicorn serves the application: every setting with its reason.

Use: ``gunicorn -c infra/container/gunicorn.conf.py`` from the top of the project. Plain
``gunicorn wsgi:app`` works too; what it gives up is named in the comments below. Each setting
was read in the source of the pinned gunicorn 27.0.1; times are in seconds, sizes in bytes.
docs/how-to/run-behind-a-balancer.md tells the operator's side: signals, drain, health checks.
"""

import logging
import os
import re
import resource
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

# Last, so that nothing here stands before what the application itself finds.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from infra.container import doors
from infra.container.worker import Worker, connections, leaving, told_early
from webapp.deadlines import disagreements

wsgi_app = "wsgi:app"


def _whole(name: str, default: int, most: int, least: int = 1) -> int:
    """A whole number from the environment; one sentence and no start for anything else."""
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        sys.exit(f"{name} must be a whole number from {least} to {most}.")
    return int(text)


# --- Where -----------------------------------------------------------------------------------

# Containers get PORT from their platform and must answer on every interface; anywhere else
# nothing but this machine may reach a server that speaks plain HTTP.
bind = f"0.0.0.0:{_whole('PORT', 8000, 65_535)}" if os.environ.get("PORT") else "127.0.0.1:8000"

# --- How many --------------------------------------------------------------------------------


def _usable_cores() -> int:
    """Cores this process may run on; a cgroup quota is not seen here, hence WEB_CONCURRENCY."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


# A Python process uses one core. More than two in one container is better had as a second
# container, which also survives the loss of the first. WEB_CONCURRENCY is gunicorn's own name.
workers = _whole("WEB_CONCURRENCY", min(2, _usable_cores()), 256)

# Threads (gthread), since requests wait on Cognito, the identity pool and the API with blocking
# clients; with the mends that worker.py names.
worker_class = Worker

# With 8 threads, 24 people in mid-sign-in hold up everybody else's pages; with 32 they do not.
threads = 32

# Loads once, before the fork: settings that are wrong stop the start at once instead of killing
# worker after worker, and the workers share the memory of the code. The application opens no
# socket, store or thread before its first request.
preload_app = True

# Each worker has a socket of its own, but doors.py makes them, and says why.
reuse_port = False

# gunicorn's 1,000, or what the limit of open files allows.
worker_connections = connections(threads)

# --- How long --------------------------------------------------------------------------------

# Both are longer than the slowest honest request, which webapp/deadlines.py makes 26 by giving each
# request a time of its own; a pair that is not is refused at the start, see on_starting.
#
# Not a limit on a request: the worker's main loop, silent for this long, is taken for dead. With
# plain sync workers it does end a request.
timeout = 30

# SIGTERM: lets the slowest request end, and is done before the 30 after which ECS kills.
graceful_timeout = 28

# Before that: for so long /readyz says 503 and each answer is the last on its connection, while
# everything is still served, so that a balancer that only learns by asking stops sending. 0, at
# once, is right where the balancer was told before (ECS does so) or tries another host when a
# connection is refused. The platform's own patience must be longer by as much.
_drain = _whole("DRAIN_SECONDS", 0, 90, least=0)

# Longer than the idle time of the load balancer (ALB: 60), so that the balancer closes first and
# never sends a request into a connection that is being closed. It is also how long a connection
# that sends nothing is kept; those take no thread.
keepalive = 75

# No restarts by count: a leak should be seen in the memory figures, not hidden.
max_requests = 0

# --- Whom to believe -------------------------------------------------------------------------

# Nobody. By default gunicorn believes a peer on loopback, and so takes the path prefix from a
# SCRIPT_NAME header (and answers 500 when it does not fit) and the scheme from three others.
# TRUSTED_PROXY_HOPS, in the application, is the one place that decides about X-Forwarded-*.
forwarded_allow_ips = ""
forwarder_headers = ""
# Peers on a Unix socket are believed whatever forwarded_allow_ips says; nothing to believe here.
secure_scheme_headers: dict[str, str] = {}

# X_Forwarded_Host and X-Forwarded-Host become the same WSGI name: the one with "_" is dropped.
header_map = "drop"

# --- How much --------------------------------------------------------------------------------

# The longest honest line is the callback (code, state) or a sign-in with `next`: under 2,000.
limit_request_line = 4094
# A browser sends about 20, a proxy adds about 10.
limit_request_fields = 64
# One header is the Cookie header with the ticket and the open sign-in attempts: under 4,096.
limit_request_field_size = 8190

# --- What is written -------------------------------------------------------------------------

# Off: the callback's query holds the authorization code. The application logs its own requests,
# by path alone.
accesslog = None
errorlog = "-"
loglevel = "warning" if os.environ.get("LOG_LEVEL", "").upper() in {"WARNING", "ERROR"} else "info"

# The heartbeat file must not wait for a disk; shared memory never does.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  private file

# No control socket under $HOME: the container's root is read-only, and nobody talks to it.
control_socket_disable = True

_QUERY = re.compile(r"\?[^\s'\"]*")


class _WithoutQuery(logging.Filter):
    """Cuts the query from gunicorn's own complaints: they quote the request line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; none is held back."""
        record.msg, record.args = _QUERY.sub("?...", record.getMessage()), None
        return True


def on_starting(server: Any) -> None:
    """Gunicorn's hook in the master, before sockets and workers exist."""
    # Here and not above: the command line and GUNICORN_CMD_ARGS have been heard by now.
    if wrong := disagreements(server.cfg.timeout, server.cfg.graceful_timeout):
        sys.exit("\n".join(wrong))
    server.log.error_log.addFilter(_WithoutQuery())
    # A core file would hold tokens and keys. Workers inherit this; where the kernel pipes cores to
    # a program, that program has to be told.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What SIGUSR2 starts. gunicorn would make a script of `python -m gunicorn`, which then takes
    # its own http folder for the standard library's.
    server.START_CTX["args"] = [sys.executable, *sys.orig_argv[1:]]
    if "GUNICORN_PID" in os.environ:  # SIGUSR2: the old master still listens, as it should
        return
    for address in server.cfg.address:
        if isinstance(address, tuple) and address[1]:
            doors.refuse_a_taken_port(*address)
    doors.make(server)


def when_ready(server: Any) -> None:
    """Gunicorn's hook in the master, before the first worker: how it takes SIGTERM."""

    def terminate(number: int, frame: FrameType | None) -> None:
        if os.getpid() != server.pid:  # a new worker without handlers of its own, see worker.py
            told_early.append(True)
            return
        upgraded = server.reexec_pid != 0  # another master goes on here, and this host stays
        if upgraded or leaving[0] or not _drain:
            server.signal(signal.SIGTERM, frame)
            return
        leaving[0] = 1
        signal.setitimer(signal.ITIMER_REAL, _drain)

    signal.signal(signal.SIGTERM, terminate)
    signal.signal(
        signal.SIGALRM, terminate
    )  # the time is over; an impatient second SIGTERM as well
    doors.enough(server, server.num_workers)


def nworkers_changed(server: Any, workers: int, before: int | None) -> None:
    """Gunicorn's hook in the master, whenever the number of workers changes."""
    doors.enough(server, workers)


def pre_fork(server: Any, worker: Any) -> None:
    """Gunicorn's hook in the master, before a worker is started."""
    doors.hand_out(server, worker)


def post_fork(server: Any, worker: Any) -> None:
    """Gunicorn's hook in the new worker."""
    doors.close_others(server, worker)


def on_reload(server: Any) -> None:
    """Gunicorn's hook in the master at SIGHUP, before new workers take over from the old.

    Preloading, gunicorn would start them with the application as it was. This reads the settings
    again, and files with secrets; settings that are wrong are told, and change nothing. New code
    takes a new process.
    """
    name = server.app.app_uri.partition(":")[0]
    callable_before, module_before = server.app.callable, sys.modules.pop(name, None)
    server.app.callable = None
    try:
        server.app.wsgi()
    except (Exception, SystemExit) as error:
        server.app.callable = callable_before
        if module_before is not None:
            sys.modules[name] = module_before
        server.log.error("The settings stay as they were (%s).", type(error).__name__)

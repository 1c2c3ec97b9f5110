"""How gunicorn serves the application: every setting with its reason.

Use: ``gunicorn -c infra/container/gunicorn.conf.py`` from the top of the project. Plain
``gunicorn wsgi:app`` works too; what it gives up is named in the comments below. Each setting
was read in the source of the pinned gunicorn 27.0.1; times are in seconds, sizes in bytes.
"""

import errno
import logging
import os
import re
import socket
import sys
from typing import Any

wsgi_app = "wsgi:app"


def _whole(name: str, default: int, most: int) -> int:
    """A whole number from the environment; one sentence and no start for anything else."""
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        sys.exit(f"{name} must be a whole number from 1 to {most}.")
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

# Requests wait on Cognito, the identity pool and the API with blocking clients.
worker_class = "gthread"

# With 8 threads, 24 people in mid-sign-in hold up everybody else's pages; with 32 they do not.
threads = 32

# Loads once, before the fork: settings that are wrong stop the start at once instead of killing
# worker after worker, and the workers share the memory of the code. The application opens no
# socket, store or thread before its first request.
preload_app = True

# One accept queue for each worker: with a shared queue on two cores one worker takes most of the
# work. Its price: what still waits in the queue of a worker that is replaced (SIGHUP) is reset;
# the load balancer's health check and retry cover that, a single worker keeps the shared queue.
# Port 0 stays shared, because every worker would be given a port of its own.
reuse_port = workers > 1 and not bind.endswith(":0")

# --- How long --------------------------------------------------------------------------------

# The deadlines inside are shorter: provider 5, refresh 12, API call 10. The slowest request is a
# refresh and then an API call, 22 together.
#
# Not a limit on a request: the worker's main loop, silent for this long, is taken for dead.
timeout = 30

# SIGTERM: lets the slowest request end, and is done before the 30 after which ECS kills.
graceful_timeout = 25

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


def _refuse_a_taken_port(host: str, port: int) -> None:
    """End the start with one sentence when someone listens there already.

    With ``reuse_port`` two servers of the same user would quietly share the port.
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


def on_starting(server: Any) -> None:
    """Gunicorn's hook in the master, before sockets and workers exist."""
    server.log.error_log.addFilter(_WithoutQuery())
    if "GUNICORN_PID" in os.environ:  # SIGUSR2: the old master still listens, as it should
        return
    for address in server.cfg.address:
        if isinstance(address, tuple) and address[1]:
            _refuse_a_taken_port(*address)

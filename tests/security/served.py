"""The application under real gunicorn, and a client that writes raw bytes to it.

Two ways to serve it: with the settings of infra/container, and plain `gunicorn wsgi:app` with
nothing but the application's own settings, as a stranger would start it.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.doubles import Browser, Cognito

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "infra" / "container" / "gunicorn.conf.py"
START_SECONDS = 30.0
ANSWER_SECONDS = 15.0


@dataclass(frozen=True)
class RawAnswer:
    """What came back until the server closed; status 0 means that it closed without an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def by_application(self) -> bool:
        """Whether the application answered, and not gunicorn in its stead."""
        return self.header("Content-Security-Policy") is not None


@dataclass
class Served:
    """A running gunicorn with the doubles behind it."""

    port: int
    process: "subprocess.Popen[bytes]"
    cognito: Cognito
    log_path: Path
    store_path: Path
    with_conf: bool

    @property
    def host(self) -> str:
        """The one Host that it answers to."""
        return f"localhost:{self.port}"

    @property
    def base_url(self) -> str:
        """APP_BASE_URL."""
        return f"http://{self.host}"

    @property
    def log(self) -> str:
        """All that gunicorn and the application wrote."""
        return self.log_path.read_text(errors="replace")

    def browser(self) -> Browser:
        """A new browser that speaks real HTTP."""
        return Browser.over_http(
            self.base_url, issuer=self.cognito.issuer, now=self.cognito.issuer.now
        )

    def raw(self, head: bytes) -> RawAnswer:
        """Send these bytes on a connection of their own and read until the server closes it."""
        return raw_answer(self.port, head)

    def ask(
        self,
        target: bytes = b"/",
        *lines: bytes,
        host: bytes | None = None,
        method: bytes = b"GET",
    ) -> RawAnswer:
        """One request with these raw header lines besides Host."""
        named = self.host.encode() if host is None else host
        head = [method + b" " + target + b" HTTP/1.1", b"Host: " + named, b"Connection: close"]
        return self.raw(b"\r\n".join([*head, *lines, b"", b""]))


@contextmanager
def served_by_gunicorn(folder: Path, *, with_conf: bool, **settings: str) -> Iterator[Served]:
    """Serve on a free port until the block ends; settings by name besides the doubles'."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Cognito() as cognito:
        store = folder / "sessions.db"
        environment = cognito.environment(
            f"http://localhost:{port}", SESSION_STORE_URL=f"sqlite:///{store}", **settings
        )
        log = folder / "gunicorn.log"
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
        if with_conf:
            command += ["-c", str(CONF)]
        else:
            command += ["wsgi:app"]
        environment |= {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if with_conf:
            environment["WEB_CONCURRENCY"] = "2"
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
        try:
            made = Served(port, process, cognito, log, store, with_conf)
            _wait_until_ready(made)
            yield made
        finally:
            process.terminate()
            process.wait(35)


def _wait_until_ready(server: Served) -> None:
    until = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < until:
        try:
            if server.ask(b"/readyz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"gunicorn did not start:\n{server.log}")


def raw_answer(port: int, head: bytes) -> RawAnswer:
    """Send these bytes to a port of this machine and read until it closes."""
    with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as connection:
        received = b""
        try:
            connection.sendall(head)
            while piece := connection.recv(65536):
                received += piece
        except ConnectionError:  # closed with bytes of ours unread: what came still counts
            pass
    return _parsed(received)


def _parsed(received: bytes) -> RawAnswer:
    head, _, body = received.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    if not first.startswith("HTTP/1."):
        if received:
            raise AssertionError(f"not an HTTP answer: {received[:200]!r}")
        return RawAnswer(0, (), b"")
    pairs = (line.partition(":") for line in rest)
    headers = tuple((name, value.strip()) for name, _, value in pairs)
    return RawAnswer(int(first.split()[1]), headers, body)

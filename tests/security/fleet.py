"""A fleet: hosts of real gunicorn over one store, with one Cognito behind them all.

with fleet_of(tmp_path, "redis", behind_proxy=True) as fleet:    # 2 hosts x 2 workers x 4 threads
    browser = fleet.signed_in("admin")                # at host 0
    there = fleet.at(browser, 1)                      # the same cookies, sent to host 1
    tired = fleet.signed_in("admin", life=0)          # tokens that are dead already, not renewed
    with fleet.cognito.issuer.token.gate() as gate: ...          # hold a refresh open
    fleet.hosts[0].kill_workers()                     # kill -9; the master makes new ones
    fleet.store.proxy.down()                          # the store is gone; up() brings it back
    assert len(fleet.refreshes) == 1
    assert fleet.events("refreshed")                  # from the logs of all hosts

Both hosts are one origin, APP_BASE_URL: a browser sends the same Host to either. The clock is the
machine's own; a token is made to end by the lifetime that the double gives it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from infra.local.process import free_port
from tests.contract.redis_server import until
from tests.doubles import Browser, Cognito, User
from tests.doubles.transport import OverHttp
from tests.security.fleet_stores import Kind, SharedStore, shared_store
from tests.security.served import CONF, ROOT, RawAnswer, raw_answer

LIFE = 3600
START_SECONDS = 60.0
STOP_SECONDS = 40.0


@dataclass
class Host:
    """One gunicorn: a master and its workers, with the settings of infra/container."""

    port: int
    folder: Path
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log_path(self) -> Path:
        """Where gunicorn and the application write, over all starts."""
        return self.folder / f"host-{self.port}.log"

    @property
    def log(self) -> str:
        """All that was written so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def master(self) -> "subprocess.Popen[bytes]":
        """gunicorn's master; AssertionError for a host that was never started."""
        assert self.process
        return self.process

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers that live: the children of the master."""
        return children(self.process.pid) if self.process else []

    def start(self, *, wait: bool = True) -> None:
        """Start it, unless it runs; with `wait` until it says that it is ready."""
        if self.process is None or self.process.poll() is not None:
            with self.log_path.open("ab") as out:
                self.process = subprocess.Popen(
                    self.command, cwd=self.folder, env=self.environment, stdout=out, stderr=out
                )
        if wait:
            self.await_ready()

    def stop(self) -> int:
        """SIGTERM and wait for the drain; the exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def restart(self) -> None:
        """Stop, and start again on the same port."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """kill -9 for the master and all its workers: the machine is gone."""
        if self.process is None:
            return
        workers = self.workers
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        for pid in workers:
            _kill(pid)

    def kill_worker(self, pid: int) -> None:
        """kill -9 for one worker of this host."""
        assert pid in self.workers, f"{pid} is no worker of this host"
        _kill(pid)

    def kill_workers(self) -> list[int]:
        """kill -9 for every worker that lives; which they were. The master makes new ones."""
        pids = self.workers
        for pid in pids:
            _kill(pid)
        return pids

    def await_workers(self, count: int, *, without: Sequence[int] = ()) -> list[int]:
        """Wait until so many workers live, none of them among `without`."""
        until(lambda: len(set(self.workers) - set(without)) >= count)
        return sorted(set(self.workers) - set(without))

    def await_ready(self) -> None:
        """Wait until /readyz says 200."""
        end = time.monotonic() + START_SECONDS
        while self.process and self.process.poll() is None and time.monotonic() < end:
            with suppress(OSError):
                if self.ask("/readyz").status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the host is not ready:\n{self.log[-4000:]}")

    def ask(self, target: str) -> RawAnswer:
        """GET without cookies or a name of ours, as a health check does; OSError when down."""
        head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        return raw_answer(self.port, head.encode())


@dataclass
class Fleet:
    """The hosts, their store, and the one Cognito (with identity pool and API) behind them."""

    base_url: str
    hosts: list[Host]
    store: SharedStore
    cognito: Cognito
    _marks: dict[int, int] = field(default_factory=dict)

    def browser(self, host: int = 0) -> Browser:
        """A new browser that speaks to this host."""
        return Browser(self._way(host), self.base_url, issuer=self.cognito.issuer)

    def at(self, browser: Browser, host: int) -> Browser:
        """The same browser (one jar, kept in common) as it speaks to this host."""
        other = self.browser(host)
        other.cookies = browser.cookies
        return other

    def signed_in(self, user: str | User = "admin", host: int = 0, *, life: int = LIFE) -> Browser:
        """Somebody signed in, by tokens of `life` seconds; later tokens live for `LIFE`.

        The page behind the callback is not asked for, so that dead tokens stay dead until a test
        asks for a page.
        """
        browser, mint = self.browser(host), self.cognito.issuer.mint
        known = self.cognito.user(user) if isinstance(user, str) else user
        callback = self.cognito.issuer.approve(browser.start(), known)
        mint.id_lifetime = mint.access_lifetime = life
        landed = browser.finish(callback)
        mint.id_lifetime = mint.access_lifetime = LIFE
        assert landed.status == 303, f"{landed}\n{landed.text[:1500]}"
        return browser

    @property
    def refreshes(self) -> list[dict[str, str]]:
        """The refresh grants that Cognito was asked for since the last `reset`, as forms."""
        return self.cognito.issuer.grants("refresh_token")

    @property
    def token_requests(self) -> int:
        """How often the token endpoint was asked since the last `reset`, whatever for."""
        return self.cognito.issuer.token.count

    @property
    def log(self) -> str:
        """What all hosts wrote since the last `reset`."""
        return "".join(host.log[self._marks.get(host.port, 0) :] for host in self.hosts)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name in the log."""
        found = (json.loads(line) for line in self.log.splitlines() if line.startswith("{"))
        return [event for event in found if event.get("event") == name]

    def reset(self) -> None:
        """All healed, nothing counted, the pool as it is by default, every host up: a new test."""
        self.cognito.heal()
        if self.store.proxy:
            self.store.proxy.mode = "open"
        pool, mint = self.cognito.issuer.pool, self.cognito.issuer.mint
        pool.rotation, pool.rotation_grace = False, 0.0
        mint.id_lifetime = mint.access_lifetime = LIFE
        for double in (self.cognito.issuer, self.cognito.pool, self.cognito.api):
            for endpoint in double.endpoints:
                endpoint.forget()
        for host in self.hosts:
            host.start()
        self._marks = {host.port: len(host.log) for host in self.hosts}

    def as_new(self) -> Self:
        """The fleet, reset, once every worker of its hosts is there."""
        self.reset()
        for host in self.hosts:
            host.await_workers(2)
        return self

    def _way(self, host: int) -> OverHttp:
        return OverHttp(f"http://127.0.0.1:{self.hosts[host].port}")


@contextmanager
def fleet_of(
    folder: Path,
    kind: Kind = "sqlite",
    *,
    hosts: int = 2,
    workers: int = 2,
    threads: int = 4,
    behind_proxy: bool = False,
    app: str = "wsgi:app",
    options: Sequence[str] = (),
    start: bool = True,
    client_secret: str | None = None,
    **settings: str,
) -> Iterator[Fleet]:
    """A fleet until the end of the block; further settings of the application by name.

    `app` is another WSGI application than wsgi.py's, `options` are further words for gunicorn.
    """
    with ExitStack() as stack:
        store = stack.enter_context(shared_store(kind, folder, behind_proxy=behind_proxy))
        cognito = stack.enter_context(Cognito(client_secret=client_secret))
        ports = [free_port() for _ in range(hosts)]
        base_url = f"http://localhost:{ports[0]}"
        environment = cognito.environment(base_url, **store.settings) | settings
        environment |= {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "WEB_CONCURRENCY": str(workers),
        }
        command = [sys.executable, "-m", "gunicorn", "-c", str(CONF), "--threads", str(threads)]
        made = [
            Host(
                port, folder, [*command, "--bind", f"127.0.0.1:{port}", *options, app], environment
            )
            for port in ports
        ]
        fleet = Fleet(base_url, made, store, cognito)
        stack.callback(_stop, fleet)
        if start:
            for host in made:
                host.start(wait=False)
            for host in made:
                host.await_ready()
        yield fleet


def children(pid: int) -> list[int]:
    """The processes that this one started and that still live."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # After the name, which may hold anything: state, parent.
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:  # gone meanwhile
                continue
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return sorted(found)


def _stop(fleet: Fleet) -> None:
    fleet.cognito.heal()  # a request that a fault holds would hold up the drain
    running = [host.process for host in fleet.hosts if host.process]
    for process in running:
        process.terminate()
    for process in running:
        process.wait(STOP_SECONDS)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it went by itself
        os.kill(pid, signal.SIGKILL)

"""Servers under measure: started, waited for, weighed and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.bench.client import HOST, Connection, DriveError

ROOT = Path(__file__).resolve().parents[2]
THREADS = 32
START_SECONDS = 20.0
STOP_SECONDS = 8.0


class StartError(Exception):
    """A server did not come up; the text ends with its last words."""


def free_port() -> int:
    """A loopback port that nobody holds at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of the application, AWS or a proxy."""
    foreign = ("AWS_", "COGNITO_", "SESSION_", "APP_", "BARE_", "GUNICORN_", "SECRET_KEY")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and not name.lower().endswith("_proxy")
    }
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


class Server:
    """One program with its children; its output goes to a log file in `folder`."""

    def __init__(
        self, name: str, command: list[str], environment: Mapping[str, str], folder: Path, port: int
    ) -> None:
        self.name, self.port = name, port
        self._log = folder / f"{name.replace(' ', '-').lower()}-{port}.log"
        self._began = time.perf_counter()
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                command, env=dict(environment), cwd=folder, stdout=output, stderr=output
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_listening(self, seconds: float = START_SECONDS) -> None:
        """Until a connection is taken; for servers that speak TLS."""
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            self._pause("did not listen", seconds)

    def wait_answering(self, request: bytes) -> float:
        """Seconds from start to the first 200."""
        seen = "no answer"
        while True:
            try:
                answer = Connection(self.port).ask(request)
                if answer.status == 200:
                    return time.perf_counter() - self._began
                seen = f"answered {answer.status}"
            except (OSError, DriveError):
                pass  # not listening yet
            self._pause(seen)

    def _pause(self, seen: str, seconds: float = START_SECONDS) -> None:
        if self._process.poll() is not None:
            raise StartError(self._words(f"ended with status {self._process.returncode}"))
        if time.perf_counter() - self._began > seconds:
            raise StartError(self._words(f"{seen} within {seconds:.0f} s"))
        time.sleep(0.005)

    def _words(self, what: str) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-15:]
        return "\n    ".join([f"{self.name} {what}. Its last lines:", *lines])

    def last_words(self) -> str:
        """The end of the log, for an error message."""
        return self._words("is running")

    def processes(self) -> list[int]:
        """The program's own process id, then its children's."""
        own = self._process.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        return [own, *map(int, children)]

    def cpu(self) -> float:
        """CPU seconds, user and system, that the program and its children have used.

        The clock of another process (clock_getcpuclockid(3)) counts in nanoseconds.
        """
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.processes())

    def memory(self) -> list[float]:
        """Proportional set size in MB (10^6 bytes), one figure a process, the parent first."""
        return [_pss(pid) for pid in self.processes()]

    def stop(self) -> None:
        """End it politely, then by force, with its children."""
        if self._process.poll() is not None:
            return
        family = self.processes()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in family:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self._process.wait()


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def gunicorn(application: str, port: int, *, workers: int = 1, preload: bool = False) -> list[str]:
    """The same gunicorn for everyone under measure."""
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"{HOST}:{port}"]
    command += ["--worker-class", "gthread", "--threads", str(THREADS)]
    command += ["--workers", str(workers), "--keep-alive", "75", "--log-level", "warning"]
    command += ["--reuse-port"] if workers > 1 else []
    return command + (["--preload"] if preload else [])

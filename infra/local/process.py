"""Child processes of the launcher and of the tests: start, wait until healthy, stop, last words."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

_STARTUP_SECONDS = 30.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.05


class ChildFailedError(RuntimeError):
    """A child process ended, or never answered; the text ends with its last log lines."""


@dataclass(frozen=True)
class Child:
    """A running process of ours, its health address and its log file."""

    name: str
    process: subprocess.Popen[bytes]
    health_url: str
    log: Path

    def wait_until_healthy(self, given_up: Callable[[], bool] = lambda: False) -> None:
        """Return when the health address answers 200; raise ChildFailedError otherwise.

        `given_up` is asked between two attempts; when it says yes, this returns early.
        """
        deadline = time.monotonic() + _STARTUP_SECONDS
        while not given_up():
            if self.process.poll() is not None:
                raise self.failure(f"The {self.name} did not start")
            if _answers(self.health_url):
                return
            if time.monotonic() > deadline:
                self.stop()
                raise self.failure(f"The {self.name} did not answer in {_STARTUP_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)

    def failure(self, what: str) -> ChildFailedError:
        """Return an error that says what happened, with the end of the log."""
        lines = self.log.read_text("utf-8", "replace").splitlines()[-12:]
        tail = "".join(f"\n  | {line}" for line in lines)
        return ChildFailedError(f"{what}.{tail}")

    def stop(self) -> None:
        """End the process and whatever it started; it gets a few seconds to do so in peace."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


def start(
    name: str,
    command: Sequence[str],
    *,
    health_url: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path = REPOSITORY,
) -> Child:
    """Start a command in a session of its own, so that Ctrl-C reaches us alone.

    Its standard input is a pipe that closes when we end, however we end.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )
    return Child(name=name, process=process, health_url=health_url, log=log)


def start_offline_aws(
    port: int, state_dir: Path, *, keep: bool = False, plain: bool = False
) -> Child:
    """Start the offline AWS on loopback; `plain` leaves our mends and pages out."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "infra.local.server"]
    command += ["--port", str(port), "--state-dir", str(state_dir)]
    command += ["--keep"] * keep + ["--plain"] * plain
    return start(
        "offline AWS",
        command,
        health_url=f"http://127.0.0.1:{port}/_ministack/health",
        log=state_dir / "offline-aws.log",
    )


def is_taken(port: int) -> bool:
    """Return whether something on loopback already listens on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# A proxy of the developer's has no business between two processes of one machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _answers(url: str) -> bool:
    try:
        with _direct.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False

"""The commands as they are used: in this process, by a script, by a person at a terminal."""

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from click.testing import CliRunner

from webapp.cli.commands import Commands
from webapp.cli.house import House
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "webapp.cli")
_STEERING = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which is one line of JSON and nothing else."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The code of the error on standard error."""
        code = json.loads(self.err.splitlines()[-1])["error"]["code"]
        assert isinstance(code, str)
        return code


@dataclass(frozen=True)
class CommandLine:
    """Runs commands over these settings."""

    settings: Mapping[str, str]
    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a shell would hand on: the settings, and no credentials of the developer's."""
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        return {**own, "PYTHONPATH": str(ROOT), **self.settings, **self.extra}

    def run(self, *words: str, stdin: str = "", **changes: str) -> Ran:
        """Run a command within this process; `changes` are further settings."""
        settings = Settings.load({**self.settings, **changes})
        commands = Commands(House(lambda: settings))
        result = CliRunner(env={"PORTICO_PASSWORD": None}).invoke(commands, [*words], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def script(self, *words: str, stdin: str = "", **environment: str) -> Ran:
        """Run a command as a program of its own, with pipes, as a script would."""
        done = subprocess.run(
            [*PROGRAM, *words],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**self.environment, **environment},
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a command as a script would, and leave it running."""
        return subprocess.Popen(
            [*PROGRAM, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**self.environment, **environment},
        )

    def terminal(self, *words: str, columns: int = 100, **environment: str) -> "Terminal":
        """Start a command at a terminal of its own."""
        given = {**self.environment, "TERM": "xterm", "COLUMNS": str(columns), **environment}
        return Terminal([*PROGRAM, *words], given, self.folder)


class Terminal:
    """A person at a pseudo-terminal: waits for a question, types, reads what is shown."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self._master, slave = os.openpty()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    @property
    def text(self) -> str:
        """What is shown, without colours and other steering."""
        return _STEERING.sub("", self.shown).replace("\r\n", "\n")

    def see(self, words: str, seconds: float = 30, *, times: int = 1) -> None:
        """Wait until these words have been shown, so often since the start."""
        end = time.monotonic() + seconds
        while self.text.count(words) < times:
            assert time.monotonic() < end, f"never saw {words!r} {times} x in {self.text!r}"
            if not self._read(end - time.monotonic()):
                break
        assert self.text.count(words) >= times, f"ended without {words!r}: {self.text!r}"

    def type(self, text: str, *, enter: bool = True) -> None:
        """Type, and press Enter."""
        os.write(self._master, (text + "\n" * enter).encode())

    def press_ctrl_c(self) -> None:
        """Press Ctrl-C; the session has no terminal of control, so the signal is sent by hand."""
        self._process.send_signal(2)

    def end(self, seconds: float = 30) -> int:
        """Wait for the end; the exit status."""
        stop = time.monotonic() + seconds
        while self._read(stop - time.monotonic()):
            pass
        return self._process.wait(timeout=max(1.0, stop - time.monotonic()))

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.shown += piece.decode("utf-8", "replace")
        return bool(piece)


@contextmanager
def changed_client(idp: Any, pool_id: str, client_id: str, **changes: Any) -> Iterator[None]:
    """The app client with these settings for a while."""
    of_client = {"UserPoolId": pool_id, "ClientId": client_id}
    before = idp.describe_user_pool_client(**of_client)["UserPoolClient"]
    kept = {
        name: value
        for name, value in before.items()
        if value != "" and name not in ("ClientSecret", "CreationDate", "LastModifiedDate")
    }
    try:
        idp.update_user_pool_client(**{**kept, **changes})
        yield
    finally:
        idp.update_user_pool_client(**kept)

"""The demo as `make demo` starts it: the offline AWS, the application under gunicorn, two ports."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.process import REPOSITORY, free_port
from infra.stack import load_stack
from tests.stack.offline import Mail, OfflineAws, User
from tests.stack.world import Offline

_STOP_SECONDS = 20


@dataclass(frozen=True)
class Demo:
    """A running demo. `application` and `managed_login` are origins on two different sites."""

    application: str
    offline: OfflineAws

    @property
    def managed_login(self) -> str:
        """The origin of the sign-in pages and of everything else of the offline AWS."""
        return self.offline.endpoint

    def person(self, name: str) -> User:
        """Return one of the demo's own people: shared, so change nothing about them."""
        return self.offline.demo_user(f"{name}@example.com")

    def new_person(self, *groups: str, temporary: bool = False) -> User:
        """Create a person of one test's own."""
        return self.offline.new_user(*groups, temporary=temporary)

    def mails(self, to: str) -> list[Mail]:
        """Return the mails to one address, newest first."""
        return self.offline.mails(to)


@contextmanager
def started(folder: Path) -> Iterator[Demo]:
    """Start the launcher on free ports; end it, and all that it started, as Ctrl-C would."""
    command = [sys.executable, "-m", "infra.local", "--with-app", "--json"]
    command += ["--port", str(free_port()), "--app-port", str(free_port())]
    log = folder / "launcher.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=REPOSITORY)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"the demo did not start:\n{log.read_text()}"
        told = json.loads(line)
        offline = OfflineAws(Offline(told["endpoint"]), load_stack(), told["environment"])
        yield Demo(told["application"], offline)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_STOP_SECONDS)
        process.stdout.close()

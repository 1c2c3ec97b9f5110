"""An account as the application knows it: its settings, people to sign in as, its own address."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from infra.facts import Stack
from infra.local.process import REPOSITORY, is_taken, start
from infra.stack import load_stack
from tests.live.people import PAGE, NotReady, Person, read_people
from webapp.addresses import is_loopback
from webapp.errors import SettingsProblems
from webapp.settings import Settings

_GUNICORN = REPOSITORY / "infra" / "container" / "gunicorn.conf.py"
_DOCTOR_SECONDS = 120


@dataclass(frozen=True)
class Account:
    """Where the settings are: `environment`, and beneath it the `.env` in `folder`."""

    people: tuple[Person, ...]
    environment: Mapping[str, str]
    folder: Path

    @cached_property
    def settings(self) -> Settings:
        """The settings, as a start of the application reads them. Raises SettingsProblems."""
        return Settings.load(self.environment, self.folder / ".env")

    @cached_property
    def stack(self) -> Stack:
        """What the account promises."""
        return load_stack()

    @property
    def origin(self) -> str:
        """The application's address."""
        return self.settings.app_base_url

    @property
    def is_of_this_machine(self) -> bool:
        """Whether the application is to be started here; a deployed one is used as it is."""
        return is_loopback(urlsplit(self.origin).hostname)

    @contextmanager
    def running(self, log: Path) -> Iterator[str]:
        """The application, started here when its address is of this machine; gives the origin."""
        if not self.is_of_this_machine:
            answer = requests.get(f"{self.origin}/healthz", timeout=20)
            assert answer.status_code == 200, f"{self.origin}/healthz says {answer.status_code}"
            yield self.origin
            return
        port = urlsplit(self.origin).port or 80
        assert not is_taken(port), f"port {port} is taken: end what runs there, it may be stale"
        child = start(
            "application",
            [sys.executable, "-m", "gunicorn", "-c", str(_GUNICORN), "-b", f"127.0.0.1:{port}"],
            health_url=f"{self.origin}/healthz",
            log=log,
            environment=self._of_the_project,
            folder=self.folder,
        )
        try:
            child.wait_until_healthy()
            yield self.origin
        finally:
            child.stop()

    def examined(self) -> tuple[int, list[dict[str, Any]]]:
        """What the doctor says: its exit status and its findings."""
        done = subprocess.run(
            [sys.executable, "-m", "webapp.cli", "doctor", "--json"],
            cwd=self.folder,
            env=self._of_the_project,
            capture_output=True,
            text=True,
            timeout=_DOCTOR_SECONDS,
            check=False,
        )
        assert done.stdout, done.stderr
        findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
        return done.returncode, findings

    @property
    def _of_the_project(self) -> dict[str, str]:
        return {**self.environment, "PYTHONPATH": str(REPOSITORY)}


def real_account(environ: Mapping[str, str] = os.environ, folder: Path = REPOSITORY) -> Account:
    """The account of the application's own settings. Raises NotReady with the cure."""
    account = Account(read_people(environ, folder), environ, folder)
    try:
        assert account.settings
    except SettingsProblems as problems:
        raise NotReady(
            f"The settings of the account are not sound (see {PAGE}): {problems.sentence}"
        ) from None
    return account


def written_env(outputs: Mapping[str, Any], folder: Path) -> None:
    """Write the `.env` into this folder, as an operator does with Terraform's outputs."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "webapp.cli",
            "settings",
            "from-terraform",
            "-",
            "--to",
            str(folder / ".env"),
        ],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        input=json.dumps(outputs),
        stdout=subprocess.DEVNULL,
        text=True,
        check=True,
    )

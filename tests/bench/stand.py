"""The stand: stub provider, driver process, and everyone under measure, in one temporary folder."""

import contextlib
import json
import os
import signal
import ssl
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from tests.bench.certificates import Certificates, make_certificates
from tests.bench.client import DriveError
from tests.bench.operations import Target, get
from tests.bench.processes import ROOT, Server, clean_environment, free_port, gunicorn

POOL_ID, CLIENT_ID, CLIENT_SECRET = "us-east-1_BenchPool", "benchclient0000000000000000", "s" * 51
IDENTITY_POOL = "us-east-1:00000000-0000-4000-8000-000000000000"
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Running:
    """A server under measure, how to call it, and seconds from its start to its first 200."""

    target: Target
    server: Server
    started: float


class Stand:
    """Starts what is measured. Use as `with open_stand(folder) as stand`."""

    def __init__(self, folder: Path, certificates: Certificates, executor: ProcessPoolExecutor):
        self.folder, self._executor = folder, executor
        self._trust = ssl.create_default_context(cafile=str(certificates.authority))
        self._certificates = certificates
        self._provider_port = free_port()
        self.origin = f"https://127.0.0.1:{self._provider_port}"
        self.issuer = f"{self.origin}/{POOL_ID}"

    @contextlib.contextmanager
    def provider(self) -> Iterator[None]:
        """The stub provider, for as long as the block."""
        command = [sys.executable, "-m", "tests.bench.provider"]
        command += ["--port", str(self._provider_port), "--issuer", self.issuer]
        command += ["--chain", str(self._certificates.chain), "--key", str(self._certificates.key)]
        command += ["--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET]
        environment = clean_environment()
        with Server("Provider", command, environment, self.folder, self._provider_port) as server:
            server.wait_listening()
            yield

    def counts(self, query: str = "") -> dict[str, int]:
        """Calls per endpoint so far; a query such as `delay=0.2` or `close=1` throws a switch."""
        address = f"{self.origin}/_bench?{query}"
        with urllib.request.urlopen(address, timeout=10, context=self._trust) as answer:  # noqa: S310  # our own stub
            counts: dict[str, int] = json.load(answer)
            return counts

    def work(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run a job in one of the two driver processes."""
        return self._executor.submit(job, *args, **kwargs)

    def drive(
        self,
        running: Running,
        job: Callable[Concatenate[Target, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run a job against a server and wait. DriveError ends with the server's last words."""
        return self.finished(running, self.work(job, running.target, *args, **kwargs))

    @staticmethod
    def finished(running: Running, future: Future[R]) -> R:
        """The job's result. DriveError as `drive`."""
        try:
            return future.result()
        except (DriveError, OSError) as error:
            raise DriveError(f"{error}\n    {running.server.last_words()}") from error

    @contextlib.contextmanager
    def bare_page(self) -> Iterator[Running]:
        """The bare Flask page."""
        port = free_port()
        command = gunicorn("tests.bench.bare_page:app", port)
        with self._run(Target("Bare page", port), command, {}, "/") as running:
            yield running

    @contextlib.contextmanager
    def bare_relying_party(self, store: Path, *, workers: int = 1) -> Iterator[Running]:
        """The bare relying party over a SQLite file."""
        port = free_port()
        target = Target("Bare relying party", port, call_path="/call", call_form=())
        settings = {
            "BARE_BASE_URL": target.origin,
            "BARE_ISSUER": self.issuer,
            "BARE_PROVIDER": self.origin,
            "BARE_CLIENT_ID": CLIENT_ID,
            "BARE_CLIENT_SECRET": CLIENT_SECRET,
            "BARE_IDENTITY_POOL": IDENTITY_POOL,
            "BARE_DATABASE": str(store),
        }
        command = gunicorn("tests.bench.bare_relying_party:app", port, workers=workers)
        with self._run(target, command, settings, "/healthz") as running:
            yield running

    @contextlib.contextmanager
    def portico(
        self,
        store_url: str,
        more: Mapping[str, str] | None = None,
        *,
        workers: int = 1,
        preload: bool = False,
    ) -> Iterator[Running]:
        """Portico with nothing but the settings of its contract, and `more` of the environment."""
        port = free_port()
        target = Target("Portico", port)
        command = gunicorn("wsgi:app", port, workers=workers, preload=preload)
        settings = self.portico_settings(target, store_url) | dict(more or {})
        with self._run(target, command, settings, "/") as running:
            yield running

    @contextlib.contextmanager
    def emulator(self, tables: Mapping[str, int]) -> Iterator[tuple[Server, dict[str, str]]]:
        """DynamoDB of the offline AWS, each table with so many sessions, and the settings for it.

        It fills its tables while the block runs, and listens when they are full.
        """
        port = free_port()
        folder = self.folder / "emulator"
        folder.mkdir()
        command = [sys.executable, "-m", "tests.bench.emulator", "--port", str(port)]
        command += ["--folder", str(folder), "--chain", str(self._certificates.chain)]
        command += ["--key", str(self._certificates.key)]
        for table, count in tables.items():
            command += ["--fill", f"{table}={count}"]
        with Server("Emulator", command, clean_environment(), self.folder, port) as server:
            keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
            yield server, {"AWS_ENDPOINT_URL_DYNAMODB": f"https://127.0.0.1:{port}"} | keys

    def portico_settings(self, target: Target, store_url: str) -> dict[str, str]:
        """The environment variables that Portico is given."""
        return {
            "APP_BASE_URL": target.origin,
            "SECRET_KEY": "bench-of-portico-" * 3,
            "AWS_REGION": "us-east-1",
            "COGNITO_USER_POOL_ID": POOL_ID,
            "COGNITO_CLIENT_ID": CLIENT_ID,
            "COGNITO_CLIENT_SECRET": CLIENT_SECRET,
            "COGNITO_ISSUER": self.issuer,
            "COGNITO_DISCOVERY_URL": f"{self.issuer}/.well-known/openid-configuration",
            "COGNITO_IDENTITY_POOL_ID": IDENTITY_POOL,
            "API_ENDPOINT": f"{self.origin}/api",
            "SESSION_STORE_URL": store_url,
            "AWS_ENDPOINT_URL": self.origin,
        }

    @contextlib.contextmanager
    def _run(
        self, target: Target, command: list[str], settings: dict[str, str], ready: str
    ) -> Iterator[Running]:
        authority = str(self._certificates.authority)
        trust = {"SSL_CERT_FILE": authority, "AWS_CA_BUNDLE": authority}
        trust |= {"REQUESTS_CA_BUNDLE": authority, "AWS_EC2_METADATA_DISABLED": "true"}
        environment = clean_environment() | trust | {"HOME": str(self.folder)} | settings
        with Server(target.name, command, environment, self.folder, target.port) as server:
            yield Running(target, server, server.wait_answering(get(target, ready)))


@contextlib.contextmanager
def open_stand(folder: Path) -> Iterator[Stand]:
    """A stand with its provider running; everything has ended when the block ends."""
    certificates = make_certificates(folder)
    os.environ["PYTHONPATH"] = str(ROOT)  # the driver processes start anew and import this package
    # Ctrl-C reaches the whole group; the drivers leave it to this process to end things in order.
    deaf = (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(2, get_context("spawn"), signal.signal, deaf) as executor:
        stand = Stand(folder, certificates, executor)
        with stand.provider():
            yield stand

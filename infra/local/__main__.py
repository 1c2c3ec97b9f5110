"""Start the offline AWS, and the application with it when asked: `python -m infra.local`.

    python -m infra.local                        prints the application's settings, runs on
    python -m infra.local --with-app             the whole demo, ends with one Ctrl-C
    python -m infra.local --keep-state var/aws   the same people after a restart

Settings go to standard output (`export` lines, or one line of JSON); everything for people goes to
standard error, so that the first can be piped.
"""

import signal  # first: a Ctrl-C during the imports below is to end us without a traceback

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local import kept, screen
from infra.local.process import (
    Child,
    ChildFailedError,
    is_taken,
    start,
    start_offline_aws,
)
from infra.local.provision import provision
from infra.local.state import write_private
from infra.stack import Stack, StackProblem, load_stack

EXIT_FAILED = 1
EXIT_UNUSABLE = 2

_HIGHEST_PORT = 65535

# The developer's shell may be set for the real AWS, or for another server's port.
_FOREIGN_PREFIXES = ("AWS_", "APP_", "COGNITO_", "SESSION_", "SECRET_KEY", "API_ENDPOINT")
_FOREIGN_NAMES = ("PORT", "GUNICORN_CMD_ARGS", "TRUSTED_PROXY_HOPS")


class _Stopped(Exception):
    """Ctrl-C or SIGTERM came while something was still starting."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; return the exit status."""
    options = _parse(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    ports = [("offline AWS", options.port, "--port")]
    ports += [("application", options.app_port, "--app-port")] * options.with_app
    problem = _problem_of(ports, with_make=options.with_app)
    if problem is not None:
        return _fail(problem, EXIT_UNUSABLE)
    try:
        stack = load_stack()
        with kept.open_folder(options.keep_state) as folder:
            return _Launch(options, stack, folder, stop).run()
    except (StackProblem, kept.StateUnusableError) as error:
        return _fail(str(error), EXIT_UNUSABLE)
    except ChildFailedError as error:
        return _fail(str(error), EXIT_FAILED)
    except _Stopped:
        return 0


def _problem_of(ports: Sequence[tuple[str, int, str]], *, with_make: bool) -> str | None:
    """Say in a sentence what is wrong with the ports, and what helps; None if nothing is."""
    numbers = [port for _, port, _ in ports]
    for _, port, option in ports:
        if not 1 <= port <= _HIGHEST_PORT:
            return f"{option} must be a number from 1 to {_HIGHEST_PORT}, not {port}."
    if len({*numbers}) < len(numbers):
        return f"--port and --app-port must differ; both are {numbers[0]}."
    for name, port, option in ports:
        if is_taken(port):
            free = next(one for one in (port + 1, port + 2, port - 1) if one not in numbers)
            other = f'make demo ARGS="{option} {free}"' if with_make else f"{option} {free}"
            return (
                f"Port {port} for the {name} is taken: stop what uses it, or choose another, "
                f"such as {other}."
            )
    return None


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("--port", type=int, default=4566, help="port of the offline AWS (4566)")
    add("--keep-state", type=Path, metavar="DIR", help="keep users and sessions in this folder")
    add("--app-base-url", metavar="URL", help="the application's origin (http://localhost:8000)")
    add("--with-app", action="store_true", help="start the application under gunicorn as well")
    add("--app-port", type=int, default=8000, help="port of the application (8000)")
    add("--json", action="store_true", help="print the settings as JSON, not as export lines")
    options = parser.parse_args(arguments)
    if options.app_base_url is None:
        options.app_base_url = f"http://localhost:{options.app_port}"
    return options


class _Launch:
    """One run of the launcher, from the first child to the last."""

    def __init__(
        self, options: argparse.Namespace, stack: Stack, folder: Path, stop: threading.Event
    ) -> None:
        self._options = options
        self._stack = stack
        self._folder = folder
        self._stop = stop
        self._endpoint = f"http://127.0.0.1:{options.port}"
        self._settings_file: Path | None = None
        self._children: list[Child] = []

    def run(self) -> int:
        try:
            environment = self._start_offline_aws()
            if self._options.with_app:
                self._start_application(environment)
            self._tell(environment)
            return self._watch()
        finally:
            for child in reversed(self._children):
                child.stop()

    def _start_offline_aws(self) -> dict[str, str]:
        keep = self._options.keep_state is not None
        self._await(start_offline_aws(self._options.port, self._folder, keep=keep))
        made = provision(self._endpoint, self._stack, self._options.app_base_url)
        return made.environment()

    def _start_application(self, environment: Mapping[str, str]) -> None:
        port = self._options.app_port
        own = {
            "SECRET_KEY": kept.secret_key(self._folder),
            "SESSION_STORE_URL": f"sqlite:///{self._folder.resolve() / 'sessions.db'}",
        }
        command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        command += ["-c", "infra/container/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
        application = start(
            "application",
            command,
            health_url=f"http://localhost:{port}/healthz",
            log=self._folder / "application.log",
            # Readable last words, should it die; the shell may ask for json.
            environment={
                "LOG_FORMAT": "console",
                **_without_foreign(os.environ),
                **environment,
                **own,
            },
        )
        self._settings_file = self._folder / "application.env"
        write_private(self._settings_file, screen.exports({**environment, **own}))
        self._await(application)

    def _await(self, child: Child) -> None:
        self._children.append(child)
        child.wait_until_healthy(given_up=self._stop.is_set)
        if self._stop.is_set():
            raise _Stopped

    def _tell(self, environment: Mapping[str, str]) -> None:
        with_app = self._options.with_app
        addresses = screen.Addresses(
            self._endpoint,
            self._options.app_base_url if with_app else None,
            str(self._settings_file) if self._settings_file else None,
        )
        style = screen.Style.of(sys.stderr, os.environ)
        print(screen.welcome(addresses, self._stack.demo, style), file=sys.stderr, flush=True)
        if self._options.json:
            sys.stdout.write(screen.as_json(addresses, environment, self._stack.demo))
        elif not with_app:
            sys.stdout.write(screen.exports(environment))
        sys.stdout.flush()

    def _watch(self) -> int:
        while not self._stop.wait(0.2):
            for child in self._children:
                if child.process.poll() is not None:
                    raise child.failure(f"The {child.name} has ended by itself")
        return 0


def _without_foreign(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_FOREIGN_PREFIXES) and name not in _FOREIGN_NAMES
    }


def _fail(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())

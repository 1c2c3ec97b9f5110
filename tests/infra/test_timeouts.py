"""RT-14: a server whose timeouts would kill a healthy request does not start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.process import free_port
from tests.infra.test_gunicorn import ECHO, ROOT, SETTINGS
from webapp.deadlines import SLOWEST_SECONDS

LEAST = int(SLOWEST_SECONDS) + 1
SHORT = str(int(SLOWEST_SECONDS))
WITH_OURS = ["-c", str(SETTINGS)]
PLAIN = ["wsgi:app"]

# What an application sees of the server that loads it.
ASKS = """
import json
import sys
from webapp.server import loading
found = loading()
print(json.dumps([found.threads, found.timeout, found.graceful_timeout]))
sys.exit(4)
"""


def _gunicorn(
    folder: Path, *options: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """A start that is expected to end by itself, and how it ended."""
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{free_port()}", *options]
    environment |= {"PATH": os.environ["PATH"], "WEB_CONCURRENCY": "1"}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("name", ["timeout", "graceful-timeout"])
@pytest.mark.parametrize("way", ["command line", "environment"])
def test_RT_14_our_settings_refuse(tmp_path: Path, name: str, way: str) -> None:
    """Too short a timeout over our settings ends the start with one sentence and its cure."""
    (tmp_path / "wsgi.py").write_text(ECHO)
    option = f"--{name}={SHORT}"
    if way == "command line":
        done = _gunicorn(tmp_path, *WITH_OURS, option)
    else:
        done = _gunicorn(tmp_path, *WITH_OURS, GUNICORN_CMD_ARGS=option)
    assert done.returncode == 1
    assert f"set {name.replace('-', '_')} (--{name}) to {LEAST} or more" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Listening" not in done.stderr


@pytest.mark.parametrize("threads", ["1", "4"])
def test_RT_14_the_application_refuses(tmp_path: Path, threads: str) -> None:
    """Under plain gunicorn the application itself refuses, as it does wrong settings."""
    done = _gunicorn(tmp_path, *PLAIN, "--threads", threads, "--timeout", SHORT)
    assert done.returncode == 4
    assert f"(--timeout) to {LEAST} or more" in done.stderr
    assert "settings need attention" not in done.stderr
    assert "Traceback" not in done.stderr.partition("Booting")[0]


def test_RT_14_settings_that_agree_pass(tmp_path: Path) -> None:
    """gunicorn's own defaults are long enough: the next thing that is told is the settings."""
    done = _gunicorn(tmp_path, *PLAIN)
    assert done.returncode == 4
    assert "APP_BASE_URL" in done.stderr
    assert "timeout" not in done.stderr


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        (WITH_OURS, [32, 30, 28]),
        ([*WITH_OURS, "--threads=8", "--timeout=60"], [8, 60, 28]),
        (PLAIN, [1, 30, 30]),
        ([*PLAIN, "--threads=6"], [6, 30, 30]),
        (
            [*PLAIN, "--preload", "-k", "gthread", "--threads=4", "--graceful-timeout=40"],
            [4, 30, 40],
        ),
        ([*PLAIN, "-k", "tests.infra.another_worker.AnotherWorker"], [None, 30, 30]),
    ],
)
def test_AP_16_the_application_knows_its_threads(
    tmp_path: Path, options: list[str], seen: list[int | None]
) -> None:
    """How many threads serve is known at load, under our settings and under plain gunicorn."""
    (tmp_path / "wsgi.py").write_text(ASKS)
    done = _gunicorn(tmp_path, *options)
    assert done.returncode == 4, done.stderr
    (said,) = {line for line in done.stdout.splitlines() if line}
    assert json.loads(said) == seen

"""gunicorn with our settings, over a small application that says what reached it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "infra" / "container" / "gunicorn.conf.py"
ECHO = """
def app(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        start_response("200 OK", [("X-Broken", "a\\nb")])
        return [b""]
    names = ("SCRIPT_NAME", "PATH_INFO", "wsgi.url_scheme", "HTTP_X_FORWARDED_HOST")
    body = "|".join(environ.get(name, "-") for name in names).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@dataclass
class Server:
    """A running gunicorn: where it answers and what it wrote."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and body of one request; underscores in header names stay."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def _command(port: int) -> list[str]:
    address = f"127.0.0.1:{port}"
    return [sys.executable, "-m", "gunicorn", "-c", str(SETTINGS), "--bind", address]


def _environ(workers: int) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "WEB_CONCURRENCY": str(workers)}


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("gunicorn did not start")


@pytest.fixture(scope="module", params=[1, 2], ids=["one worker", "two workers"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """gunicorn with the settings file as it is, on a free port."""
    folder = tmp_path_factory.mktemp("gunicorn")
    (folder / "wsgi.py").write_text(ECHO)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            _command(port), cwd=folder, env=_environ(request.param), stdout=log, stderr=log
        )
        try:
            _wait_until_it_answers(port, process)
            yield Server(port, process, folder / "log")
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def test_HD_05_no_peer_is_believed(server: Server) -> None:
    """SCRIPT_NAME, PATH_INFO, a scheme and underscored headers from loopback change nothing."""
    forged = {
        "SCRIPT_NAME": "/elsewhere",
        "PATH_INFO": "/admin",
        "X-Forwarded-Proto": "https",
        "X_Forwarded_Host": "evil.example",
    }
    assert server.get("/page", **forged) == (200, "|/page|http|-")


def test_LG_03_no_query_is_written(server: Server) -> None:
    """No request, good, failing or malformed, leaves its query in a log."""
    server.get("/page?code=canary-one")
    server.get("/broken?code=canary-two")
    with socket.create_connection(("127.0.0.1", server.port), 5) as raw:
        raw.sendall(b"GET /callback?code=canary-three HTTP/9.9\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    written = server.log.read_text()
    assert "/broken" in written
    assert "canary" not in written


def test_taken_port_is_one_sentence(server: Server) -> None:
    """A second server on the same port ends at once, without a traceback."""
    done = subprocess.run(
        _command(server.port),
        cwd=server.log.parent,
        env=_environ(2),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert f"Port {server.port} on 127.0.0.1 is taken" in done.stderr
    assert "Traceback" not in done.stderr

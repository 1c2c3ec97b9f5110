"""RT-03: SIGTERM ends a host within its time, and what it has begun it finishes."""

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.doubles import Gate
from tests.doubles.response import Response
from tests.security.fleet import Fleet, Host, fleet_of
from tests.security.served import CONF

GRACE_SECONDS = 25
LINGER_SECONDS = 2.0
SLACK_SECONDS = 6.0
"""For a machine with more to do; far from GRACE_SECONDS, which is what a held-up exit takes."""
IN_FLIGHT = 6
HELD_SECONDS = 3.0
HASTY = """
import runpy

globals().update(runpy.run_path({conf!r}))
graceful_timeout = {grace}


def on_starting(server):
    doors.make(server)  # and no word about a grace that is too short for the application
"""


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One host, started again by each test that finds it down."""
    folder = tmp_path_factory.mktemp("drain")
    with fleet_of(folder, hosts=1, threads=4 * IN_FLIGHT) as made:
        yield made


@pytest.fixture
def fleet(standing: Fleet) -> Fleet:
    """The host as new."""
    return standing.as_new()


def test_RT_03_what_is_in_flight_is_finished(fleet: Fleet) -> None:
    """Calls that take three seconds end well after SIGTERM; nobody new comes in; status 0."""
    host = fleet.hosts[0]
    with _calls_in_flight(fleet, IN_FLIGHT) as (gate, calls):
        told = time.monotonic()
        host.master.terminate()
        until(lambda: _refused(host))
        refused_after = time.monotonic() - told
        time.sleep(max(0.0, HELD_SECONDS - refused_after))  # the three seconds of the row
        assert _refused(host)
        assert host.workers  # still at it
        gate.open()
        answers = [call.result(10) for call in calls]
        status = host.master.wait(GRACE_SECONDS)
        took = time.monotonic() - told
    assert refused_after < 1.5
    assert [answer.json()["status"] for answer in answers] == [200] * IN_FLIGHT
    assert status == 0
    assert took < HELD_SECONDS + SLACK_SECONDS


def test_RT_03_idle_connections_do_not_hold_up_the_exit(fleet: Fleet) -> None:
    """Kept connections, silent ones and a client that never closes: gone within seconds."""
    host = fleet.hosts[0]
    with ExitStack() as stack:
        kept = [stack.enter_context(_connected(host)) for _ in range(4)]
        for connection in kept:
            assert _get(connection, "/healthz")[0] == 200
        for _ in range(4):
            stack.enter_context(socket.create_connection(("127.0.0.1", host.port)))
        stays = stack.enter_context(socket.create_connection(("127.0.0.1", host.port)))
        stays.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert stays.recv(20).startswith(b"HTTP/1.1 200")
        told = time.monotonic()
        assert host.stop() == 0
        assert time.monotonic() - told < LINGER_SECONDS + SLACK_SECONDS


def test_RT_03_a_request_on_a_kept_connection_is_the_last(fleet: Fleet) -> None:
    """Who was too late to see the end is answered, and told that the connection closes."""
    host = fleet.hosts[0]
    with _connected(host) as kept, _calls_in_flight(fleet, 1) as (gate, calls):
        assert _get(kept, "/healthz") == (200, "keep")
        host.master.terminate()
        until(lambda: _refused(host))
        assert _get(kept, "/healthz") == (200, "close")
        gate.open()
        assert calls[0].result(10).status == 200
        assert host.master.wait(GRACE_SECONDS) == 0


def test_RT_03_who_has_connected_is_served(fleet: Fleet) -> None:
    """Connections that no worker had taken when SIGTERM came are taken and answered."""
    host = fleet.hosts[0]
    with ExitStack() as stack:
        for pid in host.workers:
            os.kill(pid, signal.SIGSTOP)
        waiting = [
            stack.enter_context(socket.create_connection(("127.0.0.1", host.port), 10))
            for _ in range(16)
        ]
        for connection in waiting:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        host.master.terminate()
        until(lambda: "Handling signal: term" in fleet.log)
        for pid in host.workers:
            os.kill(pid, signal.SIGCONT)
        assert [one.recv(12) for one in waiting] == [b"HTTP/1.1 200"] * len(waiting)
        assert host.master.wait(GRACE_SECONDS) == 0


def test_RT_03_grace_has_an_end(tmp_path: Path) -> None:
    """A request that would never end does not keep the host beyond graceful_timeout."""
    grace = 2
    hasty = tmp_path / "hasty.conf.py"
    hasty.write_text(HASTY.format(conf=str(CONF), grace=grace))
    app, options = "tests.security.slow_app:app", ("-c", str(hasty))
    with fleet_of(tmp_path, hosts=1, app=app, options=options) as fleet:
        host = fleet.hosts[0]
        with socket.create_connection(("127.0.0.1", host.port)) as waiting:
            waiting.sendall(b"GET /for-ever HTTP/1.1\r\nHost: x\r\n\r\n")
            until(lambda: "for ever" in host.log)
            told = time.monotonic()
            assert host.stop() == 0
            assert time.monotonic() - told < grace + SLACK_SECONDS


def test_RT_03_the_end_is_announced(tmp_path: Path) -> None:
    """With DRAIN_SECONDS all is served on, /readyz says 503, and every answer is the last."""
    with fleet_of(tmp_path, hosts=1, DRAIN_SECONDS="60") as fleet:
        host = fleet.hosts[0]
        person = fleet.signed_in("admin")
        with _connected(host) as kept:
            assert _get(kept, "/healthz") == (200, "keep")
            host.master.terminate()
            until(lambda: host.ask("/readyz").status == 503)
            assert b'"server":"leaving"' in host.ask("/readyz").body.replace(b" ", b"")
            assert _get(kept, "/healthz") == (200, "close")
        for _ in range(8):  # both workers
            assert person.me()["signed_in"]
            with _connected(host) as new:
                assert _get(new, "/healthz") == (200, "close")
        told = time.monotonic()
        assert host.stop() == 0  # an impatient second SIGTERM
        assert time.monotonic() - told < LINGER_SECONDS + SLACK_SECONDS


def test_RT_03_the_announcement_has_an_end(tmp_path: Path) -> None:
    """After DRAIN_SECONDS the door closes by itself, and not before."""
    with fleet_of(tmp_path, hosts=1, DRAIN_SECONDS="1") as fleet:
        host = fleet.hosts[0]
        told = time.monotonic()
        host.master.terminate()
        until(lambda: _refused(host))
        assert time.monotonic() - told >= 1
        assert host.master.wait(GRACE_SECONDS) == 0


def test_RT_03_workers_end_with_their_master(fleet: Fleet) -> None:
    """When the master is killed its workers leave the port by themselves, for the next one."""
    host = fleet.hosts[0]
    person = fleet.signed_in("admin")
    orphans = host.workers
    host.master.kill()
    host.master.wait(GRACE_SECONDS)
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in orphans))
    assert _refused(host)
    host.start()
    assert person.me()["signed_in"]


@contextmanager
def _calls_in_flight(fleet: Fleet, count: int) -> Iterator[tuple[Gate, list[Future[Response]]]]:
    endpoint = fleet.cognito.api["test-plain"]
    callers = [fleet.browser() for _ in range(count)]
    for caller in callers:
        caller.csrf()  # not at the gate
    before = endpoint.count
    with endpoint.gate() as gate, ThreadPoolExecutor(count) as pool:
        calls = [pool.submit(caller.call, "test-plain", "nobody") for caller in callers]
        endpoint.wait_for(before + count)
        yield gate, calls


@contextmanager
def _connected(host: Host) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=10)
    connection.auto_open = False  # a connection that was closed is not quietly made again
    connection.connect()
    with closing(connection):
        yield connection


def _get(connection: http.client.HTTPConnection, target: str) -> tuple[int, str]:
    """The status, and whether the connection is kept."""
    connection.request("GET", target)
    answer = connection.getresponse()
    answer.read()
    return answer.status, "close" if answer.getheader("Connection") == "close" else "keep"


def _refused(host: Host) -> bool:
    with suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", host.port), 5).close()
        return False
    return True

"""RT-05: file descriptors, threads, memory and processes run out, and the host recovers."""

import http.client
import os
import resource
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.doubles import Browser
from tests.security.fleet import Fleet, Host, fleet_of

FILES = 256
QUICK_SECONDS = 2.0
BACK_SECONDS = 10.0
"""The row's time for a restart."""


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One host with 256 open files and 4 threads for each worker."""
    with fleet_of(tmp_path_factory.mktemp("scarce"), hosts=1, start=False) as made:
        host = made.hosts[0]
        host.command = _limited(FILES, host.command)
        host.start()
        yield made


@pytest.fixture
def fleet(standing: Fleet) -> Fleet:
    """The host as new."""
    return standing.as_new()


def test_RT_05_more_connections_than_files(fleet: Fleet) -> None:
    """Past its share of open files a worker closes the idlest connection, and serves on."""
    host = fleet.hosts[0]
    person, before = fleet.signed_in("admin"), host.workers
    with _silent(host, 3 * FILES) as crowd:
        for _ in range(8):  # both workers
            assert _quick(host)
            assert person.me()["signed_in"]
        until(lambda: sum(_is_closed(one) for one in crowd) >= FILES)
        assert all(_open_files(pid) < FILES for pid in host.workers)
        # The last to come is served when it speaks at last.
        crowd[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert crowd[-1].recv(20).startswith(b"HTTP/1.1 200")
    assert host.workers == before
    assert _quick(host)


def test_RT_05_no_file_is_left(fleet: Fleet) -> None:
    """A worker that may open nothing more does not die of it, nor what it is serving."""
    host = fleet.hosts[0]
    person, before = fleet.signed_in("admin"), host.workers
    for pid in before:
        used = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
        free = [number for number in range(FILES) if number not in used]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (free[4], FILES))  # four are left
    with _silent(host, 40):
        until(lambda: _answers(host))  # each newcomer makes the idlest go
        assert host.workers == before
    for pid in before:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, FILES))
    assert person.me()["signed_in"]
    assert _quick(host)
    assert host.workers == before


def test_RT_05_too_few_files_is_a_sentence(fleet: Fleet, tmp_path: Path) -> None:
    """A limit that leaves no room for the threads stops the start, with the number to set."""
    host = fleet.hosts[0]
    command = [*_limited(64, host.command[4:]), "--bind", "127.0.0.1:0"]
    done = subprocess.run(
        command, cwd=tmp_path, env=host.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "open files are too few (ulimit -n): allow" in done.stderr
    assert "Traceback" not in done.stderr


def test_RT_05_silent_connections_take_no_thread(fleet: Fleet) -> None:
    """Forty connections that send nothing, at eight threads: everybody else is served at once."""
    host = fleet.hosts[0]
    with _silent(host, 40):
        assert [_quick(host) for _ in range(8)] == [True] * 8


def test_RT_05_a_client_that_never_closes_stops_nobody(fleet: Fleet) -> None:
    """Answered connections whose client stays hold up neither worker, and are closed in the end."""
    host = fleet.hosts[0]
    with _silent(host, 16) as crowd:
        for one in crowd:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert [_quick(host) for _ in range(8)] == [True] * 8
        for one in crowd:
            answer = b""
            while piece := one.recv(4096):
                answer += piece
            assert answer.startswith(b"HTTP/1.1 200")
        until(lambda: all(_is_gone(one) for one in crowd))


def test_RT_05_every_thread_is_taken(fleet: Fleet) -> None:
    """While every thread waits on slow parts the host recovers as soon as they answer."""
    host = fleet.hosts[0]
    person = fleet.signed_in("admin")
    callers = [fleet.browser() for _ in range(16)]
    for caller in callers:
        caller.csrf()
    with fleet.cognito.api["test-plain"].gate() as gate, ThreadPoolExecutor(16) as pool:
        calls = [pool.submit(caller.call, "test-plain", "nobody") for caller in callers]
        gate.wait(2)
        gate.open()
        statuses = {call.result(30).status for call in calls}
    assert statuses <= {200, 503}  # 503: no more than half of the threads wait on one part
    assert _quick(host)
    assert person.me()["signed_in"]


def test_RT_05_killed_for_memory(fleet: Fleet) -> None:
    """Both workers killed at once, as the kernel does for memory: back with every session."""
    host = fleet.hosts[0]
    person = fleet.signed_in("admin")
    began = time.monotonic()
    victims = host.kill_workers()
    host.await_workers(2, without=victims)
    assert host.ask("/healthz").status == 200
    assert person.me()["signed_in"]
    assert time.monotonic() - began < BACK_SECONDS


def test_RT_05_no_memory_for_anything_new(fleet: Fleet) -> None:
    """A worker that gets no more memory fails alone or is replaced; the host serves on."""
    host = fleet.hosts[0]
    person = fleet.signed_in("admin")
    starved = host.workers[0]
    size = _status(starved, "VmSize") * 1024
    resource.prlimit(starved, resource.RLIMIT_AS, (size, size))
    people = [fleet.at(person, 0) for _ in range(16)]
    with ThreadPoolExecutor(16) as crowd:  # more threads than it has started
        list(crowd.map(_try, people))
    if starved in host.workers:  # it managed without; the kernel would take it next
        host.kill_worker(starved)
    host.await_workers(2, without=[starved])
    assert [_quick(host) for _ in range(8)] == [True] * 8
    assert person.me()["signed_in"]


def _limited(files: int, command: Sequence[str]) -> list[str]:
    return ["/bin/sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", *command]


@contextmanager
def _silent(host: Host, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        address = ("127.0.0.1", host.port)
        yield [
            stack.enter_context(closing(socket.create_connection(address, 10)))
            for _ in range(count)
        ]


def _quick(host: Host) -> bool:
    began = time.monotonic()
    return host.ask("/healthz").status == 200 and time.monotonic() - began < QUICK_SECONDS


def _answers(host: Host) -> bool:
    with suppress(OSError):
        return host.ask("/healthz").status == 200
    return False


def _try(person: Browser) -> None:
    with suppress(OSError, http.client.HTTPException, AssertionError):
        person.get("/me")


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    finally:
        connection.settimeout(10)


def _is_gone(connection: socket.socket) -> bool:
    """Whether the other side does not even read any more what we send."""
    try:
        connection.send(b"x")
    except OSError:
        return True
    return False


def _open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise AssertionError(name)

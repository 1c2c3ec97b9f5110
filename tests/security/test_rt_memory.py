"""RT-06: a worker's memory does not grow with the number of requests it has served."""

import os
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

from tests.doubles import Browser
from tests.security.fleet import fleet_of

REQUESTS = int(os.environ.get("RT_06_REQUESTS", "20000"))
"""RT_06_REQUESTS=1000000 is the catalogue's run."""
MOST_BYTES = 10
"""A request may leave so much behind: 1 MB in 100,000."""
NOISE_BYTES = 1024 * 1024
"""What Python's arenas and the C library take and give back at a time."""
SETTLED = 6000
TARGETS = ["/me"] * 16 + ["/", "/session", "/healthz", "/no-such-page"]
CLIENTS = 2


def test_RT_06_no_leak(tmp_path: Path) -> None:
    """After it has settled, 14,000 requests and more leave nothing behind."""
    with fleet_of(tmp_path, hosts=1, workers=1) as fleet:
        host = fleet.hosts[0]
        person = fleet.signed_in("admin")
        (worker,) = host.workers
        _ask(host.port, person, SETTLED)
        before = _resident(worker)
        _ask(host.port, person, REQUESTS - SETTLED)
        grown = _resident(worker) - before
        assert host.workers == [worker]
    print(f"{REQUESTS - SETTLED} requests, {grown} bytes more")
    assert grown <= NOISE_BYTES + MOST_BYTES * (REQUESTS - SETTLED)


def _ask(port: int, person: Browser, count: int) -> None:
    """So many requests over kept connections, with as little work for this side as can be."""
    origin = urlsplit(person.base_url)
    held = person.cookies.for_url(origin._replace(path="/"))
    cookie = "; ".join("=".join(pair) for pair in held)
    heads = [
        f"GET {target} HTTP/1.1\r\nHost: {origin.netloc}\r\nCookie: {cookie}\r\n\r\n".encode()
        for target in TARGETS
    ]
    wrong: list[bytes] = []

    def client() -> None:
        with (
            socket.create_connection(("127.0.0.1", port), 30) as connection,
            connection.makefile("rb") as answers,
        ):
            for number in range(count // CLIENTS):
                connection.sendall(heads[number % len(heads)])
                status, length = answers.readline(), 0
                while (line := answers.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line[15:])
                answers.read(length)
                if status.split()[1] not in (b"200", b"404"):
                    wrong.append(status)

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert not wrong


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

"""CC-13: an application that is loaded before the fork, in eight workers and their successors.

On Redis, whose connections could be shared by mistake, and on SQLite. DynamoDB goes out over the
same connections as Cognito does here (webapp/outbound), which are looked at on both.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.redis_server import until
from tests.security.fleet import Fleet, fleet_of
from tests.security.fleet_stores import REDIS, SQLITE

WORKERS = 8
STARTS = 200
CLIENTS = 8
ESTABLISHED, LISTENING = "01", "0A"


@pytest.fixture(params=[SQLITE, REDIS])
def forked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    """One host with eight workers."""
    with fleet_of(tmp_path, request.param, hosts=1, workers=WORKERS, LOG_LEVEL="DEBUG") as fleet:
        yield fleet


def _sockets(pid: int) -> set[str]:
    """The sockets that a process has open, by inode."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            kind, _, inode = os.readlink(entry).partition(":[")
        except OSError:  # closed meanwhile
            continue
        if kind == "socket":
            found.add(inode.rstrip("]"))
    return found


def _states() -> dict[str, str]:
    """The state of each TCP socket of this machine, by inode."""
    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            found[fields[9]] = fields[3]
    return found


def _shared(pids: list[int]) -> list[tuple[str, str]]:
    """The connections that more than one of these processes has.

    The doors at which gunicorn takes requests are no connections: the master opens them for all.
    """
    states = _states()
    owners = Counter(inode for pid in pids for inode in _sockets(pid))
    shared = [inode for inode, count in owners.items() if count > 1]
    return [(one, states[one]) for one in shared if states.get(one, LISTENING) != LISTENING]


def _connections(pid: int) -> int:
    """How many connections a process has."""
    states = _states()
    return sum(states.get(inode) == ESTABLISHED for inode in _sockets(pid))


def _ids(fleet: Fleet, count: int) -> list[str]:
    """What is made at random for so many sign-ins begun: state, nonce and challenge."""

    def start(_: int) -> list[str]:
        query = parse_qs(urlsplit(fleet.browser().start()).query)
        return [query[name][0] for name in ("state", "nonce", "code_challenge")]

    with ThreadPoolExecutor(CLIENTS) as crowd:
        return [text for one in crowd.map(start, range(count)) for text in one]


def _wake(fleet: Fleet, processes: int) -> None:
    """Ask until so many processes had their first request, at which they fetch discovery."""
    discovery = fleet.cognito.issuer.discovery
    until(lambda: fleet.browser().get("/").status == 200 and discovery.count >= processes, 60.0)
    assert discovery.count == processes


def _tickets(fleet: Fleet, count: int) -> list[str]:
    """The tickets of so many sign-ins."""

    def ticket(_: int) -> str:
        return fleet.signed_in("viewer").cookies["portico"]

    with ThreadPoolExecutor(CLIENTS) as crowd:
        return list(crowd.map(ticket, range(count)))


def test_CC_13_workers_share_nothing(forked: Fleet) -> None:
    """Eight workers have connections, locks and randomness of their own, their successors too."""
    host = forked.hosts[0]
    assert host.process
    master = host.process.pid
    first = host.await_workers(WORKERS)
    # A lock can only be held over a fork by a thread: the master has one, and that one forks.
    assert len(list(Path(f"/proc/{master}/task").iterdir())) == 1
    _wake(forked, WORKERS)
    ids = _ids(forked, STARTS) + _tickets(forked, 2 * WORKERS)
    assert _connections(master) == 0
    assert sum(_connections(pid) > 0 for pid in first) == WORKERS
    assert _shared([master, *first]) == []
    # Successors begin with the very memory that the first ones began with.
    host.kill_workers()
    second = host.await_workers(WORKERS, without=first)
    _wake(forked, 2 * WORKERS)
    ids += _ids(forked, STARTS) + _tickets(forked, 2 * WORKERS)
    assert _shared([master, *second]) == []
    asked = [json.loads(line) for line in forked.log.splitlines() if line.startswith("{")]
    requests = [line["request_id"] for line in asked if line.get("event") == "request"]
    assert len(requests) > 2 * STARTS
    assert len(set(requests)) == len(requests)
    assert len(set(ids)) == len(ids) == 2 * (3 * STARTS + 2 * WORKERS)

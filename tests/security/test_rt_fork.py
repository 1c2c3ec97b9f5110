"""RT: the application is loaded once, before the fork, and shares nothing unsafe over it."""

import os
from pathlib import Path

from tests.security.fleet import Fleet, Host


def test_RT_preloading_opens_nothing(fleet: Fleet) -> None:
    """The master has one thread, and of sockets only those that listen; no store is open there."""
    for host in fleet.hosts:
        host.await_workers(2)
        master = host.master.pid
        assert len(os.listdir(f"/proc/{master}/task")) == 1
        assert _sockets(master) == _listening(host)
        assert len(_listening(host)) == 2
        assert not [path for path in _files(master) if "sessions" in path]


def test_RT_workers_share_no_connection(fleet: Fleet) -> None:
    """After traffic each worker has sockets and threads of its own, and one socket of the port."""
    person = fleet.signed_in("admin")
    for number in range(24):
        assert fleet.at(person, number % 2).me()["signed_in"]
    for host in fleet.hosts:
        one, other = (_sockets(pid) for pid in host.await_workers(2))
        assert not one & other
        assert one & _listening(host)
        assert other & _listening(host)


def _files(pid: int) -> set[str]:
    return {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}


def _sockets(pid: int) -> set[str]:
    return {path for path in _files(pid) if path.startswith("socket:")}


def _listening(host: Host) -> set[str]:
    """The sockets that listen on the host's port."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    port = f"{host.port:04X}"
    return {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port}") and row[3] == "0A"}

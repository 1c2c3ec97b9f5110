"""RT-19: settings, secrets, logs and the program itself are replaced by signals, under load."""

import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.security.fleet import Fleet, Host, children, fleet_of
from tests.security.load import Load
from webapp.keyring import Keyring
from webapp.security import CSRF_DAY_SECONDS

RATE = 60
PEOPLE = 6
ENOUGH = 30
"""So many requests after a signal, before it is judged."""


@dataclass
class Keyed:
    """One host that reads its keys from two files: the one that writes, and older ones."""

    fleet: Fleet
    newest: Path
    older: Path

    @property
    def host(self) -> Host:
        """The host."""
        return self.fleet.hosts[0]

    def reload(self) -> None:
        """SIGHUP, until every worker is a new one and the old ones are gone."""
        before = self.host.workers
        self.host.master.send_signal(signal.SIGHUP)
        self.host.await_workers(2, without=before)
        until(lambda: not set(before) & set(self.host.workers))

    @contextmanager
    def load(self) -> Iterator[Load]:
        """People at work; all that they ask for is answered."""
        people = [self.fleet.signed_in("admin") for _ in range(PEOPLE)]
        with Load(self.host.port, people, rate=RATE) as load:
            until(lambda: len(load.asked) >= ENOUGH)
            yield load
            asked = len(load.asked)
            until(lambda: len(load.asked) >= asked + ENOUGH)
        assert not load.failed


@contextmanager
def _keyed(folder: Path, *options: str) -> Iterator[Keyed]:
    newest, older = folder / "key", folder / "older-keys"
    newest.write_text(secrets.token_hex(32))
    older.write_text("")
    files = {"SECRET_KEY_FILE": str(newest), "SECRET_KEY_FALLBACKS_FILE": str(older)}
    with fleet_of(folder, hosts=1, start=False, options=options) as fleet:
        host = fleet.hosts[0]
        given = {k: v for k, v in host.environment.items() if not k.startswith("SECRET_KEY")}
        host.environment = given | files
        yield Keyed(fleet, newest, older)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """One host for all tests; a test may leave it down, or with other keys."""
    with _keyed(tmp_path_factory.mktemp("signals")) as made:
        yield made


@pytest.fixture
def keyed(standing: Keyed) -> Keyed:
    """The host, up and with both workers."""
    standing.fleet.reset()
    standing.host.await_workers(2)  # one is enough to be ready
    return standing


def test_RT_19_sighup_takes_a_new_key(keyed: Keyed) -> None:
    """A key that was replaced in its file writes from SIGHUP on; nobody is signed out by it."""
    early = keyed.fleet.signed_in("admin")
    with keyed.load():
        keyed.older.write_text(keyed.newest.read_text())
        keyed.newest.write_text(secrets.token_hex(32))
        assert not _writes_with(keyed.newest, keyed.fleet)
        keyed.reload()
        late = keyed.fleet.signed_in("viewer")
    assert early.me()["signed_in"]
    assert late.me()["signed_in"]
    assert all(_writes_with(keyed.newest, keyed.fleet) for _ in range(8))  # both workers


def test_RT_19_sighup_with_wrong_settings_changes_nothing(keyed: Keyed) -> None:
    """A key that is too short is told in a line, and the host goes on with the one it had."""
    person = keyed.fleet.signed_in("admin")
    with keyed.load():
        good = keyed.newest.read_text()
        keyed.newest.write_text("short")
        keyed.reload()
        told = keyed.fleet.log
        assert "The settings stay as they were" in told
        assert "SECRET_KEY" in told
        assert "Traceback" not in told
        assert person.me()["signed_in"]
        keyed.newest.write_text(good)
        keyed.reload()
    assert person.me()["signed_in"]
    assert keyed.fleet.log.count("The settings stay as they were") == 1


def test_RT_19_the_number_of_workers_stays(keyed: Keyed) -> None:
    """SIGTTOU and SIGTTIN leave no socket without a worker, on which people would wait."""
    before = keyed.host.workers
    with keyed.load():
        for count, number in enumerate((signal.SIGTTOU, signal.SIGTTIN, signal.SIGTTOU), 1):
            keyed.host.master.send_signal(number)
            until(lambda wanted=count: keyed.fleet.log.count("2 workers stay") == wanted)  # type: ignore[misc]
        assert [keyed.host.ask("/healthz").status for _ in range(16)] == [200] * 16
    assert keyed.host.workers == before


def test_RT_19_sigusr2_replaces_the_program(keyed: Keyed) -> None:
    """A second master takes the port over from the first, and nobody notices."""
    person, old, before = keyed.fleet.signed_in("admin"), keyed.host.master, keyed.host.workers
    with keyed.load():
        old.send_signal(signal.SIGUSR2)
        until(lambda: sum(len(children(child)) for child in children(old.pid)) == 2)
        (upgraded,) = (pid for pid in children(old.pid) if children(pid))
        old.send_signal(signal.SIGTERM)
        assert old.wait(30) == 0
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in before))
        assert person.me()["signed_in"]
        assert keyed.host.ask("/readyz").status == 200
    os.kill(upgraded, signal.SIGTERM)
    until(lambda: not _lives(upgraded))


def test_RT_19_the_log_is_rotated(tmp_path: Path) -> None:
    """SIGUSR1 opens the log's file anew, for the server's lines and the application's events."""
    log, rotated = tmp_path / "server.log", tmp_path / "server.log.1"
    with _keyed(tmp_path, "--capture-output", "--error-logfile", str(log)) as keyed:
        keyed.host.start()
        before = keyed.host.await_workers(2)
        with keyed.load():
            log.rename(rotated)
            keyed.host.master.send_signal(signal.SIGUSR1)
            until(lambda: all(_writes_to(pid, log) for pid in [keyed.host.master.pid, *before]))
            size = rotated.stat().st_size
            for number in range(8):  # a few for each worker
                assert keyed.host.ask(f"/elsewhere-{number}").status == 400  # no name of ours
            until(lambda: log.read_text().count('"event": "request"') == 8)
        assert rotated.stat().st_size == size
        assert keyed.host.workers == before


def _writes_with(key: Path, fleet: Fleet) -> bool:
    """Whether a form's proof, for somebody who is not signed in, is by this key."""
    proof = fleet.browser().me()["csrf_token"]
    half_day = int(time.time() // CSRF_DAY_SECONDS)
    ring = Keyring((key.read_bytes(),))
    return any(ring.csrf_matches(proof, b"nobody/%d" % day) for day in (half_day, half_day - 1))


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # a dead one's is empty
    return False


def _writes_to(pid: int, path: Path) -> bool:
    return Path(f"/proc/{pid}/fd/2").resolve() == path

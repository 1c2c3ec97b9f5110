"""ST-08: a file that is damaged, cut or deleted under open stores is noticed, kept and replaced."""

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.contract.stores import ANN, KEY, LATER, NOW, OTHER, keys_of, put
from webapp.errors import StoreUnavailable
from webapp.store.base import Stored
from webapp.store.sqlite import SqliteStore

PAGE = 4096
RECORDS = 300
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Watched:
    """A store whose alarms are kept, on a file with a few hundred records."""

    path: Path
    filled: bool = True
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SqliteStore(self.path, report=self.store_said)
        if self.filled:
            for number in range(RECORDS):
                assert put(self.store, number.to_bytes(32, "big"), os.urandom(2000))
            put(self.store)

    @property
    def aside(self) -> list[Path]:
        """What was moved aside."""
        return sorted(self.path.parent.glob("*.damaged-*[0-9]"))

    def settle(self, *others: SqliteStore) -> None:
        """Ask for every record until something was told, and then until all is well.

        What one connection has read before is in its own memory: `others` are asked as well.
        """

        def settled() -> bool:
            try:
                for store in (self.store, *others):
                    for number in range(RECORDS):
                        store.load(number.to_bytes(32, "big"), now=NOW)
                    store.listed(ANN, now=NOW)
                return bool(self.said)
            except StoreUnavailable:
                return False

        until(settled)
        # A thread may go on in the old file for a second.
        until(lambda: refused(self.store) is None and self.store.load(KEY, now=NOW) is None)

    def store_said(self, code: str, sentence: str) -> None:
        """Keep an alarm; that one follows what another one has exchanged is none."""
        if code != "store_file_changed":
            self.said.append(code)

    def works_anew(self) -> None:
        """It is empty, keeps what it is given, and others find it there."""
        assert self.store.load(KEY, now=NOW) is None
        assert keys_of(self.store, ANN, now=NOW) == []
        assert self.store.replace(KEY, b"late", version=1, expires_at=LATER) is False
        assert put(self.store, OTHER)
        assert SqliteStore(self.path).load(OTHER, now=NOW) == Stored(b"one", 1, LATER)
        with closing(sqlite3.connect(self.path)) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert self.path.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """One such store."""
    return Watched(tmp_path / "sessions.db")


def checkpoint(path: Path) -> None:
    """Bring everything from the log into the file, as SQLite does now and then."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def corrupt_pages(path: Path) -> None:
    """Garbage over every page but the first."""
    checkpoint(path)
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(os.urandom(path.stat().st_size - PAGE))


def corrupt_first_page(path: Path) -> None:
    """Garbage over the header and the schema, all pages beside."""
    checkpoint(path)
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


def half(path: Path) -> None:
    """The second half of the file is gone."""
    checkpoint(path)
    os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE)


def emptied(path: Path) -> None:
    """Nothing is left in it."""
    checkpoint(path)
    os.truncate(path, 0)


def cut_log(path: Path) -> None:
    """The log ends in the middle of what was committed."""
    log = Path(f"{path}-wal")
    assert log.stat().st_size > 20 * PAGE
    os.truncate(log, 10 * PAGE + 100)


def deleted(path: Path) -> None:
    """Somebody cleaned up: file, log and index."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()


def file_deleted(path: Path) -> None:
    """Only the file went; its log stays, and must not be read into the next one."""
    path.unlink()


def log_deleted(path: Path) -> None:
    """Only the log went, and what was committed there."""
    Path(f"{path}-wal").unlink()


def index_deleted(path: Path) -> None:
    """Only the log's index went: the next process would build, and lock, another."""
    Path(f"{path}-shm").unlink()


def folder_deleted(path: Path) -> None:
    """The folder went with everything in it."""
    deleted(path)
    for rest in path.parent.iterdir():
        rest.unlink()
    path.parent.rmdir()


DAMAGE = [corrupt_pages, corrupt_first_page, half, emptied, cut_log]
LOSS = [deleted, file_deleted, log_deleted, index_deleted, folder_deleted]


@pytest.mark.parametrize("harm", [*DAMAGE, *LOSS])
def test_ST_08_harmed_while_open(watched: Watched, harm: Callable[[Path], None]) -> None:
    """It is noticed at the next look, kept aside, replaced once, and told; then all goes on."""
    other = SqliteStore(watched.path, report=watched.store_said)
    harm(watched.path)
    watched.settle(other)
    assert watched.said in (["store_damaged"], ["store_file_lost"])
    assert harm in LOSS or watched.said == ["store_damaged"]
    watched.works_anew()
    if harm not in (deleted, file_deleted, folder_deleted):
        assert len(watched.aside) == 1  # the file itself
    assert len(watched.said) == 1


@pytest.mark.parametrize("harm", [corrupt_pages, corrupt_first_page, half, emptied])
def test_ST_08_harmed_before_the_start(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """A start on a file in pieces does not fail again and again: it begins with a new one."""
    path = left_by_a_crash(tmp_path)
    harm(path)
    later = Watched(path, filled=False)
    later.settle()
    assert later.said == ["store_damaged"]
    later.works_anew()
    assert len(later.aside) == 1


def test_ST_08_log_cut_before_the_start(tmp_path: Path) -> None:
    """A log that was cut while nobody had it open is read as far as it is whole."""
    path = left_by_a_crash(tmp_path)
    cut_log(path)
    later = Watched(path, filled=False)
    assert later.store.load(KEY, now=NOW) is None  # the last that was written
    assert put(later.store, KEY)
    assert (later.said, later.aside) == ([], [])


def left_by_a_crash(folder: Path) -> Path:
    """File and log as a machine leaves them whose power went."""
    (folder / "before").mkdir()
    before = Watched(folder / "before" / "sessions.db")
    shutil.copytree(before.path.parent, folder / "after", ignore=lambda *_: ["sessions.db-shm"])
    return folder / "after" / "sessions.db"


def test_ST_08_moved_away_and_back(tmp_path: Path) -> None:
    """A file that is only elsewhere is an outage: nothing new in its place, and nothing lost."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    watched = Watched(here / "sessions.db")
    here.rename(there)
    until(lambda: refused(watched.store) == "file_moved_away")
    with pytest.raises(StoreUnavailable), ThreadPoolExecutor(1) as other:
        other.submit(watched.store.load, KEY, now=NOW).result()  # a thread that comes new
    assert [one.name for one in here.iterdir()] == ["sessions.db.lock"]
    shutil.rmtree(here)
    there.rename(here)
    assert watched.store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)
    assert len(keys_of(watched.store, ANN, now=NOW)) == RECORDS + 1
    assert watched.said == []


def test_ST_08_another_file_in_its_place(watched: Watched, tmp_path: Path) -> None:
    """An operator's backup, put there by name, is what counts within a second; it is told."""
    backup = Watched(tmp_path / "backup.db", filled=False)
    put(backup.store, OTHER, sealed=b"restored")
    checkpoint(backup.path)
    for suffix in ("-wal", "-shm"):
        Path(f"{watched.path}{suffix}").unlink()
    backup.path.rename(watched.path)
    until(lambda: watched.store.load(OTHER, now=NOW) == Stored(b"restored", 1, LATER))
    assert watched.store.load(KEY, now=NOW) is None
    assert put(watched.store, KEY)


def test_ST_08_few_are_kept(watched: Watched) -> None:
    """A disk that fails again and again is not filled with what was moved aside."""
    last: list[Path] = []
    for _ in range(5):
        corrupt_pages(watched.path)
        until(lambda: refused(SqliteStore(watched.path)) is None)
        assert watched.aside != last
        last = watched.aside
        put(SqliteStore(watched.path))
    assert len(last) == 3
    assert len(list(watched.path.parent.glob("*.damaged-*"))) <= 9


def test_ST_08_one_at_a_time(watched: Watched) -> None:
    """While another process exchanges the file nobody opens it, nor waits long; then it goes."""
    with Path(f"{watched.path}.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        corrupt_pages(watched.path)
        with ThreadPoolExecutor(1) as other:
            assert other.submit(refused, watched.store).result() == "file_locked"
        assert watched.aside == []
    watched.settle(SqliteStore(watched.path, report=watched.store_said))
    assert len(watched.aside) == 1


_CHILD = """
import json, os, sys
from pathlib import Path
from webapp.errors import StoreUnavailable
from webapp.store.sqlite import SqliteStore

said, reasons = [], []
store = SqliteStore(Path(sys.argv[1]), report=lambda code, sentence: said.append(code))
print("ready", flush=True)
while not (os.path.exists(sys.argv[2]) and said):
    key = os.urandom(32)
    try:
        store.create(key, b"x" * 2000, expires_at=2**32, person=b"a" * 32, now=0)
        for one in store.listed(b"a" * 32, now=0)[-50:]:
            store.load(one.key, now=0)
    except StoreUnavailable as error:
        reasons.append(str(error.facts["reason"]))
last = os.urandom(32)
assert store.create(last, b"x" * 2000, expires_at=2**32, person=None, now=0)
print(json.dumps({"said": said, "reasons": sorted(set(reasons)), "last": last.hex()}))
"""


@pytest.mark.parametrize("harm", [corrupt_pages, deleted])
def test_ST_08_many_notice_at_once(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """Four processes at work on the file: one of them replaces it, all go on in the new one."""
    path, enough = tmp_path / "sessions.db", tmp_path / "enough"
    Watched(path)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(path), str(enough)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    # Under the lock: else one replaces the file in between, and loses its own new log as well.
    with Path(f"{path}.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        harm(path)
    enough.touch()  # for whoever has noticed
    told = [json.loads(child.communicate(timeout=30)[0]) for child in children]
    assert [child.returncode for child in children] == [0] * 4
    said = Counter(code for one in told for code in one["said"])
    assert said["store_damaged"] + said["store_file_lost"] == 1, told
    assert said["store_file_changed"] == 3, told
    assert all(why.startswith("SQLITE_") for one in told for why in one["reasons"]), told
    store = SqliteStore(path)
    assert all(store.load(bytes.fromhex(one["last"]), now=NOW) for one in told)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def refused(store: SqliteStore) -> object:
    """For which reason the store does not answer; None if it does."""
    try:
        store.load(KEY, now=NOW)
    except StoreUnavailable as error:
        return error.facts["reason"]
    return None

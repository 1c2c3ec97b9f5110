"""ST-07: a disk that does not take a write, or never will: BUSY, or no start, and nothing lost."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.contract.stores import ANN, KEY, LATER, NOW, OTHER, keys_of, put
from tests.rig import Rig, rigged
from webapp.deadlines import STORE_SECONDS
from webapp.errors import StoreUnavailable
from webapp.store.base import Stored
from webapp.store.mounts import network_kind
from webapp.store.sqlite import SqliteStore
from webapp.store.sqlite_file import SqliteFile

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
SCHEDULING = 1.0
"""What a machine under load may add to a deadline."""

_UNPRIVILEGED = """
import json, os, resource, sys, threading
from pathlib import Path
from webapp.errors import StoreUnavailable
from webapp.store.base import Stored
from webapp.store.sqlite import SqliteStore

if os.geteuid() == 0:  # who may do everything meets no wall
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
folder = Path(sys.argv[1])

def opened(path):
    try:
        return SqliteStore(path)
    except StoreUnavailable as error:
        print(json.dumps([error.sentence, error.facts["reason"]]))
        sys.exit(4)

def put(store, number, size=2000):
    try:
        return store.create(number.to_bytes(32, "big"), b"x" * size, expires_at=2**32,
                            person=b"a" * 32, now=0)
    except StoreUnavailable as error:
        return error.facts["reason"]

def in_a_new_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]

"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that a process without privileges can reach, and owns."""
    made = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(made, NOBODY, NOBODY)
    yield made
    made.chmod(0o700)
    shutil.rmtree(made)


def unprivileged(folder: Path, script: str) -> tuple[int, Any]:
    """Run this as nobody in particular; the exit status and what it printed, as JSON."""
    command = [sys.executable, "-c", _UNPRIVILEGED + script, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_ST_07_locked(tmp_path: Path) -> None:
    """While somebody writes for long, reading goes on, each write is given up in time and named."""
    store = SqliteStore(tmp_path / "sessions.db")
    put(store)
    with closing(sqlite3.connect(tmp_path / "sessions.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            start = time.monotonic()
            with pytest.raises(StoreUnavailable) as refused:
                store.replace(KEY, b"two", version=1, expires_at=LATER)
            assert time.monotonic() - start < STORE_SECONDS + SCHEDULING
            assert refused.value.facts["reason"] == "SQLITE_BUSY"
            assert store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)
            assert keys_of(store, ANN, now=NOW) == [KEY]
            store.ping()
        other.execute("ROLLBACK")
    assert store.replace(KEY, b"two", version=1, expires_at=LATER) is True


def test_ST_07_locked_under_a_browser(rig: Rig) -> None:
    """Pages are shown meanwhile, what would write is BUSY, and afterwards everything goes on."""
    browser = rig.signed_in("admin")
    token = browser.csrf()
    callback = rig.cognito.issuer.approve(
        (comer := rig.browser()).start(), rig.cognito.user("both")
    )
    with closing(sqlite3.connect(rig.store_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert browser.get("/session").status == 200
        for busy in (
            browser.post("/session/refresh", {"csrf_token": token}),
            comer.finish(callback),
        ):
            assert busy.status == 503
            assert int(busy.header("Retry-After") or 0) > 0
        other.execute("ROLLBACK")
    assert browser.get("/session").status == 200
    assert comer.finish(callback).status == 303


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """The application over a file."""
    with rigged(tmp_path) as made:
        yield made


def test_ST_07_disk_full(folder: Path) -> None:
    """A file that cannot grow takes no new session and loses none; with room again it does."""
    status, said = unprivileged(
        folder,
        """
store = opened(folder / "sessions.db")
assert put(store, 0) is True
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
answers = [put(store, number) for number in range(1, 300)]
taken = [number for number, answer in enumerate(answers, 1) if answer is True]
there = [n for n in (0, *taken) if store.load(n.to_bytes(32, "big"), now=0)]
in_a_new_thread(store.ping)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps({
    "refused": sorted({answer for answer in answers if answer is not True}),
    "taken": len(taken), "there": len(there), "after": put(store, 400),
    "still": len(store.listed(b"a" * 32, now=0)),
    "files": sorted(one.name for one in folder.iterdir()),
}))
""",
    )
    assert status == 0
    assert 5 < said["taken"] < 200
    assert said["there"] == said["taken"] + 1
    assert said["still"] == said["taken"] + 2
    assert said["after"] is True
    assert set(said["refused"]) <= {"SQLITE_FULL", "SQLITE_IOERR_WRITE"}
    assert said["files"] == [
        "sessions.db",
        "sessions.db-shm",
        "sessions.db-wal",
        "sessions.db.lock",
    ]
    with closing(sqlite3.connect(folder / "sessions.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_ST_07_read_only_while_it_runs(folder: Path) -> None:
    """A file that lost its write permission is read, and writing to it is refused by name."""
    status, said = unprivileged(
        folder,
        """
path = folder / "sessions.db"
store = opened(path)
put(store, 0)
for one in folder.iterdir():
    one.chmod(0o444)
os.rename(path, folder / "other")  # and another process has opened it since
os.rename(folder / "other", path)
refused = in_a_new_thread(lambda: put(store, 1))
os.chmod(folder / "sessions.db.lock", 0o600)
read = in_a_new_thread(lambda: store.load(bytes(32), now=0) is not None)
wrote = in_a_new_thread(lambda: put(store, 1))
for one in folder.iterdir():
    one.chmod(0o600)
print(json.dumps([refused, read, wrote, in_a_new_thread(lambda: put(store, 2))]))
""",
    )
    assert (status, said) == (0, ["PermissionError", True, "SQLITE_READONLY", True])


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        ("folder.chmod(0o500)", "PermissionError"),
        ("(folder / 'sub').write_text('a file')", "FileExistsError"),
        ("(folder / 'sub').mkdir(); (folder / 'sub').chmod(0o500)", "PermissionError"),
        ("(folder / 'sub' / 'sessions.db').mkdir(parents=True)", "IsADirectoryError"),
        (
            "(folder / 'sub').mkdir(); (folder / 'sub' / 'sessions.db').touch(0o400)",
            "PermissionError",
        ),
        ("os.symlink('nowhere/at/all', folder / 'sub')", "FileExistsError"),
    ],
)
def test_ST_07_no_start(folder: Path, prepare: str, reason: str) -> None:
    """A folder or file that is not ours to write ends the start with one sentence and its cure."""
    status, said = unprivileged(folder, f"{prepare}\nopened(folder / 'sub' / 'sessions.db')\n")
    assert status == 4
    sentence, why = said
    assert why == reason
    assert "SESSION_STORE_URL" in sentence
    assert "sessions.db" in sentence


def test_ST_07_no_start_is_one_sentence(folder: Path) -> None:
    """The application itself: exit status 4, the sentence on stderr, and no traceback."""
    folder.chmod(0o700)
    (folder / "sub").write_text("a file")
    environment = {
        "PATH": os.environ["PATH"],
        "APP_BASE_URL": "http://localhost:8000",
        "SECRET_KEY": "x0123456" * 4,
        "AWS_REGION": "us-east-1",
        "COGNITO_USER_POOL_ID": "us-east-1_Portico01",
        "COGNITO_CLIENT_ID": "client",
        "COGNITO_IDENTITY_POOL_ID": "us-east-1:00000000-0000-0000-0000-000000000000",
        "API_ENDPOINT": "http://127.0.0.1:1",
        "SESSION_STORE_URL": f"sqlite:///{folder}/sub/sessions.db",
    }
    command = [sys.executable, "-c", "from webapp.app import start; start()"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert "SESSION_STORE_URL" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_ST_07_folder_is_made(tmp_path: Path) -> None:
    """A folder that is not there yet is made, for nobody else to read."""
    store = SqliteStore(tmp_path / "one" / "two" / "sessions.db")
    assert put(store, OTHER)
    modes = [one.stat().st_mode & 0o777 for one in (tmp_path / "one" / "two").iterdir()]
    assert set(modes) == {0o600}


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:41 / /srv/shared rw,relatime shared:7 - nfs4 files:/export rw,vers=4.2
31 22 0:42 / /srv/shared/local rw,relatime - xfs /dev/vdb rw
32 22 0:43 / /mnt/with\\040blank rw,relatime - cifs //files/x rw
33 22 0:44 / /mnt/s3 rw,relatime - fuse.mount-s3 bucket rw
34 22 0:45 / /twice rw,relatime - nfs files:/a rw
35 22 0:46 / /twice rw,relatime - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/shared/sessions.db", "nfs4"),
        ("/srv/shared/deep/er/sessions.db", "nfs4"),
        ("/srv/shared/local/sessions.db", None),
        ("/srv/sharedbutnot/sessions.db", None),
        ("/mnt/with blank/sessions.db", "cifs"),
        ("/mnt/s3/sessions.db", "fuse.mount-s3"),
        ("/twice/sessions.db", None),
        ("/var/lib/sessions.db", None),
    ],
)
def test_ST_07_network_file_system(tmp_path: Path, path: str, kind: str | None) -> None:
    """The mount that counts is the innermost and the latest; files over a network are known."""
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    assert network_kind(Path(path), table) == kind
    assert network_kind(Path(path), tmp_path / "no such table") is None


def test_ST_07_no_start_over_a_network(tmp_path: Path) -> None:
    """There SQLite loses data: refused at the start, with what to choose instead."""
    with pytest.raises(StoreUnavailable, match=r"network file system \(nfs4\).*Redis or DynamoDB"):
        SqliteFile(tmp_path / "sessions.db", lambda _: None, network=lambda _: "nfs4")
    assert list(tmp_path.iterdir()) == []

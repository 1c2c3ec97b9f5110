"""ST-17: this release and the one before it, side by side over one store, on every store.

release_before.tar.gz is the store's code as it was before tokens were packed and records had a flow
(`git archive` of 78ab92b: store, records, and what these import), run as it is in a process of its
own. Take the newest release's in its place when the shape of a record changes again.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.dynamodb import ACCESS_KEY, SECRET_KEY
from tests.contract.hands import Hands
from tests.doubles.clock import Clock
from tests.rooms import Rooms, joined
from webapp.errors import SessionEnded
from webapp.records import Person, SessionRecord, TokenSet

NOW = 1_800_000_000
SECRET = "the-first-key-of-32-bytes-or-more"
BEFORE = Path(__file__).with_name("release_before.tar.gz")
ANN = Person("https://issuer.example.com", "sub-a", "ann", "ann@example.com", None, ("Admin",))

_OLD = """
import json, sys
from dataclasses import replace
from pathlib import Path
from webapp.errors import SessionEnded
from webapp.keyring import Keyring
from webapp.records import Person, SessionRecord, TokenSet
from webapp.store.vault import Vault

settings, now, secret = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
url = settings["SESSION_STORE_URL"]
if url.startswith("sqlite"):
    from webapp.store.sqlite import SqliteStore
    store = SqliteStore(Path(url.removeprefix("sqlite:///")))
elif url.startswith("redis"):
    from webapp.store.redis import RedisStore
    store = RedisStore(url, now=lambda: now)
else:
    import boto3
    from webapp.store.dynamodb import DynamoStore
    client = boto3.client("dynamodb", endpoint_url=settings["AWS_ENDPOINT_URL_DYNAMODB"])
    store = DynamoStore(client, url.removeprefix("dynamodb://"))
refused = []
vault = Vault(store, Keyring((secret.encode(),)), idle=1800, absolute=43200, now=lambda: now,
              report=lambda place, why: refused.append(why))
ann = Person("https://issuer.example.com", "sub-a", "ann", "ann@example.com", None, ("Admin",))

def make():
    tokens = TokenSet("id", "access", "refresh", now, now + 3600)
    record = SessionRecord(now - 100, now - 90, ann, tokens, changed_claims=("email",))
    return vault.create(record).ticket.text

def look(ticket):
    session = vault.open(ticket)
    return session and session.record.tokens.refresh_token

def touch(ticket):
    return vault.touch(vault.open(ticket)).record.seen_at

def end(ticket):
    return vault.end(vault.open(ticket)) is not None

def end_all():
    return vault.end_all_of(ann)

def claim(name):
    return store.claim(name.encode(), b"old", now=now, seconds=60)

for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps([globals()[name](*arguments), refused]), flush=True)
"""


class OldRelease:
    """The release before, in a process of its own over the same store."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.refused: list[str] = []

    def __call__(self, name: str, *arguments: str) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the release before broke down"
        answer, self.refused = json.loads(line)
        return answer


@contextmanager
def old_release(folder: Path, hands: Hands) -> Iterator[OldRelease]:
    """Unpack and start it."""
    with tarfile.open(BEFORE) as packed:
        packed.extractall(folder / "before", filter="data")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder / "before"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    command = [sys.executable, "-c", _OLD, json.dumps(hands.settings), str(NOW), SECRET]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield OldRelease(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.fixture
def old(hands: Hands, tmp_path: Path) -> Iterator[OldRelease]:
    """The release before."""
    with old_release(tmp_path, hands) as running:
        assert running("claim", "up and running") is True
        yield running


@pytest.fixture
def new(hands: Hands, tmp_path: Path) -> Rooms:
    """This release."""
    clock = Clock(start=float(NOW))
    store = hands.open(clock)
    return joined(
        tmp_path / "unused", clock=clock, store=store, secrets=[SECRET.encode()], idle=1800
    )


def made(new: Rooms) -> str:
    """A session of this release; its ticket."""
    tokens = TokenSet("id", "access", "refresh", NOW, NOW + 3600)
    record = SessionRecord(
        NOW - 100, NOW - 90, ANN, tokens, client="Firefox on Linux", flow=("left -3000 -",)
    )
    return new.vault.create(record).ticket.text


def test_ST_17_upgrade_keeps_everybody_signed_in(old: OldRelease, new: Rooms) -> None:
    """What the release before left is opened whole, used, listed and ended by this one."""
    tickets = [old("make") for _ in range(3)]
    for ticket in tickets:
        session = new.vault.open(ticket)
        assert session
        tokens = TokenSet("id", "access", "refresh", NOW, NOW + 3600)
        assert session.record == SessionRecord(
            NOW - 100, NOW - 90, ANN, tokens, changed_claims=("email",)
        )
        assert new.vault.touch(session).record.seen_at == NOW
        session = new.vault.open(ticket)
        assert session
        assert session.version == 2
    assert len(new.vault.listed(ANN)) == 3
    assert session
    moved = new.vault.move(session)
    assert new.vault.open(tickets[2]) is None
    assert new.vault.open(moved.ticket.text)
    assert new.vault.end_all_of(ANN) == 3
    assert [new.vault.open(ticket) for ticket in tickets] == [None] * 3
    assert new.refusals == []


def test_ST_17_the_one_before_ignores_what_is_newer(old: OldRelease, new: Rooms) -> None:
    """Records of this release are nobody's session to the one before, and come to no harm there."""
    ours, touched = made(new), old("make")
    session = new.vault.open(touched)
    assert session
    new.vault.touch(session)
    for ticket in (ours, touched):
        assert old("look", ticket) is None
        assert new.vault.open(ticket)
    assert set(old.refused) <= {"unknown format"}
    theirs = old("make")
    assert old("look", theirs) == "refresh"
    assert new.vault.open(theirs)
    assert new.refusals == []


def test_ST_17_ended_is_ended_for_both(old: OldRelease, new: Rooms) -> None:
    """A tombstone of either release holds against the other, and neither undoes a sign-out."""
    theirs = old("make")
    session = new.vault.open(theirs)
    assert session
    assert old("end", theirs) is True
    assert new.vault.open(theirs) is None
    with pytest.raises(SessionEnded):
        new.vault.change(session, lambda record: replace(record, identity_id="late"))
    assert not new.store.create(
        session.place, b"x", expires_at=NOW + 60, person=None, now=float(NOW)
    )
    another = old("make")
    session = new.vault.open(another)
    assert session
    new.vault.end(session)
    assert old("look", another) is None
    assert old.refused == []


def test_ST_17_one_refresh_for_both(old: OldRelease, new: Rooms) -> None:
    """Claims are the same for both, so a fleet in the middle of an upgrade refreshes once."""
    assert old("claim", "refresh/1") is True
    assert new.store.claim(b"refresh/1", b"new", now=float(NOW), seconds=60) is False
    assert new.store.claim(b"refresh/2", b"new", now=float(NOW), seconds=60) is True
    assert old("claim", "refresh/2") is False

"""The host's file of refused sign-outs: seen by every process, whole after a crash, ours alone."""

import os
import threading
from functools import partial
from pathlib import Path

import pytest

from tests.doubles.clock import Clock
from tests.race import at_once
from tests.rooms import Rooms, joined
from tests.unit.test_vault import FailingStore
from webapp import refusals as module
from webapp.errors import StoreUnavailable
from webapp.refusals import Refusal, Refusals
from webapp.store.vault import Session

NOW = 1_800_000_000


class Host:
    """One host: its file, and processes that look at it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "portico-0-abc"
        self.clock = Clock(float(NOW))
        self.why: list[str] = []

    def process(self) -> Refusals:
        """Another worker, or the same after a crash."""
        return Refusals([self.path], now=self.clock, report=self.why.append)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host on which nothing is refused."""
    return Host(tmp_path)


def _one(number: int = 1, *, life: int = 600) -> Refusal:
    place = number.to_bytes(32, "big")
    return Refusal(place, NOW, NOW + life, 1, bytes(32), bytes(16), os.urandom(72))


def _refused(process: Refusals, one: Refusal) -> bool:
    return process.refuses(lambda: [one.place])


def test_SO_06_every_process_refuses_at_once(host: Host) -> None:
    """What one worker refuses all refuse with their next look, and after a restart as well."""
    first, second = host.process(), host.process()
    one = _one()
    assert not _refused(second, one)
    first.add([one])
    assert _refused(first, one)
    assert _refused(second, one)
    assert _refused(host.process(), one)
    assert not _refused(second, _one(2))
    assert second.waiting() == [one]
    second.over(one.place)
    assert not _refused(first, one)
    assert first.waiting() == []


def test_nothing_refused_costs_nothing(host: Host) -> None:
    """While nothing is refused no ticket is hashed, and there is no file."""

    def never() -> list[bytes]:
        raise AssertionError("asked for the places")

    assert not host.process().refuses(never)
    assert not host.path.exists()


def test_an_unchanged_file_is_not_read_again(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request costs one look at the file's facts, not its content."""
    process, one = host.process(), _one()
    process.add([one])
    assert _refused(process, one)
    monkeypatch.setattr(module, "_content", lambda path: pytest.fail(f"{path} was read"))
    for _ in range(100):
        assert _refused(process, one)


def test_refused_until_its_end(host: Host) -> None:
    """A session that has ended by itself needs no refusal, nor anybody to end it."""
    process, one = host.process(), _one(life=60)
    process.add([one])
    host.clock.advance(61)
    assert not _refused(process, one)
    assert process.waiting() == []


def test_the_last_word_counts(host: Host) -> None:
    """A refusal written again replaces the one before: Cognito was told in between."""
    process, one = host.process(), _one()
    process.add([one])
    told = Refusal(one.place, NOW, NOW + 600, 2, bytes(32), b"t" * 16, one.ticket)
    process.add([told])
    assert host.process().waiting() == [told]


def test_many_writers(host: Host) -> None:
    """Several processes that write at the same moment lose nothing of each other's."""
    found = at_once(
        *(partial(host.process().add, [_one(100 * n + m) for m in range(20)]) for n in range(1, 7))
    )
    assert found == [None] * 6
    assert len(host.process().waiting()) == 120
    assert host.why == []


def test_died_while_writing(host: Host) -> None:
    """Half an entry, left by a crash, is nobody's and does not spoil what follows."""
    host.process().add([_one(1)])
    with host.path.open("ab") as file:
        file.write(b"\x01" * 50)
    process = host.process()
    assert _refused(process, _one(1))
    process.add([_one(2)])
    assert [one.place[-1] for one in host.process().waiting()] == [1, 2]


def test_tidied_up(host: Host) -> None:
    """When nothing waits any more the file goes, though not at once, and a new one may come."""
    process = host.process()
    process.add([_one()])
    process.over(_one().place)
    assert process.waiting() == []
    assert host.path.exists()
    old = host.path.stat().st_mtime - module.REST_SECONDS - 1
    os.utime(host.path, (old, old))
    process.waiting()
    assert not host.path.exists()
    assert not _refused(process, _one())
    process.add([_one(2)])
    assert _refused(process, _one(2))


def test_for_our_eyes_only(host: Host) -> None:
    """The file belongs to one user, and nobody else may read or write it."""
    host.process().add([_one()])
    facts = host.path.stat()
    assert (facts.st_mode & 0o777, facts.st_uid) == (0o600, os.geteuid())


@pytest.mark.parametrize("planted", ["link", "second name", "loose rights", "folder", "no folder"])
def test_a_place_that_is_not_ours(host: Host, planted: str) -> None:
    """What somebody else put there is neither followed, read nor written; memory must do."""
    elsewhere, one = host.path.with_name("elsewhere"), _one()
    Refusals([elsewhere], now=host.clock).add([_one(9)])
    before = elsewhere.read_bytes()
    if planted == "link":
        host.path.symlink_to(elsewhere)
    elif planted == "second name":
        host.path.hardlink_to(elsewhere)
    elif planted == "loose rights":
        host.path.write_bytes(before)
        host.path.chmod(0o622)
    elif planted == "folder":
        host.path.mkdir()
    else:
        host.path = host.path / "nowhere" / "file"
    process = host.process()
    process.add([one])
    assert elsewhere.read_bytes() == before
    assert not _refused(process, _one(9))
    assert _refused(process, one)
    assert process.waiting() == [one]
    process.over(one.place)
    assert not _refused(process, one)
    process.add([one])
    assert len(host.why) == 1


def test_no_folder_at_all(host: Host) -> None:
    """Without any folder to write to a process remembers what it was told itself."""
    process = Refusals([], now=host.clock)
    process.add([_one()])
    assert _refused(process, _one())


def test_bounded(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage without an end fills neither disk nor memory."""
    monkeypatch.setattr(module, "MOST", 10)
    process = host.process()
    for number in range(50):
        process.add([_one(number)])
    assert host.path.stat().st_size <= 10 * module._ENTRY.size  # noqa: SLF001
    assert len(process.waiting()) == 20  # as many again in memory
    assert _refused(host.process(), _one(3))


def test_a_lock_that_is_never_let_go(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs with the file in its hands holds nobody up for long."""
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)
    host.process().add([_one(1)])
    held, over = threading.Event(), threading.Event()

    def hang() -> None:
        with module._locked(str(host.path)):  # noqa: SLF001
            held.set()
            over.wait(10)

    hanging = threading.Thread(target=hang)
    hanging.start()
    held.wait(10)
    process = host.process()
    process.add([_one(2)])
    over.set()
    hanging.join()
    assert _refused(process, _one(2))
    assert host.why == ["BlockingIOError"]


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms over a store whose operations can be made to fail."""
    store = FailingStore(tmp_path / "sessions.db")
    return joined(tmp_path / "sessions.db", store=store, clock=Clock(float(NOW)))


def _cut(rooms: Rooms, *, cut: bool = True) -> None:
    assert isinstance(rooms.store, FailingStore)
    rooms.store.failing = {"create", "replace", "delete", "load", "claim"} if cut else set()


def _refuses(rooms: Rooms, session: Session) -> bool:
    return rooms.host.refuses(lambda: rooms.vault.places_of(session.ticket.text))


def test_SO_06_refused_until_the_record_is_gone(rooms: Rooms) -> None:
    """A store that can be asked again and still deletes nothing ends no refusal."""
    session = rooms.session()
    _cut(rooms)
    rooms.sign_out.end(session, "cognito")
    assert isinstance(rooms.store, FailingStore)
    rooms.store.failing = {"delete"}
    with pytest.raises(StoreUnavailable):
        rooms.belated.work()
    assert rooms.twin().host.refuses(lambda: [session.place])
    assert rooms.vault.reload(session)


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize("depth", ["app", "cognito", "everywhere"])
def test_SO_06_finished_by_another_process(rooms: Rooms, depth: str, read: bool) -> None:
    """Whichever worker looks first when the store is back ends the record and tells the rest."""
    session, elsewhere = rooms.session(), rooms.session()
    _cut(rooms)
    farewell = rooms.sign_out.end(
        session if read else None,
        depth,  # type: ignore[arg-type]
        unread=None if read else session.ticket.text,
    )
    assert "store" in farewell.pending
    twin = rooms.twin()
    assert _refuses(twin, session)
    assert not _refuses(twin, elsewhere)
    del rooms.errands  # the process that was asked has died
    twin.belated.work()
    twin.errands.work()
    assert not _refuses(twin, session)
    assert twin.vault.reload(session) is None
    assert (twin.vault.reload(elsewhere) is None) is (depth == "everywhere")
    assert session.record.tokens
    times = twin.login.revoked.count(str(session.record.tokens.refresh_token))
    assert times == (0 if depth == "app" else 1)
    assert len(twin.login.signed_out) == (1 if depth == "everywhere" else 0)
    twin.belated.work()
    assert twin.host.waiting() == []


def test_SO_06_waits_for_the_store(rooms: Rooms) -> None:
    """While the store is out nothing is forgotten, and no errand piles up in the process."""
    session = rooms.session()
    _cut(rooms)
    rooms.sign_out.end(session, "cognito")
    waiting = rooms.errands.waiting
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            rooms.belated.work()
    assert _refuses(rooms, session)
    assert rooms.errands.waiting == waiting
    _cut(rooms, cut=False)
    rooms.belated.work()
    assert rooms.vault.reload(session) is None


def test_SO_06_the_next_ticket_is_refused_as_well(rooms: Rooms) -> None:
    """A session that was given a new ticket just before is over with the old one."""
    session = rooms.session()
    moved = rooms.vault.move(session)
    _cut(rooms)
    rooms.sign_out.end(None, "app", unread=session.ticket.text)
    assert _refuses(rooms, session)
    assert _refuses(rooms, moved)
    _cut(rooms, cut=False)
    rooms.belated.work()
    assert rooms.vault.reload(moved) is None
    assert rooms.living == 0


def test_SO_06_no_secret_in_the_file(rooms: Rooms, tmp_path: Path) -> None:
    """The host's file shows neither ticket nor token, and another key opens nothing of it."""
    session = rooms.session()
    _cut(rooms)
    rooms.sign_out.end(session, "everywhere")
    data = (tmp_path / "sessions.refused").read_bytes()
    assert session.record.tokens
    assert session.ticket.text.encode() not in data
    assert session.ticket.raw not in data
    assert str(session.record.tokens.refresh_token).encode()[:20] not in data

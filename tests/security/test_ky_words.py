"""KY-03 without servers: what processes read of each other's keys in the store, and make of it."""

import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.clock import Clock
from tests.security.fleet_stores import STORES, Kind, SharedStore, shared_store
from webapp.errors import KeysDiffer, StoreUnavailable
from webapp.keyring import Keyring
from webapp.services import open_store
from webapp.store.base import Store
from webapp.store.keyroll import (
    LIFE_SECONDS,
    TELL_SECONDS,
    UNDECIDED_SECONDS,
    KeyWatch,
    Strangers,
)

OLD, NEW, THIRD = (f"the-{name}-key-of-a-test-of-two-hosts" for name in ("old", "new", "third"))


class Hosts:
    """Processes over one store, each with keys of its own, and one clock that a test moves."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.told: list[tuple[str, Strangers]] = []

    def process(self, name: str, *keys: str, scope: str = "https://one.example") -> KeyWatch:
        """A process that has just begun."""
        return KeyWatch(
            self.store,
            Keyring([key.encode() for key in keys]),
            scope=scope,
            now=self.clock,
            clock=self.clock,
            report=lambda found: self.told.append((name, found)),
        )


def _open(shared: SharedStore, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in shared.settings.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return open_store(
        shared.settings["SESSION_STORE_URL"],
        region="us-east-1",
        dynamodb_endpoint=shared.settings.get("AWS_ENDPOINT_URL_DYNAMODB"),
        now=clock,
    )


@pytest.fixture(params=STORES)
def hosts(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hosts]:
    """Processes over each kind of store."""
    kind: Kind = request.param
    clock = Clock()
    with shared_store(kind, tmp_path) as shared:
        yield Hosts(_open(shared, clock, monkeypatch), clock)


def _serves(process: KeyWatch) -> bool:
    process.look()
    try:
        process.check()
    except KeysDiffer:
        return False
    return True


def test_KY_03_on_every_store(hosts: Hosts) -> None:
    """On each store the younger of two strange keys gives way, until the older one is gone."""
    old, new = hosts.process("old", OLD), hosts.process("new", NEW)
    assert _serves(old)
    hosts.clock.advance(1)
    # What lies there may be left of a process that is gone: nobody is kept out by it.
    assert [_serves(new), _serves(old)] == [True, True]
    hosts.clock.advance(TELL_SECONDS)
    assert [_serves(old), _serves(new)] == [True, False]
    mark_of = {key: Keyring([key.encode()]).writing.mark for key in (OLD, NEW, THIRD)}
    # Tickets of a key that gives way can be opened nowhere: whoever has one signs in anew.
    assert [_serves(old), old.is_strangers(mark_of[NEW])] == [True, False]
    assert new.is_strangers(mark_of[OLD])
    assert not old.is_strangers(mark_of[THIRD])
    assert [(name, found.older) for name, found in hosts.told] == [("old", False), ("new", True)]
    # A later process of the older key is as old as the key; others have nothing to do with it.
    hosts.clock.advance(1)
    late = hosts.process("late", OLD)
    assert _serves(late)
    hosts.clock.advance(TELL_SECONDS)
    assert [_serves(old), _serves(new), _serves(late)] == [True, False, True]
    assert _serves(hosts.process("other", THIRD, scope="https://two.example"))
    assert _serves(hosts.process("both", THIRD, NEW, OLD))


def test_KY_03_seniority_outlives_a_silence(tmp_path: Path) -> None:
    """After a silence of the store the older key is the older one still, by who remembers it."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    old, new = hosts.process("old", OLD), hosts.process("new", NEW)
    assert _serves(old)
    hosts.clock.advance(LIFE_SECONDS + 5)  # the store kept nothing of it
    assert _serves(new)
    assert _serves(old)
    assert not _serves(new)
    # When the old one is gone for good the new one serves by itself.
    hosts.clock.advance(LIFE_SECONDS + 5)
    assert _serves(new)
    assert hosts.told[-1] == ("new", Strangers())


def _is_ready(process: KeyWatch) -> bool:
    try:
        process.probe()
    except KeysDiffer:
        return False
    return True


def test_KY_03_not_ready_before_it_is_sure(tmp_path: Path) -> None:
    """No balancer sends anybody to a wrong host, not even in its first seconds."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    old = hosts.process("old", OLD)
    assert [_is_ready(old), _serves(old)] == [True, True]
    wrong = hosts.process("wrong", NEW)
    ready = []
    for _ in range(4 * LIFE_SECONDS):
        ready.append(_is_ready(wrong))
        hosts.clock.advance(1)
        old.probe()
    assert not any(ready)
    assert _is_ready(hosts.process("right", OLD))
    # The same beside a word that nobody renews: ready after a few seconds.
    hosts.clock.advance(LIFE_SECONDS)
    assert _serves(hosts.process("killed", OLD))
    heir, waited = hosts.process("heir", THIRD), 0
    while not _is_ready(heir):
        assert _serves(heir)
        hosts.clock.advance(1)
        waited += 1
    assert 1 < waited <= UNDECIDED_SECONDS + 1


def test_KY_03_people_of_the_first_seconds(tmp_path: Path) -> None:
    """Tickets that a wrong host gave out before it was sure are nobody's later, and never stuck."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    right, wrong = hosts.process("right", OLD), hosts.process("wrong", NEW)
    assert _serves(right)
    hosts.clock.advance(1)
    assert _serves(wrong)
    mark = Keyring([NEW.encode()]).writing.mark
    hosts.clock.advance(1)
    assert right.is_strangers(mark)  # it may still serve: come again
    for _ in range(3):
        hosts.clock.advance(TELL_SECONDS)
        _serves(right)
        _serves(wrong)
    assert not right.is_strangers(mark)


def test_KY_03_a_start_with_another_key_is_nobodys_affair(tmp_path: Path) -> None:
    """A single host that was killed and starts with a new key serves at once, and alarms nobody."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    assert _serves(hosts.process("killed", OLD))
    new = hosts.process("new", NEW)
    for _ in range(2 * LIFE_SECONDS):
        assert _serves(new)
        assert not new.is_strangers(Keyring([OLD.encode()]).writing.mark)
        hosts.clock.advance(1)
    assert hosts.told == []


def test_KY_03_seniority_is_handed_on(tmp_path: Path) -> None:
    """A process that joined later keeps its key's age when those that began with it are gone."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    first, new = hosts.process("first", OLD), hosts.process("new", NEW)
    assert _serves(first)
    hosts.clock.advance(TELL_SECONDS)
    assert _serves(new)
    assert _serves(first)
    assert not _serves(new)
    hosts.clock.advance(1)
    late = hosts.process("late", OLD)
    for _ in range(2 * LIFE_SECONDS // 5):  # the first one's word ends meanwhile
        assert [_serves(late), _serves(new)] == [True, False]
        hosts.clock.advance(5)
    later = hosts.process("later still", OLD)
    assert [_serves(later), _serves(new)] == [True, False]


def test_KY_03_keys_in_the_ring_are_no_strangers(tmp_path: Path) -> None:
    """Hosts that write with either key and read both go on side by side, and nothing is told."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    behind, ahead = hosts.process("behind", OLD, NEW), hosts.process("ahead", NEW, OLD)
    for _ in range(4):
        assert [_serves(behind), _serves(ahead)] == [True, True]
        assert [_is_ready(behind), _is_ready(ahead)] == [True, True]
        hosts.clock.advance(TELL_SECONDS)
    assert hosts.told == []


def test_KY_03_who_leaves_in_order_leaves_no_doubt(tmp_path: Path) -> None:
    """A process that ends takes its word back: its successor is ready at once, whatever its key."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    old = hosts.process("old", OLD)
    assert _serves(old)
    old.leave()
    old.look()  # a thread that had not noticed says nothing any more
    hosts.process("new", NEW).probe()
    assert hosts.told == []


def test_KY_03_last_step_of_a_rotation(tmp_path: Path) -> None:
    """The old key can be dropped as soon as nobody writes with it any more."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    assert _serves(hosts.process("a", NEW, OLD))
    hosts.clock.advance(1)
    assert _serves(hosts.process("b", OLD, NEW))
    hosts.clock.advance(1)
    last = hosts.process("c", NEW)
    assert _serves(last)
    hosts.clock.advance(TELL_SECONDS)
    assert _serves(last)
    assert hosts.told == []


def test_KY_03_store_that_is_away(tmp_path: Path) -> None:
    """A store out of reach keeps nobody out, and a look at it is made only now and then."""

    class Away:
        """A store that never answers, and counts who asks."""

        asked = 0

        def __getattr__(self, _: str) -> object:
            def ask(*__: object, **___: object) -> None:
                Away.asked += 1
                raise StoreUnavailable("away")

            return ask

    del tmp_path
    process = Hosts(Away(), Clock(1_000.0)).process("a", OLD)  # type: ignore[arg-type]
    for _ in range(50):
        process.check()
        process.probe()
        assert not process.is_strangers(7)
    assert Away.asked == 1


def test_KY_03_words_give_nothing_away(tmp_path: Path) -> None:
    """What lies in the store for it is a hash, a mark and a time: no part of a key."""
    path = tmp_path / "sessions.db"
    secret = string.ascii_letters
    process = Hosts(open_store(f"sqlite:///{path}"), Clock()).process("a", secret)
    assert _serves(process)
    dump = b"".join(file.read_bytes() for file in tmp_path.glob("sessions.db*"))
    key = Keyring([secret.encode()]).writing
    assert key.name in dump
    assert secret.encode()[:8] not in dump
    for part in (key.index, key.records, key.csrf, key.attempts):
        assert part not in dump
        assert part[:16] != key.name

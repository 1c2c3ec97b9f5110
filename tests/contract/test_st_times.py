"""ST-19: the years 1969, 2038, 2106 and 9999 are years like others, for every store."""

from pathlib import Path

from tests.contract.hands import Hands
from tests.doubles.clock import Clock
from tests.rig import Rig
from tests.rooms import joined
from webapp.store.base import Listed, Store, Stored

KEY, ANN = b"k" * 32, b"a" * 32
EPOCHS = {
    "1969": -86_400,
    "1970": 10,
    "2038": 2**31 - 30,
    "2106": 2**32 - 30,
    "9999": 253_402_300_000,
}


def test_ST_19_records_and_claims(hands: Hands) -> None:
    """Ends on either side of now mean what they say, to the second, in every operation."""
    for year, epoch in EPOCHS.items():
        _records_and_claims(hands, epoch)
        hands.empty()
        print(year, "is a year like others")


def _records_and_claims(hands: Hands, epoch: int) -> None:
    now = epoch + 0.5
    store = hands.open(lambda: now)
    soon, later = epoch + 60, epoch + 43_200
    assert store.create(KEY, b"one", expires_at=soon, person=ANN, now=now, label=b"l")
    assert store.load(KEY, now=now) == Stored(b"one", 1, soon)
    assert store.load(KEY, now=soon - 0.1)
    assert store.load(KEY, now=soon) is None
    assert store.replace(KEY, b"two", version=1, expires_at=later, label=b"l")
    assert store.load(KEY, now=later - 1) == Stored(b"two", 2, later)
    assert store.listed(ANN, now=now) == [Listed(KEY, b"l", later)]
    assert store.listed(ANN, now=later) == []
    assert store.claim(b"name", b"me", now=now, seconds=6)
    assert not store.claim(b"name", b"you", now=now + 5.9, seconds=6)
    assert store.claim(b"name", b"you", now=now + 6, seconds=6)
    assert store.delete(KEY, until=later) == Stored(b"two", 2, later)
    assert not store.create(KEY, b"one", expires_at=later, person=ANN, now=now)
    store.purge(now=later - 1, limit=100)
    assert not store.create(KEY, b"one", expires_at=later, person=ANN, now=now)


def test_ST_19_ends_that_cannot_be(hands: Hands) -> None:
    """An end long past or far ahead is no error: such a record has ended, or lives."""
    now = 1_800_000_000.0
    store = hands.open(lambda: now)
    for number, end in enumerate((-(2**33), -1, 0, 1, 2**31, 2**33, 253_402_300_799)):
        key = bytes((number,)) * 32
        assert store.create(key, b"x", expires_at=end, person=ANN, now=now)
        assert (store.load(key, now=now) is not None) is (end > now)
    living = sorted(one.expires_at for one in store.listed(ANN, now=now))
    assert living == [2**31, 2**33, 253_402_300_799]


def test_ST_19_sessions(hands: Hands, tmp_path: Path) -> None:
    """A session is made, opened, touched and listed, and ends by idling and by age as always."""
    for year, epoch in EPOCHS.items():
        _sessions(hands, tmp_path, epoch)
        hands.empty()
        print(year, "is a year like others")


def _sessions(hands: Hands, tmp_path: Path, epoch: int) -> None:
    clock = Clock(start=float(epoch))
    rooms = joined(
        tmp_path / "unused", clock=clock, store=hands.open(clock), idle=1800, absolute=7200
    )
    session = rooms.session()
    person = session.record.person
    assert person
    for _ in range(4):
        clock.advance(1700)
        opened = rooms.vault.open(session.ticket.text)
        assert opened
        assert rooms.vault.touch(opened).record.seen_at == int(clock())
        assert len(rooms.vault.listed(person)) == 1
    clock.advance(399)  # 7,199 in all
    assert rooms.vault.open(session.ticket.text)
    clock.advance(1)
    assert rooms.vault.open(session.ticket.text) is None
    idle = rooms.session()
    clock.advance(1800)
    assert rooms.vault.open(idle.ticket.text) is None
    assert rooms.refusals == []


def test_ST_19_over_the_year_2038(rig: Rig) -> None:
    """People sign in before 03:14:07 on 19 January 2038, are renewed after it, and sign out."""
    rig.clock.advance(2**31 - 1200 - rig.clock())
    mint = rig.cognito.issuer.mint
    mint.id_lifetime = mint.access_lifetime = 900
    browser = rig.signed_in("admin")
    for _ in range(3):
        rig.clock.advance(850)
        assert browser.get("/session").status == 200
        assert browser.get("/sessions").status == 200
        assert browser.call("vip", "user").status == 200
    assert rig.clock() > 2**31
    assert len(rig.cognito.issuer.grants("refresh_token")) == 3
    assert browser.sign_out().status == 303
    assert browser.me()["signed_in"] is False


def test_ST_19_a_clock_that_was_far_ahead(hands: Hands) -> None:
    """What a host wrote whose clock was ten years ahead ends then; nothing breaks meanwhile."""
    now, ahead = 1_800_000_000.0, 1_800_000_000.0 + 10 * 365 * 86_400
    fast: Store = hands.open(lambda: ahead)
    right = hands.open(lambda: now)
    end = int(ahead) + 60
    assert fast.create(KEY, b"one", expires_at=end, person=ANN, now=ahead)
    assert fast.claim(b"name", b"me", now=ahead, seconds=6)
    assert right.load(KEY, now=now) == Stored(b"one", 1, end)
    assert right.delete(KEY, until=int(now) + 60) == Stored(b"one", 1, end)
    assert right.load(KEY, now=now) is None
    assert not right.create(KEY, b"one", expires_at=end, person=ANN, now=now)

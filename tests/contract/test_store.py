"""The contract of webapp/store/base.py, the same for every back end (ST-20)."""

import threading
from functools import partial
from pathlib import Path

import pytest

from tests.contract.stores import (
    ANN,
    BEN,
    KEY,
    LATER,
    NOW,
    OTHER,
    Backend,
    keys_of,
    operations,
    put,
)
from tests.race import Race, at_once
from webapp.errors import StoreUnavailable
from webapp.store.base import Listed, Store, Stored

ROUNDS = 100


def test_ST_20_nothing_is_there(store: Store) -> None:
    """An unknown key has no record, and nothing to replace or delete."""
    assert store.load(KEY, now=NOW) is None
    assert store.replace(KEY, b"x", version=1, expires_at=LATER) is False
    assert store.delete(KEY, until=LATER) is None
    assert keys_of(store, ANN, now=NOW) == []


def test_ST_20_created_and_loaded(store: Store, other_host: Store) -> None:
    """A new record stands at version 1, byte for byte, for every host."""
    sealed = bytes(range(256)) * 128
    assert put(store, sealed=sealed) is True
    for one in (store, other_host):
        assert one.load(KEY, now=NOW) == Stored(sealed, 1, LATER)
        assert one.load(OTHER, now=NOW) is None


@pytest.mark.parametrize("size", [1, 400, 33_000])
def test_ST_20_sizes(store: Store, size: int) -> None:
    """Records of every size that may be sealed go in and come out."""
    assert put(store, sealed=b"\xff" * size)
    stored = store.load(KEY, now=NOW)
    assert stored
    assert stored.sealed == b"\xff" * size


def test_ST_20_create_never_overwrites(store: Store, other_host: Store) -> None:
    """A key that is taken stays as it is."""
    put(store)
    assert put(other_host, sealed=b"two", person=BEN) is False
    assert store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)
    assert keys_of(store, BEN, now=NOW) == []


def test_ST_20_create_does_not_overwrite_a_tombstone(store: Store, other_host: Store) -> None:
    """Where a record was deleted no new one can stand until the tombstone has ended."""
    put(store)
    store.delete(KEY, until=LATER)
    assert put(other_host, sealed=b"two") is False
    assert other_host.load(KEY, now=NOW) is None


def test_ST_20_replaced_at_its_version(store: Store, other_host: Store) -> None:
    """A replacement counts the version up and may move the end."""
    put(store)
    assert store.replace(KEY, b"two", version=1, expires_at=LATER + 5) is True
    assert other_host.load(KEY, now=NOW) == Stored(b"two", 2, LATER + 5)
    assert other_host.replace(KEY, b"three", version=2, expires_at=LATER) is True
    assert store.load(KEY, now=NOW) == Stored(b"three", 3, LATER)


@pytest.mark.parametrize("version", [0, 2, 3, -1])
def test_ST_20_replace_at_another_version(store: Store, version: int) -> None:
    """A replacement of what the caller did not read changes nothing."""
    put(store)
    assert store.replace(KEY, b"two", version=version, expires_at=LATER + 5) is False
    assert store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)


@pytest.mark.parametrize("version", [1, 2])
def test_ST_20_replace_never_revives(store: Store, version: int) -> None:
    """No version at all brings a deleted record back."""
    put(store)
    store.delete(KEY, until=LATER)
    assert store.replace(KEY, b"two", version=version, expires_at=LATER + 5) is False
    assert store.load(KEY, now=NOW) is None


def test_ST_20_replace_keeps_the_person(store: Store) -> None:
    """A replaced record stays in its person's list."""
    put(store)
    store.replace(KEY, b"two", version=1, expires_at=LATER)
    assert keys_of(store, ANN, now=NOW) == [KEY]


def test_ST_20_replace_with_a_later_end_keeps_the_person(store: Store, other_host: Store) -> None:
    """A record that goes on past its first end is still in its person's list then."""
    put(store)
    put(store, OTHER)
    store.replace(KEY, b"two", version=1, expires_at=LATER + 500)
    assert keys_of(store, ANN, now=LATER + 499) == [KEY]
    put(other_host, b"n" * 32, expires_at=LATER + 900)  # a sign-in long after the first end
    assert sorted(keys_of(other_host, ANN, now=LATER + 499)) == [KEY, b"n" * 32]


def test_ST_20_replace_with_an_earlier_end(store: Store) -> None:
    """A record whose end was moved forward ends then, for its person's list too."""
    put(store)
    store.replace(KEY, b"two", version=1, expires_at=LATER - 500)
    assert store.load(KEY, now=LATER - 500) is None
    assert keys_of(store, ANN, now=LATER - 500) == []
    assert keys_of(store, ANN, now=LATER - 501) == [KEY]


def test_ST_20_delete_of_a_tombstone_makes_it_last(store: Store) -> None:
    """A second delete never shortens the tombstone of the first, and may lengthen it."""
    put(store, expires_at=int(NOW) + 10)
    store.delete(KEY, until=int(NOW) + 20)
    assert store.delete(KEY, until=LATER) is None
    assert store.delete(KEY, until=int(NOW) + 5) is None
    store.purge(now=LATER - 1, limit=100)
    assert put(store) is False


def test_ST_20_delete_hands_out_what_stood_there(store: Store, other_host: Store) -> None:
    """Deleting gives the newest record, once; the second time there is nothing."""
    put(store)
    store.replace(KEY, b"two", version=1, expires_at=LATER)
    assert other_host.delete(KEY, until=LATER) == Stored(b"two", 2, LATER)
    assert store.delete(KEY, until=LATER) is None
    assert store.load(KEY, now=NOW) is None
    assert keys_of(store, ANN, now=NOW) == []


def test_ST_20_tombstone_outlives_the_record(backend: Backend, store: Store) -> None:
    """A tombstone stays at least until the time that was asked for, whatever is purged before."""
    put(store, expires_at=int(NOW) + 10)
    store.delete(KEY, until=LATER)
    store.purge(now=NOW + 20, limit=100)
    assert put(store) is False
    assert store.purge(now=LATER + 1, limit=100) == backend.purged(1)


def test_ST_20_ended_records_are_not_seen(store: Store) -> None:
    """From its end on a record is not loaded and not listed, purged or not."""
    put(store)
    assert store.load(KEY, now=LATER - 0.1)
    assert store.load(KEY, now=LATER) is None
    assert store.load(KEY, now=LATER + 0.1) is None
    assert keys_of(store, ANN, now=LATER) == []


def test_ST_20_keys_of_a_person(store: Store, other_host: Store) -> None:
    """A person's list holds that person's living records and nothing else."""
    keys = [bytes((number,)) * 32 for number in range(5)]
    for key in keys:
        put(store, key)
    put(store, b"b" * 32, person=BEN)
    put(store, b"g" * 32, person=None)
    put(store, b"e" * 32, expires_at=int(NOW) - 1)
    store.delete(keys[0], until=LATER)
    assert sorted(keys_of(other_host, ANN, now=NOW)) == keys[1:]
    assert keys_of(other_host, BEN, now=NOW) == [b"b" * 32]


def test_ST_20_listed_with_label_and_end(store: Store, other_host: Store) -> None:
    """A list shows the label and the end that were written last, and nothing after a deletion."""
    for key in (KEY, OTHER):
        store.create(key, b"one", expires_at=LATER, person=ANN, now=NOW, label=b"\x00first")
    assert store.replace(KEY, b"two", version=1, expires_at=LATER + 50, label=b"second" * 40)
    assert sorted(other_host.listed(ANN, now=NOW), key=lambda one: one.label) == [
        Listed(OTHER, b"\x00first", LATER),
        Listed(KEY, b"second" * 40, LATER + 50),
    ]
    loaded = other_host.load(KEY, now=NOW)
    assert loaded == Stored(b"two", 2, LATER + 50)
    store.delete(KEY, until=LATER)
    assert other_host.listed(ANN, now=NOW) == [Listed(OTHER, b"\x00first", LATER)]


def test_ST_20_purge_takes_only_what_has_ended(backend: Backend, store: Store) -> None:
    """Purging removes ended rows, tombstones and claims, if anything, and leaves the living."""
    put(store, expires_at=int(NOW) - 5)
    put(store, OTHER)
    store.claim(b"old", b"me", now=NOW - 100, seconds=5)
    store.claim(b"new", b"me", now=NOW, seconds=5)
    assert store.purge(now=NOW, limit=100) == backend.purged(2)
    assert store.purge(now=NOW, limit=100) == 0
    assert store.load(OTHER, now=NOW)
    assert store.claim(b"new", b"you", now=NOW, seconds=5) is False
    assert put(store) is backend.purges  # a purged key is free again


def test_ST_20_purge_keeps_to_its_limit(backend: Backend, store: Store) -> None:
    """One purge removes no more rows than it was allowed, of whatever kind."""
    for number in range(8):
        put(store, bytes((number,)) * 32, expires_at=int(NOW) - 5)
        store.claim(b"claim%d" % number, b"me", now=NOW - 100, seconds=5)
    gone = [store.purge(now=NOW, limit=5) for _ in range(5)]
    assert sum(gone) == backend.purged(16)
    assert max(gone) <= 5


def test_ST_20_claim_is_held_by_one(store: Store, other_host: Store) -> None:
    """While a claim lasts only its owner has it, and may renew it."""
    assert store.claim(b"name", b"me", now=NOW, seconds=6) is True
    assert other_host.claim(b"name", b"you", now=NOW + 5.9, seconds=6) is False
    assert other_host.claim(b"other", b"you", now=NOW, seconds=6) is True
    assert store.claim(b"name", b"me", now=NOW + 5, seconds=6) is True
    assert other_host.claim(b"name", b"you", now=NOW + 10.9, seconds=6) is False


def test_ST_20_claim_ends_by_itself(store: Store, other_host: Store) -> None:
    """After its end anyone may take a claim, and then the first owner has lost it."""
    store.claim(b"name", b"me", now=NOW, seconds=6)
    assert other_host.claim(b"name", b"you", now=NOW + 6, seconds=6) is True
    assert store.claim(b"name", b"me", now=NOW + 7, seconds=6) is False


def test_ST_20_release(store: Store, other_host: Store) -> None:
    """A released claim is free at once; releasing what is not one's own does nothing."""
    store.claim(b"name", b"me", now=NOW, seconds=6)
    other_host.release(b"name", b"you")
    assert other_host.claim(b"name", b"you", now=NOW, seconds=6) is False
    store.release(b"name", b"me")
    store.release(b"name", b"me")
    assert other_host.claim(b"name", b"you", now=NOW, seconds=6) is True


def test_ST_20_claims_and_records_have_names_of_their_own(store: Store) -> None:
    """A claim of the same name as a record touches the record in no way."""
    put(store)
    assert store.claim(KEY, b"me", now=NOW, seconds=6) is True
    store.release(KEY, b"me")
    assert store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)


def test_ST_20_one_winner_at_a_claim(store: Store, other_host: Store) -> None:
    """Of many who reach for a claim at one moment exactly one gets it."""
    with Race(4) as race:
        for number in range(ROUNDS):
            takers = [
                partial(one.claim, b"n%d" % number, bytes((i,)), now=NOW, seconds=6)
                for i, one in enumerate((store, other_host, store, other_host))
            ]
            assert sorted(race.run(*takers), key=bool) == [False, False, False, True]


def test_ST_20_one_winner_at_a_version(store: Store, other_host: Store) -> None:
    """Of many who replace the same version exactly one does."""
    put(store)
    with Race(4) as race:
        for version in range(1, ROUNDS):
            writers = [
                partial(one.replace, KEY, bytes((i,)), version=version, expires_at=LATER)
                for i, one in enumerate((store, other_host, store, other_host))
            ]
            won = race.run(*writers)
            assert sorted(won, key=bool) == [False, False, False, True]
            stored = store.load(KEY, now=NOW)
            assert stored == Stored(bytes((won.index(True),)), version + 1, LATER)


def test_ST_20_delete_beats_replace(store: Store, other_host: Store) -> None:
    """When a delete and a replacement meet, the record is gone and the delete has the newest."""
    with Race() as race:
        for number in range(ROUNDS):
            key = number.to_bytes(32, "big")
            put(store, key)
            written, gone = race.run(
                partial(store.replace, key, b"two", version=1, expires_at=LATER),
                partial(other_host.delete, key, until=LATER),
            )
            assert gone == Stored(*((b"two", 2) if written else (b"one", 1)), LATER)
            assert store.load(key, now=NOW) is None


def test_ST_20_one_winner_at_a_key(store: Store, other_host: Store) -> None:
    """Of many who create the same key exactly one does."""
    made = at_once(*(partial(put, one, person=None) for one in (store, other_host) * 3))
    assert sorted(made, key=bool) == [False] * 5 + [True]


def test_ST_20_threads_may_share_a_store(store: Store) -> None:
    """One store object serves many threads at once."""
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                key = bytes((number, turn)) * 16
                put(store, key)
                assert store.replace(key, b"two", version=1, expires_at=LATER)
                assert store.delete(key, until=LATER)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []


def test_ST_20_ping(store: Store) -> None:
    """A store that works answers a ping with nothing."""
    store.ping()


def test_ST_20_a_broken_store_is_unavailable(
    backend: Backend, store: Store, tmp_path: Path
) -> None:
    """Every operation of a store that is out of order raises StoreUnavailable and nothing else."""
    backend.break_it(tmp_path)
    broken = operations(store)
    if backend.purges:
        broken.append(partial(store.purge, now=NOW, limit=5))
    for operation in broken:
        with pytest.raises(StoreUnavailable):
            operation()

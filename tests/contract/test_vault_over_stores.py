"""The vault over every store: what a session goes through, on one host and seen from another."""

from dataclasses import replace

import pytest

from webapp.errors import SessionEnded
from webapp.keyring import Keyring
from webapp.records import Person, SessionRecord
from webapp.store.base import Store
from webapp.store.vault import Vault

NOW = 1_800_000_000
ANN = Person("https://issuer.example.com", "sub-a", "ann", None, None)
BEN = replace(ANN, subject="sub-b")


def vault_over(store: Store) -> Vault:
    """A vault as each host has one, with the same keys and the same time."""
    return Vault(store, Keyring((b"k" * 32,)), idle=1800, absolute=43_200, now=lambda: NOW + 60.0)


def test_ST_20_a_session_on_two_hosts(store: Store, other_host: Store) -> None:
    """Made here, it is opened, changed and moved there; ended here, no change brings it back."""
    here, there = vault_over(store), vault_over(other_host)
    made = here.create(SessionRecord(NOW, NOW, ANN))
    opened = there.open(made.ticket.text)
    assert opened
    assert opened.record == made.record
    touched = there.touch(opened)
    assert touched.record.seen_at == NOW + 60
    moved = there.move(touched)
    assert here.open(made.ticket.text) is None
    seen = here.open(moved.ticket.text)
    assert seen
    assert here.end(seen) == touched.record
    with pytest.raises(SessionEnded):
        there.change(moved, lambda record: replace(record, identity_id="late"))
    assert there.open(moved.ticket.text) is None


def test_ST_20_everywhere_is_everywhere(store: Store, other_host: Store) -> None:
    """Ending all of a person ends what was made a moment ago on another host, and no one else."""
    here, there = vault_over(store), vault_over(other_host)
    bens = there.create(SessionRecord(NOW, NOW, BEN))
    for _ in range(10):
        anns = [vault.create(SessionRecord(NOW, NOW, ANN)) for vault in (here, there)]
        assert here.end_all_of(ANN) == 2
        assert [there.reload(one) for one in anns] == [None, None]
    assert there.reload(bens) == bens

"""Tickets and sealed records: one meaning each, opened by both halves together."""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rooms import joined
from webapp.errors import OperatorFault
from webapp.keyring import Key
from webapp.records import AwsKeys, SessionRecord
from webapp.store.sealing import (
    FORMAT,
    MAX_RECORD_BYTES,
    MAX_SEALED_BYTES,
    TICKET_CHARACTERS,
    Ticket,
    Unopenable,
    seal,
    unseal,
)

KEY = Key.of(b"the-first-key-of-32-bytes-or-more")
OTHER_KEY = Key.of(b"another-key-of-32-bytes-or-more!!")
KEYS = AwsKeys("us-east-1:1", "ASIAX", "secret", "session", 1, 2, "arn:aws:iam::0:role/x")


@pytest.fixture
def full(tmp_path: Path) -> SessionRecord:
    """A record with every field set."""
    record = joined(tmp_path / "s.db").record("both")
    return replace(
        record,
        user_keys=KEYS,
        guest_keys=replace(KEYS, role_arn=None),
        identity_id="us-east-1:1",
        chosen_role="arn:aws:iam::0:role/x",
        userinfo={"sub": "x", "nested": {"list": [1, "zwei", None]}},
        userinfo_at=3,
        refreshed_at=4,
        changed_claims=("exp", "iat"),
    )


def test_ticket_and_back() -> None:
    """A ticket's text is a cookie value of fixed length that reads back as the same ticket."""
    ticket = Ticket.fresh(7)
    assert Ticket.parse(ticket.text) == ticket
    assert ticket.mark == 7
    assert len(ticket.text) == TICKET_CHARACTERS
    assert set(ticket.text) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def test_tickets_are_random() -> None:
    """Ten thousand tickets share neither an id nor a secret."""
    tickets = [Ticket.fresh(1) for _ in range(10_000)]
    assert len({one.raw[1:17] for one in tickets}) == len(tickets)
    assert len({one.raw[17:] for one in tickets}) == len(tickets)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text[:-1] + "=",
        lambda text: text[:-1] + "+",
        lambda text: text[:-1] + "\n",
        lambda text: " " + text[1:],
        lambda text: "ä" + text[1:],
    ],
)
def test_only_one_spelling(change: Callable[[str], str]) -> None:
    """A ticket has one spelling; near ones are none."""
    text = base64.urlsafe_b64encode(b"\xff" * 33).decode()
    assert Ticket.parse(text)
    assert Ticket.parse(change(text)) is None


def test_sealed_and_back(full: SessionRecord) -> None:
    """Every field of a record comes back as it was, type and all."""
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    assert unseal(seal(full, ticket, KEY, place), ticket, KEY, place) == full
    bare = SessionRecord(created_at=1, seen_at=2)
    assert unseal(seal(bare, ticket, KEY, place), ticket, KEY, place) == bare


def test_nothing_shows(full: SessionRecord) -> None:
    """Neither the sealed bytes nor the place tell anything of record or ticket."""
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    sealed = seal(full, ticket, KEY, place)
    assert full.tokens
    assert full.person
    for text in ("eyJ", "ASIA", full.person.subject, "both@example.com", full.tokens.id_token[:20]):
        assert text.encode() not in sealed
    assert ticket.raw[1:17] not in place + sealed
    assert ticket.raw[17:] not in place + sealed


def test_sealed_twice_is_different(full: SessionRecord) -> None:
    """The same record sealed again looks nothing like before: no nonce is used twice."""
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    sealed = {seal(full, ticket, KEY, place)[1:13] for _ in range(1000)}
    assert len(sealed) == 1000


def test_each_half_is_needed(full: SessionRecord) -> None:
    """Another ticket, another key or another place opens nothing."""
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    sealed = seal(full, ticket, KEY, place)
    for wrong in (
        (Ticket.fresh(KEY.mark), KEY, place),
        (ticket, OTHER_KEY, place),
        (ticket, KEY, Ticket.fresh(KEY.mark).place(KEY)),
        (ticket, KEY, ticket.place(OTHER_KEY)),
    ):
        with pytest.raises(Unopenable):
            unseal(sealed, *wrong)


@pytest.mark.parametrize(
    "sealed",
    [b"", b"\x01", bytes((FORMAT,)) * 28, bytes((FORMAT + 1,)) * 400, b"\x00" * 400, b"\x80\x04."],
)
def test_foreign_bytes(sealed: bytes) -> None:
    """Bytes that were never sealed are refused as such."""
    ticket = Ticket.fresh(KEY.mark)
    with pytest.raises(Unopenable):
        unseal(sealed, ticket, KEY, ticket.place(KEY))


def test_too_large() -> None:
    """A record over the limit is refused before it is sealed, and what is larger is not opened."""
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    huge = SessionRecord(created_at=1, seen_at=1, userinfo={"x": "y" * MAX_RECORD_BYTES})
    with pytest.raises(OperatorFault):
        seal(huge, ticket, KEY, place)
    with pytest.raises(Unopenable, match="unknown format"):
        unseal(bytes((FORMAT,)) * (MAX_SEALED_BYTES + 1), ticket, KEY, place)


def test_the_largest_fits() -> None:
    """A record just under the limit is sealed and opened."""
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    large = SessionRecord(created_at=1, seen_at=1, userinfo={"x": "y" * (MAX_RECORD_BYTES - 200)})
    assert unseal(seal(large, ticket, KEY, place), ticket, KEY, place) == large

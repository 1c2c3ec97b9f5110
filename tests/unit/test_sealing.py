"""Tickets and sealed records: one meaning each, opened by both halves together."""

import base64
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.rooms import joined
from webapp.errors import OperatorFault
from webapp.keyring import Key
from webapp.records import AwsKeys, SessionRecord, TokenSet
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
        changed_from=("1", "2"),
        flow=("left -2000 -", "code 3 12.5"),
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


@pytest.mark.parametrize(
    "texts",
    [
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl", "a.b.c", "one-word_only"),
        ("", ".", "..."),
        ("YR", "not.of=base64url.kind", "with blank"),
        ("YR.YS.YT", "Z\u00fcrich.token", "line\u2028end"),
        ("a", "ab", "abc"),
        ("AAAA", "+/==", "line\nbreak"),
        ("x" * 1, "x" * 4001, None),
    ],
)
def test_tokens_letter_for_letter(texts: tuple[str, str, str | None]) -> None:
    """Whatever a provider calls a token comes back letter for letter, also a badly encoded one."""
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    tokens = TokenSet(*texts, 1, 2)
    record = SessionRecord(created_at=1, seen_at=2, tokens=tokens)
    opened = unseal(seal(record, ticket, KEY, place), ticket, KEY, place)
    assert opened == record
    assert opened.tokens
    assert opened.tokens.refresh_token == tokens.refresh_token
    # Sealed again without having been looked at, it is the same still.
    again = unseal(seal(record, ticket, KEY, place), ticket, KEY, place)
    twice = unseal(seal(again, ticket, KEY, place), ticket, KEY, place)
    assert twice == record
    assert hash(twice) == hash(record)
    fresh = unseal(seal(record, ticket, KEY, place), ticket, KEY, place).tokens
    assert fresh
    assert replace(fresh, refresh_token=None) == replace(tokens, refresh_token=None)


def test_tokens_take_a_quarter_less(full: SessionRecord) -> None:
    """Tokens lie there as the bits of their letters: three quarters of their length."""
    assert full.tokens
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    letters = sum(len(one or "") for one in (full.tokens.id_token, full.tokens.access_token))
    without = replace(full, tokens=replace(full.tokens, id_token=" ", access_token=" "))
    more = len(seal(full, ticket, KEY, place)) - len(seal(without, ticket, KEY, place))
    assert more < letters * 0.75 + 40


def test_tokens_not_yet_looked_at(full: SessionRecord) -> None:
    """An opened record shows no token in its repr, and its tokens have no other attributes."""
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    opened = unseal(seal(full, ticket, KEY, place), ticket, KEY, place)
    assert opened.tokens
    assert full.tokens
    assert opened.tokens.expires_at == full.tokens.expires_at
    assert "eyJ" not in repr(opened)
    assert not hasattr(opened.tokens, "anything_else")


@pytest.mark.parametrize("earlier", [1, 2])
def test_formats_before(full: SessionRecord, earlier: int) -> None:
    """What earlier releases sealed, with tokens as text and without the latest fields, opens."""
    ticket = Ticket.fresh(KEY.mark)
    place = ticket.place(KEY)
    without: dict[str, Any] = {1: {"client": "", "network": "", "generation": ""}, 2: {}}[earlier]
    record = replace(full, flow=(), changed_from=(), **without)
    values: list[Any] = [
        list(astuple_of(one)) if is_dataclass(one) else one
        for one in (getattr(record, field.name) for field in fields(record))
    ]
    del values[-2 - len(without) :]
    head, nonce = bytes((earlier,)), bytes(12)
    sealed = ticket.box(KEY).encrypt(nonce, json.dumps(values).encode(), head + place)
    assert unseal(head + nonce + sealed, ticket, KEY, place) == record


def astuple_of(part: Any) -> tuple[Any, ...]:
    """The values of a part of a record, as they stand in the sealed list."""
    return tuple(getattr(part, one.name) for one in fields(part) if one.init)

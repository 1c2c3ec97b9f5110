"""From a ticket in a browser to a record in the store, and nothing in between to steal.

A ticket is one byte that marks the server key, an id and a secret. The store knows a keyed hash of
the id; the record is sealed with a key made of the ticket's secret and the server key, bound to
that hash. So a dump opens nothing, and a cookie alone opens nothing.
"""

import base64
import binascii
import hmac
import json
import os
from dataclasses import dataclass, field, fields
from functools import partial
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from webapp.errors import OperatorFault
from webapp.keyring import NONCE_BYTES, Key
from webapp.records import AwsKeys, Person, SessionRecord, TokenSet
from webapp.store.packing import measure, pack, unpack

T = TypeVar("T")
FORMAT = 3
ID_BYTES = 16
SECRET_BYTES = 16
TICKET_BYTES = 1 + ID_BYTES + SECRET_BYTES
TICKET_CHARACTERS = 44
MAX_RECORD_BYTES = 32 * 1024
MIN_SEALED_BYTES = 1 + NONCE_BYTES + 16
MAX_SEALED_BYTES = MIN_SEALED_BYTES + MAX_RECORD_BYTES


class Unopenable(Exception):
    """The record is not what this ticket and these keys sealed: damaged, foreign or newer."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a browser holds to be recognised: 256 random bits and the mark of a key."""

    raw: bytes = field(repr=False)

    @classmethod
    def fresh(cls, mark: int) -> "Ticket":
        """A new ticket from the system's random source."""
        return cls(bytes((mark,)) + os.urandom(ID_BYTES + SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> "Ticket | None":
        """The ticket that a cookie holds, or None for anything not exactly of our making."""
        if len(text) != TICKET_CHARACTERS or not text.isascii():
            return None
        try:
            raw = base64.b64decode(text, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        ticket = cls(raw)
        return ticket if len(raw) == TICKET_BYTES and ticket.text == text else None

    @property
    def text(self) -> str:
        """The cookie's value."""
        return base64.urlsafe_b64encode(self.raw).decode()

    @property
    def mark(self) -> int:
        """Which server key made it."""
        return self.raw[0]

    def place(self, key: Key) -> bytes:
        """Where the store keeps the record: a keyed hash of the id."""
        return hmac.digest(key.index, self.raw[1 : 1 + ID_BYTES], "sha256")

    def heir(self, key: Key, next_key: Key) -> "Ticket":
        """The next ticket of a session, which only its holder and the server together can tell."""
        secret = hmac.digest(key.records, b"heir" + self.raw, "sha256")
        return Ticket(bytes((next_key.mark,)) + secret)

    def box(self, key: Key) -> AESGCM:
        """The box that opens with both halves, the browser's and the server's."""
        return AESGCM(hmac.digest(key.records, self.raw[1 + ID_BYTES :], "sha256"))


def seal(record: SessionRecord, ticket: Ticket, key: Key, place: bytes) -> bytes:
    """The record, sealed for this ticket at this place.

    Raises OperatorFault when the record is larger than a store may be asked to hold.
    """
    plain = _plain(record)
    if len(plain) > MAX_RECORD_BYTES:
        raise OperatorFault(
            "This person's tokens are larger than a session can hold; fewer groups or shorter"
            " attributes in the user pool help.",
            code="session_too_large",
            bytes=len(plain),
        )
    nonce = os.urandom(NONCE_BYTES)
    head = bytes((FORMAT,))
    return head + nonce + ticket.box(key).encrypt(nonce, plain, head + place)


def unseal(sealed: bytes, ticket: Ticket, key: Key, place: bytes) -> SessionRecord:
    """The record that `seal` put away. Raises Unopenable for anything else."""
    if not MIN_SEALED_BYTES <= len(sealed) <= MAX_SEALED_BYTES or sealed[0] not in _ADDED:
        raise Unopenable("unknown format")
    nonce, secret = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        plain = ticket.box(key).decrypt(nonce, secret, sealed[:1] + place)
        text, _, bits = plain.partition(_BITS)
        return _record([*json.loads(text.decode()), *_ADDED[sealed[0]]], bits)
    except InvalidTag:
        raise Unopenable("seal broken") from None
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise Unopenable("unknown content") from error


# Values in the order of the fields, without names: smaller to keep and quicker to read. A change
# of any of these classes is a new FORMAT. New fields of a record come last and have defaults, so
# that what an earlier release wrote still opens; what a later one wrote does not.
_FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(one.name for one in fields(kind) if one.init)
    for kind in (SessionRecord, Person, TokenSet, AwsKeys)
}


def _kinds(hint: Any) -> tuple[type, ...]:
    options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return tuple(get_origin(option) or option for option in options)


_KINDS: dict[type, tuple[tuple[type, ...], ...]] = {
    kind: tuple(_kinds(hints[name]) for name in names)
    for kind, names in _FIELDS.items()
    if (hints := get_type_hints(kind))
}


def _values(part: object) -> object:
    names = _FIELDS.get(type(part))
    return part if names is None else [_values(getattr(part, name)) for name in names]


_ADDED: dict[int, list[Any]] = {1: ["", "", "", [], []], 2: [[], []], FORMAT: []}
"""What a record of an earlier format lacks at its end."""
_BITS = b"\n"
"""Stands between the values and the letters of the tokens; JSON has none inside a line."""


def _plain(record: SessionRecord) -> bytes:
    values: Any = _values(record)
    bits = b""
    if values[_TOKENS] is not None:
        values[_TOKENS], bits = pack(values[_TOKENS])
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    return text + _BITS + bits if bits else text


def _made(kind: type[T], content: list[Any]) -> T:
    if not isinstance(content, list) or len(content) != len(_KINDS[kind]):
        raise TypeError("a part of another length")
    values = [tuple(one) if isinstance(one, list) else one for one in content]
    if not all(map(isinstance, values, _KINDS[kind])):
        raise TypeError("a value of another type")
    for value in values:
        if isinstance(value, tuple) and not all(isinstance(one, str) for one in value):
            raise TypeError("a list of other things than text")
    return kind(*values)


def _record(content: list[Any], bits: bytes) -> SessionRecord:
    values = list(content)
    if isinstance(values[_TOKENS], list):
        values[_TOKENS] = _tokens(values[_TOKENS], bits)
    for place, kind in _PARTS:
        values[place] = values[place] and _made(kind, values[place])
    return _made(SessionRecord, values)


def _tokens(content: list[Any], bits: bytes) -> TokenSet:
    packed = [isinstance(one, list) for one in content]
    if not any(packed):
        return _made(TokenSet, content)
    *tokens, issued_at, expires_at = content
    shown = ["" if apart else one for apart, one in zip(packed, content, strict=True)]
    if len(shown) != len(_KINDS[TokenSet]) or not all(map(isinstance, shown, _KINDS[TokenSet])):
        raise TypeError("a value of another type")
    measure(tokens, bits)
    return TokenSet.later(partial(unpack, tokens, bits), issued_at, expires_at)


_TOKENS = _FIELDS[SessionRecord].index("tokens")
_PARTS: tuple[tuple[int, type], ...] = tuple(
    (_FIELDS[SessionRecord].index(name), kind)
    for name, kind in (
        ("person", Person),
        ("user_keys", AwsKeys),
        ("guest_keys", AwsKeys),
    )
)

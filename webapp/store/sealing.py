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
from dataclasses import asdict, dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from webapp.keyring import NONCE_BYTES, Key
from webapp.records import AwsKeys, Person, SessionRecord, TokenSet

FORMAT = 1
ID_BYTES = 16
SECRET_BYTES = 16
TICKET_BYTES = 1 + ID_BYTES + SECRET_BYTES
TICKET_CHARACTERS = 44
MAX_RECORD_BYTES = 32 * 1024


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

    def box(self, key: Key) -> AESGCM:
        """The box that opens with both halves, the browser's and the server's."""
        return AESGCM(hmac.digest(key.records, self.raw[1 + ID_BYTES :], "sha256"))


def seal(record: SessionRecord, ticket: Ticket, key: Key) -> bytes:
    """The record, sealed for this ticket.

    Raises ValueError when the record is larger than a store may be asked to hold.
    """
    plain = json.dumps(_plain(record), separators=(",", ":"), ensure_ascii=False).encode()
    if len(plain) > MAX_RECORD_BYTES:
        raise ValueError(f"a session record of {len(plain)} bytes is over the limit")
    nonce = os.urandom(NONCE_BYTES)
    bound = bytes((FORMAT,)) + ticket.place(key)
    return bytes((FORMAT,)) + nonce + ticket.box(key).encrypt(nonce, plain, bound)


def unseal(sealed: bytes, ticket: Ticket, key: Key) -> SessionRecord:
    """The record that `seal` put away. Raises Unopenable for anything else."""
    if len(sealed) < 1 + NONCE_BYTES + 16 or sealed[0] != FORMAT:
        raise Unopenable("unknown format")
    bound = bytes((FORMAT,)) + ticket.place(key)
    nonce = sealed[1 : 1 + NONCE_BYTES]
    try:
        plain = ticket.box(key).decrypt(nonce, sealed[1 + NONCE_BYTES :], bound)
        return _record(json.loads(plain))
    except InvalidTag:
        raise Unopenable("seal broken") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unopenable("unknown content") from error


def _plain(record: SessionRecord) -> dict[str, object]:
    return {name: value for name, value in asdict(record).items() if value is not None}


def _record(content: dict[str, object]) -> SessionRecord:
    parts: dict[str, type] = {
        "person": Person,
        "tokens": TokenSet,
        "user_keys": AwsKeys,
        "guest_keys": AwsKeys,
    }
    made = {
        name: parts[name](**_tuples(value)) if name in parts else value
        for name, value in content.items()
    }
    if "changed_claims" in made:
        made["changed_claims"] = tuple(made["changed_claims"])  # type: ignore[arg-type]
    return SessionRecord(**made)  # type: ignore[arg-type]


def _tuples(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("a part of the record is not an object")
    return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}

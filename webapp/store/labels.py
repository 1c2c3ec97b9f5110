"""Short facts that stand beside a sealed record, for those who do not hold its ticket.

A record opens only with its own ticket. What a person's list of sessions shows of another browser
is therefore kept apart: sealed with a key of the server and bound to the record's place, so that a
dump of the store shows nothing of it.
"""

import struct
from dataclasses import dataclass

from webapp.keyring import Key
from webapp.records import SessionRecord

_TIMES = struct.Struct(">qq")
CLIENT_BYTES = 40


@dataclass(frozen=True, slots=True)
class Label:
    """A session as its person may see it from another browser. Times are epoch seconds."""

    created_at: int
    seen_at: int
    client: str


def label_of(record: SessionRecord, key: Key, place: bytes) -> bytes:
    """The label of a record that lies at `place`."""
    times = _TIMES.pack(record.created_at, record.seen_at)
    return key.seal_label(times + record.client.encode()[:CLIENT_BYTES], place)


def read_label(sealed: bytes, keys: tuple[Key, ...], place: bytes) -> Label | None:
    """What `label_of` wrote under any of the keys; None for anything else."""
    opened = (key.open_label(sealed, place) for key in keys)
    plain = next((one for one in opened if one is not None), b"")
    if len(plain) < _TIMES.size:
        return None
    created_at, seen_at = _TIMES.unpack_from(plain)
    return Label(created_at, seen_at, plain[_TIMES.size :].decode("utf-8", "replace"))

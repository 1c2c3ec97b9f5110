"""The last calls that a person made in the console, in few bytes: facts, and nothing of a body.

They travel with the browser, sealed, in what room the cookie of the sign-ins leaves, so that a call
costs the store nothing (docs/decisions/0027-trail-of-calls.md). Who packs them says whose they are,
and another session finds none.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace

from webapp.records import SessionRecord

MOST = 10
LONGEST = 96
OWNER_BYTES = 8
_LARGEST = 16 * 1024


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call. `number` counts within the session, `at` is in epoch seconds, times in ms.

    `expected` is 0 where nobody could say, `role_arn` the role that signed, `rule` the word under
    which the backend decided, `size` the body's bytes, `digest` the beginning of its SHA-256.
    """

    number: int
    at: int
    endpoint: str
    address: str
    caller: str
    status: int
    expected: int
    role_arn: str
    rule: str
    kind: str
    size: int
    digest: str
    credentials: float
    signing: float
    network: float

    @property
    def milliseconds(self) -> float:
        """The whole call."""
        return self.credentials + self.signing + self.network


def owner_of(record: SessionRecord | None) -> bytes:
    """The mark of whose calls they are: a session's of one person, or a guest's; empty for none."""
    if record is None:
        return b""
    person = record.person
    whose = [person.issuer, person.subject] if person else []
    told = json.dumps([*whose, record.created_at])
    return hashlib.sha256(told.encode()).digest()[:OWNER_BYTES]


def with_call(calls: Sequence[PastCall], call: PastCall) -> list[PastCall]:
    """The calls with a new one in front, which gets the next number."""
    number = calls[0].number + 1 if calls else 1
    new = replace(call, number=number, address=call.address[:LONGEST])
    return [new, *calls][:MOST]


def packed(owner: bytes, calls: Sequence[PastCall], room: int) -> bytes:
    """The calls in at most `room` bytes, the oldest left out as need be; empty when none fits."""
    for count in range(len(calls) if owner else 0, 0, -1):
        rows = [_row(call) for call in calls[:count]]
        raw = owner + zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 9)
        if len(raw) <= room:
            return raw
    return b""


def unpacked(raw: bytes, owner: bytes) -> list[PastCall]:
    """The calls, newest first; none when they are somebody else's or of another release."""
    if not owner or raw[:OWNER_BYTES] != owner:
        return []
    try:
        rows = json.loads(zlib.decompressobj().decompress(raw[OWNER_BYTES:], _LARGEST))
        return [_call(row) for row in rows]
    except (zlib.error, ValueError, TypeError):
        return []


def _row(call: PastCall) -> list[object]:
    # Hundredths of a millisecond are what a page shows; the rest would only be bytes.
    return [round(part, 2) if isinstance(part, float) else part for part in astuple(call)]


def _call(row: list[object]) -> PastCall:
    if len(row) != len(fields(PastCall)):
        raise ValueError("another release wrote this")
    return PastCall(*row)  # type: ignore[arg-type]  # sealed by ourselves

"""What every session store can do. Times are epoch seconds; keys and payloads are opaque bytes.

The rules that all back ends keep:

* `create` never overwrites, not even the tombstone of a deleted record;
* `replace` changes a record only if it still stands at the version that the caller read;
* `delete` leaves a tombstone until the record would have ended, so nothing can bring it back;
* a claim is held by one owner until it ends, is renewed only by that owner, and anyone may take it
  after its end.

Every operation raises StoreUnavailable when the store does not answer within its deadline.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it lies in the store."""

    sealed: bytes = field(repr=False)
    version: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One of a person's records, as a list of them shows it: without what is sealed in it.

    `label` is what `create` or the last `replace` gave; what it says is the vault's affair.
    """

    key: bytes
    label: bytes = field(repr=False)
    expires_at: int


class Store(Protocol):
    """A place for sealed records."""

    def load(self, key: bytes, *, now: float) -> Stored | None:
        """The record, or None when there is none, it has ended, or it was deleted."""

    def create(
        self,
        key: bytes,
        sealed: bytes,
        *,
        expires_at: int,
        person: bytes | None,
        now: float,
        label: bytes = b"",
    ) -> bool:
        """Put a new record at version 1. False when the key is or was taken.

        `label` (at most 255 bytes) is what `listed` gives back without the record.
        """

    def replace(
        self, key: bytes, sealed: bytes, *, version: int, expires_at: int, label: bytes = b""
    ) -> bool:
        """Put the next version. False when the record is gone or no longer at `version`."""

    def delete(self, key: bytes, *, until: int) -> Stored | None:
        """Leave a tombstone until `until`; what stood there at that very moment, if anything."""

    def claim(self, name: bytes, owner: bytes, *, now: float, seconds: float) -> bool:
        """Take or renew a claim. False when another owner holds it."""

    def release(self, name: bytes, owner: bytes) -> None:
        """Give a claim back; nothing happens when it is not (or no longer) the owner's."""

    def listed(self, person: bytes, *, now: float) -> list[Listed]:
        """All living records of one person, in no order."""

    def purge(self, *, now: float, limit: int) -> int:
        """Remove up to `limit` ended rows; how many went."""

    def ping(self) -> None:
        """Prove that the store answers."""

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


class Store(Protocol):
    """A place for sealed records."""

    def load(self, key: bytes, *, now: float) -> Stored | None:
        """The record, or None when there is none, it has ended, or it was deleted."""

    def create(
        self, key: bytes, sealed: bytes, *, expires_at: int, person: bytes | None, now: float
    ) -> bool:
        """Put a new record at version 1. False when the key is or was taken."""

    def replace(self, key: bytes, sealed: bytes, *, version: int, expires_at: int) -> bool:
        """Put the next version. False when the record is gone or no longer at `version`."""

    def delete(self, key: bytes, *, until: int) -> Stored | None:
        """Leave a tombstone until `until`; what stood there at that very moment, if anything."""

    def claim(self, name: bytes, owner: bytes, *, now: float, seconds: float) -> bool:
        """Take or renew a claim. False when another owner holds it."""

    def release(self, name: bytes, owner: bytes) -> None:
        """Give a claim back; nothing happens when it is not (or no longer) the owner's."""

    def keys_of(self, person: bytes, *, now: float) -> list[bytes]:
        """The keys of all living records of one person."""

    def purge(self, *, now: float, limit: int) -> int:
        """Remove up to `limit` ended rows; how many went."""

    def ping(self) -> None:
        """Prove that the store answers."""

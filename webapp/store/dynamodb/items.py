"""What lies in the table: keys `k` and `s` (binary), TTL attribute `ttl` (epoch seconds).

kind        k            s     beside it
record      r + key      -     sealed, version, shown = its label, ttl = its end;
                               with a person: person, listed
tombstone   r + key      -     version, ttl
listing     p + person   key   ttl = `listed` of the record, never before the record's end
claim       c + name     -     holder, ends, ttl
"""

from collections.abc import Mapping
from typing import Any

from webapp.store.base import Listed, Stored

Item = Mapping[str, Any]
"""An item as boto3's client gives it: attribute to {type: value}."""
Key = dict[str, Any]

TTL = {"#ttl": "ttl"}  # a reserved word of DynamoDB's expressions
NOTHING: Key = {"k": {"B": b"ping"}, "s": {"B": b"-"}}
"""A key under which nothing ever lies."""


def record(key: bytes) -> Key:
    """The key of a record, and of the tombstone that follows it."""
    return {"k": {"B": b"r" + key}, "s": {"B": b"-"}}


def claim(name: bytes) -> Key:
    """The key of a claim."""
    return {"k": {"B": b"c" + name}, "s": {"B": b"-"}}


def listing(person: bytes, key: bytes) -> Key:
    """The key of the listing of one record under its person."""
    return {"k": {"B": b"p" + person}, "s": {"B": key}}


def number(value: float) -> dict[str, str]:
    """A number as DynamoDB takes it; parts of a second to the microsecond."""
    return {"N": str(value) if isinstance(value, int) else f"{value:.6f}"}


def stored(item: Item) -> Stored | None:
    """The record in an item; None for a tombstone, and for what we did not write."""
    try:
        return Stored(item["sealed"]["B"], int(item["version"]["N"]), int(item["ttl"]["N"]))
    except (KeyError, ValueError):
        return None


def lives(item: Item, person: bytes, now: float) -> bool:
    """Whether an item, read without what is sealed in it, is a living record of this person."""
    try:
        return bool(item["person"]["B"] == person and int(item["ttl"]["N"]) > now)
    except (KeyError, ValueError):
        return False


def listed(item: Item) -> Listed:
    """A living record, as a list shows it."""
    label = item.get("shown", {}).get("B", b"")
    return Listed(item["k"]["B"][1:], label, int(item["ttl"]["N"]))

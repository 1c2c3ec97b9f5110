"""How a record lies in Redis: a head that the store reads, and the sealed part that it does not."""

import struct
from typing import NamedTuple

_KIND = b"S"
_HEAD = struct.Struct(">cQqBB")  # kind, version, end, lengths of person's key and label
_HEADS = {_KIND: _HEAD, b"R": struct.Struct(">cQqB")}  # R: of before there were labels
BEGINNING = 9
"""Kind and version, which a replacement must find as they were read."""
LONGEST_HEAD = _HEAD.size + 2 * 255


class Head(NamedTuple):
    """What stands before the sealed part, which begins at `size`."""

    version: int
    expires_at: int
    person: bytes
    label: bytes
    size: int


def packed(version: int, expires_at: int, person: bytes, label: bytes, sealed: bytes) -> bytes:
    """A record as it is stored."""
    head = _HEAD.pack(_KIND, version, expires_at, len(person), len(label))
    return head + person + label + sealed


def head_of(value: bytes) -> Head | None:
    """The head of a stored value, or None where that is not of our making."""
    form = _HEADS.get(value[:1])
    if form is None or len(value) < form.size:
        return None
    _, version, expires_at, of_person, *of_label = form.unpack_from(value)
    middle = form.size + of_person
    size = middle + sum(of_label)
    return Head(version, expires_at, value[form.size : middle], value[middle:size], size)

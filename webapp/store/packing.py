"""Tokens as the bits that their letters stand for: a quarter less to keep.

A token is segments of base64url with dots between them (RFC 7515 section 3.1). Each letter is six
bits, so any run of letters can be put away as bits and comes back letter for letter, whether or not
the segments were encoded properly. What has other letters stays text.
"""

import base64
import string
from collections.abc import Sequence
from typing import Any

_LETTERS = f"{string.ascii_letters}{string.digits}-_.".encode()


def pack(values: Sequence[object]) -> tuple[list[object], bytes]:
    """The values with the lengths of its segments in the place of each token, and all the bits.

    No list may be among the values: `unpack` would take it for a token's lengths.
    """
    kept: list[object] = []
    run: list[str] = []
    for value in values:
        if isinstance(value, str) and not value.encode("utf-8", "replace").translate(
            None, _LETTERS
        ):
            segments = value.split(".")
            run += segments
            kept.append([len(one) for one in segments])
        else:
            kept.append(value)
    letters = "".join(run)
    return kept, base64.urlsafe_b64decode(letters + "A" * (-len(letters) % 4))


def _is_letters(text: str) -> bool:
    return not text.encode("utf-8", "replace").translate(None, _LETTERS)


def measure(values: Sequence[Any], bits: bytes) -> None:
    """Raise ValueError or TypeError unless `unpack` finds the letters that the lengths speak of."""
    lengths = [one for value in values if isinstance(value, list) for one in value]
    if {*map(type, lengths)} != {int} or min(lengths) < 0:
        raise TypeError("a length that is none")
    if (sum(lengths) + 3) // 4 * 3 != len(bits):
        raise ValueError("tokens of another length")


def unpack(values: Sequence[Any], bits: bytes) -> list[Any]:
    """What `pack` was given; of what it did not make, something else."""
    run = base64.urlsafe_b64encode(bits).decode()
    found: list[Any] = []
    at = 0
    for value in values:
        if isinstance(value, list):
            ends = [at := at + length for length in value]
            found.append(".".join(run[end - n : end] for end, n in zip(ends, value, strict=True)))
        else:
            found.append(value)
    return found

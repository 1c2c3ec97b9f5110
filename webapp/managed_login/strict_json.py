"""JSON as a security decision may read it: one meaning only, bounded, no surprises.

Repeated members, NaN and infinities, integers too long to convert and nesting too deep to walk are
refused (RFC 8259 sections 4 and 9 leave them open; RFC 7519 section 4 forbids repeated claims).
"""

import json
from typing import Any, NoReturn


class Malformed(ValueError):
    """Not JSON of the expected shape. The text never repeats the input."""


def loads_object(raw: bytes | str) -> dict[str, Any]:
    """The JSON object in `raw`. Raises Malformed for anything else."""
    try:
        value = json.loads(raw, object_pairs_hook=_unique, parse_constant=_constant)
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Malformed("a member is repeated")
    return made


def _constant(_: str) -> NoReturn:
    raise Malformed("not a JSON number")

"""JSON as a security decision may read it: one meaning only, bounded, no surprises.

Repeated members, NaN and infinities, integers too long to convert, nesting deeper than any document
of ours, lone surrogates and encodings other than UTF-8 are refused (RFC 8259 sections 4, 8 and 9
leave most of them open; RFC 7519 section 4 forbids repeated claims).
"""

import json
import math
from typing import Any, NoReturn

DEEPEST = 32


class Malformed(ValueError):
    """Not JSON of the expected shape. The text never repeats the input."""


def loads_object(raw: bytes | str) -> dict[str, Any]:
    """The JSON object in `raw`. Raises Malformed for anything else."""
    try:
        # The parser guesses the encoding of bytes, so it is handed text.
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite
        )
        if isinstance(raw, str) or "\\ud" in text.lower():
            # Fails on half a surrogate pair, which would break whoever writes the value next.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    _shallow(value)
    return value


def says_json(content_type: str | None) -> bool:
    """Whether an answer does not contradict that it is JSON (RFC 6749 5.1, OIDC Core 5.3.2)."""
    kind = (content_type or "application/json").partition(";")[0].strip().lower()
    return kind.endswith(("/json", "+json"))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Malformed("a member is repeated")
    return made


def _constant(_: str) -> NoReturn:
    raise Malformed("not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Malformed("a number too large")
    return number


def _shallow(value: dict[str, Any]) -> None:
    # What is parsed here may be walked again by recursion, from a deeper place in the program.
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [item for items in inner for item in items if isinstance(item, dict | list)]
        if not level:
            return
    raise Malformed("nested too deep")

"""What an API sent, made fit to be shown: always text, never trusted, never a crash."""

import json
import math
import re
from dataclasses import dataclass

LONGEST_SHOWN = 200_000
DEEPEST = 60

# What HTML does not allow in text: controls, halves of pairs, characters that are none.
_NO_TEXT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


@dataclass(frozen=True, slots=True)
class Body:
    """A body for people. `value` is the parsed JSON when `kind` is JSON."""

    kind: str
    plain: str = ""
    value: object = None

    @property
    def text(self) -> str:
        """The body as text; JSON is laid out only when somebody looks, and can see all of it."""
        if self.kind != "JSON" or self.plain:
            return self.plain
        return _bounded(json.dumps(self.value, indent=2, ensure_ascii=False))


def readable(raw: bytes, content_type: str, *, cut: bool = False) -> Body:
    """The body as text: pretty if it is sound JSON, a note if it is binary.

    One that was `cut` can be no JSON any more, and is not worth what a try would cost.
    """
    if not raw:
        return Body("empty")
    text = raw.decode("utf-8", "replace")
    if not cut and ("json" in content_type or raw[:1] in (b"{", b"[")):
        parsed = _json(raw, text)
        if parsed is not None:
            return parsed
    if _binary(raw, text):
        return Body("binary", f"binary, {len(raw):,} bytes")
    return Body("text", _bounded(text))


def _json(raw: bytes, text: str) -> Body | None:
    # Deep nesting is refused before the parser sees it: its recursion is not ours to spend.
    if raw.count(b"[") + raw.count(b"{") > 50_000 or _depth(raw) > DEEPEST:
        return None
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate cannot be sent
    except (ValueError, RecursionError):
        return None
    return Body("JSON", _bounded(text) if len(text) > LONGEST_SHOWN else "", value)


def _refuse(_: str) -> object:
    raise ValueError("not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number too large to keep")
    return number


def _depth(raw: bytes) -> int:
    """The deepest nesting if every bracket counted, strings included: never too low."""
    depth = deepest = 0
    for byte in raw.translate(None, _PLAIN):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


_PLAIN = bytes(set(range(256)) - set(b"[]{}"))


def _binary(raw: bytes, text: str) -> bool:
    odd = text.count("\ufffd") + sum(raw.count(byte) for byte in (b"\x00", b"\x01", b"\x02"))
    return odd * 10 > len(text)


def as_sent(raw: bytes) -> str:
    """The bytes as text just as they came, bounded: for who wants to see no layout of ours."""
    return _bounded(raw.decode("utf-8", "replace"))


def shown(text: str) -> str:
    """The text as a page may hold it: a mark for every character that HTML does not allow."""
    return _NO_TEXT.sub("\ufffd", text)


def _bounded(text: str) -> str:
    clean = shown(text[:LONGEST_SHOWN])
    return clean if len(text) <= LONGEST_SHOWN else clean + "\n… (cut)"

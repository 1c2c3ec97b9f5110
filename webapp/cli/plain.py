"""Text from elsewhere as a terminal may show it: a name or an answer must not steer it."""

import json
import re
import unicodedata
from collections.abc import Mapping

_UNSEEN = re.compile(r"[^ -~]")


def plain(text: object) -> str:
    """One line: what cannot be seen, such as an escape sequence or a turn of direction, is named.

    A line break becomes `\\n`, ESC becomes `\\x1b`.
    """
    return "".join(one if one.isprintable() else _named(one) for one in str(text))


def one_line(content: Mapping[str, object]) -> str:
    """The content as one line of JSON; what cannot be seen is escaped, and means the same."""
    return _UNSEEN.sub(_escaped, json.dumps(content, ensure_ascii=False, default=str))


def cells(text: str) -> int:
    """How many columns of a terminal the text takes (Unicode Annex 11)."""
    return sum(_columns(one) for one in text)


def _named(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

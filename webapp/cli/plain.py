"""Text from elsewhere as a terminal may show it: a name or an answer must not steer it."""

import unicodedata


def plain(text: object) -> str:
    """One line: what cannot be seen, such as an escape sequence or a turn of direction, is named.

    A line break becomes `\\n`, ESC becomes `\\x1b`.
    """
    return "".join(one if one.isprintable() else _named(one) for one in str(text))


def cells(text: str) -> int:
    """How many columns of a terminal the text takes (Unicode Annex 11)."""
    return sum(_columns(one) for one in text)


def _named(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

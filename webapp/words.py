"""Sentences for people that are written in Python and shown in the language of who reads them.

`say` marks a sentence: templates print it with `_`, in the reader's language; JSON, the command
line and the log print it as it is, in English.
"""

from functools import cache


class Saying(str):
    """A sentence in English that a template can print in another language.

    As a string it is the whole English sentence. `msgid` is the sentence before its values were put
    in, under which catalogues have it; `values` are those that stand in it by name.
    """

    __slots__ = ("msgid", "values")

    msgid: str
    values: dict[str, object]

    def __new__(cls, msgid: str, values: dict[str, object]) -> "Saying":
        """Put the values into the sentence. Raises KeyError for one that is missing."""
        saying = super().__new__(cls, filled(msgid, values))
        saying.msgid = msgid
        saying.values = values
        return saying

    def __repr__(self) -> str:
        # A value may be anything; what is logged by accident shall be the constant part alone.
        return f"Saying({self.msgid!r})"


def say(msgid: str, /, **values: object) -> Saying:
    """Mark a sentence for translation; its values stand in it as `%(name)s`.

    The sentence must be a constant: a test collects them all from the source.
    """
    return Saying(msgid, values) if values else _constant(msgid)


@cache
def _constant(msgid: str) -> Saying:
    # Constants of the source, so there are only so many; most are asked for by every page.
    return Saying(msgid, {})


def filled(text: str, values: dict[str, object]) -> str:
    """A sentence with its values put in; one without values is taken as it is."""
    return text % values if values else text

"""The languages of our own pages: which are spoken, what they say, and which a person chose.

English is in the templates and the code; the others are in webapp/texts, one catalogue each, from
the English sentence to the other. What a catalogue lacks is said in English.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from webapp.sessions import Sessions
from webapp.words import Saying, filled

TEXTS = Path(__file__).resolve().parent.parent / "texts"
ENGLISH = "en"
# Each under its own name; a code is the one that Managed Login's `lang` takes.
TONGUES = {ENGLISH: "English", "de": "Deutsch", "fr": "Français"}
# What stands between thousands; in French a narrow space at which no line breaks.
GROUPING = {ENGLISH: ",", "de": ".", "fr": "\u202f"}

_BLANKS = re.compile(r"[ \t\n]+")


def evenly(text: str) -> str:
    """A sentence as catalogues have it: however it was broken into lines."""
    return _BLANKS.sub(" ", text).strip(" ")


@cache
def catalogue(code: str) -> dict[str, str]:
    """The sentences of a language by the English ones. Empty for English."""
    if code == ENGLISH:
        return {}
    with (TEXTS / f"{code}.toml").open("rb") as file:
        return {str(said): str(text) for said, text in tomllib.load(file).items()}


class Tongue:
    """Says in one language what is known only while a page is made."""

    def __init__(self, code: str) -> None:
        self.code = code
        self._texts = catalogue(code)

    def constant(self, msgid: str) -> str:
        """A sentence, its values still to come."""
        msgid = evenly(msgid)
        return self._texts.get(msgid, msgid)

    def __call__(self, text: object, /, **values: object) -> object:
        """A sentence, or several one after the other; what is no text is given back as it is.

        Nothing is marked as safe here: the template escapes the whole.
        """
        if isinstance(text, Saying):
            return self._said(text)
        if isinstance(text, str):
            return filled(self._texts.get(text, text), values)
        if isinstance(text, tuple):
            return " ".join(str(self(one)) for one in text)
        return text

    def number(self, number: int) -> str:
        """A whole number as this language groups its digits."""
        return f"{number:,}".replace(",", GROUPING[self.code])

    def _said(self, saying: Saying) -> str:
        text = self._texts.get(saying.msgid)
        if text is None:
            return str(saying)
        if not saying.values:
            return text
        return text % {name: self(value) for name, value in saying.values.items()}


class Choice:
    """The language that a browser chose. It travels with its other cookie, as a plain code."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def chosen(self) -> str | None:
        """The language that this request's browser chose, if it did and we speak it."""
        code = self._sessions.language()
        return code if code in TONGUES else None

"""What a step of the guided tour is made of: something to do, and what is to be seen then.

Each move says the same thing twice: in a sentence for people, and as an act that a test can carry
out. Both are made of the same names, so neither can change alone.
"""

from dataclasses import dataclass
from typing import Literal

from webapp.words import Saying, say

Kind = Literal[
    "press",
    "open",
    "place",
    "unfold",
    "call",
    "call_next",
    "cell",
    "sign_in",
    "leave",
    "choose",
    "fill",
]
ALL_ENDPOINTS = say("All endpoints")
"""The way from an answer back to the console."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something to do. `name` is the accessible name of what is pressed, `at` where that is."""

    kind: Kind
    name: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """One thing to do and what is to be seen then.

    `shows` are words that stand in the page then, in English.
    """

    do: Saying
    act: Act
    see: Saying
    shows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One of the nine. `place` is the page where it begins, `signed_in` who it is for.

    `pages` are all pages that it leads over, each with whether somebody is signed in there.
    """

    number: int
    title: Saying
    place: str
    signed_in: bool
    moves: tuple[Move, ...]
    tell: Saying
    pages: tuple[tuple[str, bool], ...]


def press(name: Saying, see: Saying, *shows: str) -> Move:
    """Press a button or a link in the page."""
    return Move(say("Press %(name)s.", name=name), Act("press", name), see, shows)


def place(name: Saying, see: Saying, *shows: str) -> Move:
    """Open one of the main places, at the top of every page."""
    return Move(say("At the top press %(name)s.", name=name), Act("place", name), see, shows)


def open_page(path: str, see: Saying, *shows: str) -> Move:
    """Type an address of the application."""
    return Move(
        say("Go to %(path)s by typing it behind the address of the application.", path=path),
        Act("open", path),
        see,
        shows,
    )


def unfold(name: Saying, see: Saying, *shows: str) -> Move:
    """Open a part of the page that is folded."""
    return Move(say("Unfold %(name)s.", name=name), Act("unfold", name), see, shows)


def call(path: str, caller: Saying, see: Saying, *shows: str) -> Move:
    """Knock at an endpoint of the console."""
    return Move(
        say("At %(path)s press %(caller)s.", path=path, caller=caller),
        Act("call", caller, path),
        see,
        shows,
    )


def call_next(path: str, caller: Saying, see: Saying, *shows: str) -> Move:
    """Go back from an answer to the console, and knock at another endpoint."""
    do = say(
        "Press %(back)s, then at %(path)s press %(caller)s.",
        back=ALL_ENDPOINTS,
        path=path,
        caller=caller,
    )
    return Move(do, Act("call_next", caller, path), see, shows)


def cell(path: str, caller: Saying, see: Saying, *shows: str) -> Move:
    """Open one call of the access matrix."""
    do = say("Press the cell at %(path)s under %(caller)s.", path=path, caller=caller)
    return Move(do, Act("cell", caller, path), see, shows)


def sign_in(email: str, password: str, see: Saying, *shows: str) -> Move:
    """Answer Managed Login's question."""
    return Move(
        say("Sign in as %(email)s with the password %(password)s.", email=email, password=password),
        Act("sign_in", email, password),
        see,
        shows,
    )


def leave(depth: Saying, see: Saying, *shows: str) -> Move:
    """Take one of the four ways out."""
    return Move(
        say("Open the menu with your name, top right, and press %(depth)s.", depth=depth),
        Act("leave", depth),
        see,
        shows,
    )


def choose(option: Saying, label: Saying, see: Saying, *shows: str) -> Move:
    """Choose one of a list."""
    return Move(
        say("Choose %(option)s under %(label)s.", option=option, label=label),
        Act("choose", option, label),
        see,
        shows,
    )


def fill(text: str, label: Saying, see: Saying, *shows: str) -> Move:
    """Type something into a field."""
    return Move(
        say("Type %(text)s into %(label)s.", text=text, label=label),
        Act("fill", text, label),
        see,
        shows,
    )

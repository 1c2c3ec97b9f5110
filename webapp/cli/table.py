"""Tables for people: columns as wide as they need to be, folded where the terminal is narrow.

Where nobody sees it (a pipe, a file, NO_COLOR, TERM=dumb) there is no colour; where there is no
terminal a row stays one line, so that `grep` finds all of it.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

import click

from webapp.cli.plain import cells, plain

GAP = "  "
NARROWEST = 8
"""No column is folded to less."""
_MARKS = "-/:@,."


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a colour of click's, such as "red"; `beneath` is a line of its own below it."""

    text: str
    colour: str | None = None
    beneath: str = ""


Value = Cell | str | int | None
GOOD, BAD, DOUBTFUL = "green", "red", "yellow"


def colourful(stream: TextIO | None = None) -> bool:
    """Whether colour is wanted there: a terminal, and nobody said no (no-color.org)."""
    stream = stream or sys.stdout
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty()


def painted(text: str, colour: str | None, *, strong: bool = False) -> str:
    """The text in a colour for standard output, if that is wanted there."""
    if not text or not (colour or strong) or not colourful():
        return text
    return click.style(text, fg=colour, bold=strong or None)


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Value]], *, width: int | None = None
) -> str:
    """The rows under their heads; `width` is the terminal's, found out when it is not given."""
    body = [[_cell(value) for value in row] for row in rows]
    lines = [[Cell(head) for head in heads], *body]
    widths = _widths(lines, _terminal() if width is None else width)
    told = [_lines(lines[0], widths, strong=True)]
    return "\n".join([*told, *(_lines(line, widths) for line in body)])


def pairs(rows: Iterable[tuple[str, Value]], *, width: int | None = None) -> str:
    """Names and values beneath each other, without heads."""
    body = [[Cell(name), _cell(value)] for name, value in rows]
    widths = _widths(body, _terminal() if width is None else width)
    return "\n".join(_lines(line, widths) for line in body)


def _cell(value: Value) -> Cell:
    cell = value if isinstance(value, Cell) else Cell("-" if value in (None, "") else str(value))
    return Cell(plain(cell.text), cell.colour, plain(cell.beneath))


def _terminal() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _widths(lines: Sequence[Sequence[Cell]], room: int | None) -> list[int]:
    widths = [
        max(max(cells(line[at].text), cells(line[at].beneath)) for line in lines)
        for at in range(len(lines[0]))
    ]
    if room is None:
        return widths
    most = room - len(GAP) * (len(widths) - 1)
    while sum(widths) > most and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1  # the widest gives way, so the others stay whole
    return widths


def _lines(line: Sequence[Cell], widths: Sequence[int], *, strong: bool = False) -> str:
    folded = [_parts(cell, width) for cell, width in zip(line, widths, strict=True)]
    deep = max(len(parts) for parts in folded)
    rows = []
    for at in range(deep):
        texts = [parts[at] if at < len(parts) else "" for parts in folded]
        padded = [
            painted(text, cell.colour, strong=strong) + " " * (width - cells(text))
            for text, cell, width in zip(texts, line, widths, strict=True)
        ]
        rows.append(GAP.join(padded).rstrip())
    return "\n".join(rows)


def _parts(cell: Cell, width: int) -> list[str]:
    beneath = _folded(cell.beneath, width) if cell.beneath else []
    return [*_folded(cell.text, width), *beneath]


def _folded(text: str, width: int) -> list[str]:
    """The text in pieces of at most so many columns, cut at a blank or behind a mark if it can."""
    pieces = []
    while cells(text) > width:
        end = _fits(text, width)
        blank = text.rfind(" ", 1, end + 1)
        mark = max(text.rfind(one, 1, end) for one in _MARKS) + 1
        cut = next((one for one in (blank, mark) if one > width // 2), end)
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text]


def _fits(text: str, width: int) -> int:
    end = 1
    while end < len(text) and cells(text[: end + 1]) <= width:
        end += 1
    return end

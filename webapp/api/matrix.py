"""The access matrix as facts: every endpoint as everybody, expected beside got."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from webapp.api.identities import Caller
from webapp.api.rows import Row
from webapp.api.standing import Standing

Verdict = Literal["not called", "as expected", "different", "nothing expected", "no answer"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a call has no answer: a stable code and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One call. Without a `status` it was not made, or `trouble` says why there is no answer.

    `milliseconds` is the time of the round trip.
    """

    row: Row
    caller: Caller
    expected: int | None
    status: int | None = None
    milliseconds: float | None = None
    role_arn: str | None = None
    request_id: str | None = None
    trouble: Trouble | None = None

    @property
    def verdict(self) -> Verdict:
        """What the call showed."""
        if self.trouble is not None:
            return "no answer"
        if self.status is None:
            return "not called"
        if self.expected is None:
            return "nothing expected"
        return "as expected" if self.status == self.expected else "different"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A line of cells for each row, in the order of the callers.

    `seconds` is the wall time of the run; None before one.
    """

    callers: tuple[Caller, ...]
    lines: tuple[tuple[Cell, ...], ...]
    seconds: float | None = None

    def __iter__(self) -> Iterator[Cell]:
        """Every cell, row by row."""
        return (cell for line in self.lines for cell in line)

    @property
    def wrong(self) -> tuple[Cell, ...]:
        """The cells that are not as expected, or have no answer."""
        return tuple(cell for cell in self if cell.verdict in ("different", "no answer"))

    @property
    def unknown(self) -> tuple[Cell, ...]:
        """The answered cells of which nobody can say what to expect."""
        return tuple(cell for cell in self if cell.verdict == "nothing expected")

    @property
    def all_as_expected(self) -> bool:
        """Whether all was called, and nothing came out otherwise than expected."""
        return self.seconds is not None and not self.wrong


def planned(rows: Sequence[Row], callers: Sequence[Caller], person: Standing | None) -> Matrix:
    """What is to be expected, before anything is called."""
    lines = tuple(
        tuple(Cell(row, one, row.endpoint.expects(one, person, row.values)) for one in callers)
        for row in rows
    )
    return Matrix(tuple(callers), lines)

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


def counts(matrix: Matrix) -> dict[str, int]:
    """How many cells there are, and how they came out."""
    cells = list(matrix)
    return {
        "all": len(cells),
        "as_expected": sum(cell.verdict == "as expected" for cell in cells),
        "wrong": len(matrix.wrong),
        "unknown": len(matrix.unknown),
    }


def matrix_json(matrix: Matrix) -> dict[str, object]:
    """The matrix for programs, pages and command line; docs/reference/addresses.md has the form."""
    return {
        "callers": [{"name": str(one), "label": one.label} for one in matrix.callers],
        "cells": [_cell_json(cell) for cell in matrix],
        "counts": counts(matrix),
        "all_as_expected": matrix.all_as_expected if matrix.seconds is not None else None,
        "seconds": None if matrix.seconds is None else round(matrix.seconds, 3),
    }


def _cell_json(cell: Cell) -> dict[str, object]:
    endpoint, trouble = cell.row.endpoint, cell.trouble
    return {
        "endpoint": endpoint.name,
        "method": endpoint.method,
        "address": cell.row.address,
        "identity": str(cell.caller),
        "expected": cell.expected,
        "status": cell.status,
        "verdict": cell.verdict,
        "milliseconds": None if cell.milliseconds is None else round(cell.milliseconds, 2),
        "role": cell.role_arn,
        "request_id": cell.request_id,
        "error": {"code": trouble.code, "message": trouble.sentence} if trouble else None,
    }

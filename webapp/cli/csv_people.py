"""A CSV file of people, read and no more (RFC 4180; UTF-8, with or without a byte order mark)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from webapp.errors import BadInput

LARGEST_BYTES = 50 * 1024 * 1024
EMAIL, GROUPS, PASSWORD = "email", "groups", "temporary_password"


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the file; `number` is that of the file's line, `odd` what is wrong with it."""

    number: int
    email: str
    attributes: Mapping[str, str]
    groups: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    odd: str | None = None


def read_people(file: Path) -> list[Line]:
    """The people in the file. Raises BadInput when it is no such file at all."""
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise BadInput("The file is larger than 50 MB; cut it into several.")
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            heads = _heads(next(reader, []))
            return [
                _line(reader.line_num, heads, row)
                for row in reader
                if any(value.strip() for value in row)
            ]
    except UnicodeDecodeError:
        raise BadInput("The file is not UTF-8; save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise BadInput(f"The file is not CSV: {error}, near line {reader.line_num}.") from None
    except OSError as error:
        raise BadInput(f"The file cannot be read: {error.strerror}.") from None


def _heads(row: list[str]) -> list[str]:
    heads = [head.strip() for head in row]
    twice = sorted({head for head in heads if heads.count(head) > 1})
    if EMAIL not in heads:
        raise BadInput("The first line must name the columns, and `email` among them.")
    if twice or "" in heads:
        raise BadInput(f"The first line names a column twice or not at all: {', '.join(twice)}.")
    return heads


def _line(number: int, heads: list[str], row: list[str]) -> Line:
    if len(row) != len(heads):
        odd = f"{len(row)} values, where the first line names {len(heads)} columns"
        return Line(number, row[0].strip() if row else "", {}, odd=odd)
    values = dict(zip(heads, (value.strip() for value in row), strict=True))
    email = values.pop(EMAIL)
    groups = tuple(dict.fromkeys(filter(None, map(str.strip, values.pop(GROUPS, "").split(";")))))
    password = values.pop(PASSWORD, "") or None
    attributes = {name: value for name, value in values.items() if value}
    return Line(number, email, attributes, groups, password)

"""A person's list in SQLite: found by an index that keeps only the beginning of a person's key."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from webapp.store.sqlite import LISTED, SqliteStore

NOW, LATER = 1_800_000_000, 1_800_003_600
OF_AN_EARLIER_RELEASE = """
CREATE TABLE sessions (
    key BLOB PRIMARY KEY, version INTEGER NOT NULL, sealed BLOB, person BLOB,
    expires_at INTEGER NOT NULL
);
CREATE INDEX sessions_by_person ON sessions (person) WHERE person IS NOT NULL;
"""


@pytest.mark.parametrize("before", ["", OF_AN_EARLIER_RELEASE], ids=["a new file", "an old one"])
def test_a_persons_list_reads_no_row_of_anybody_else(tmp_path: Path, before: str) -> None:
    """Also in a file whose index an earlier release made."""
    path = tmp_path / "sessions.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(before)
    SqliteStore(path)
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {LISTED}", (b"", NOW)).fetchall()
    assert [row[3].split("(")[0] for row in plan] == [
        "SEARCH sessions USING INDEX sessions_by_person "
    ]


def test_persons_whose_keys_begin_alike_have_lists_of_their_own(tmp_path: Path) -> None:
    """The eight bytes of the index are not the whole name."""
    store = SqliteStore(tmp_path / "sessions.db")
    ann, bob = b"alike---" + b"a" * 24, b"alike---" + b"b" * 24
    for number, person in enumerate((ann, bob, ann)):
        place = number.to_bytes(32, "big")
        assert store.create(place, b"x", expires_at=LATER, person=person, now=NOW)
    assert [len(store.listed(person, now=NOW)) for person in (ann, bob)] == [2, 1]

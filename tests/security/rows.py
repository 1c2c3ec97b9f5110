"""What lies in the session file, read past the application."""

import sqlite3
from contextlib import closing
from pathlib import Path


def living(path: Path, now: float) -> int:
    """How many sessions are alive at this time."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT count(*) FROM sessions WHERE length(sealed) > 0 AND expires_at > ?", (now,)
        ).fetchone()
    return int(found[0])


def rows(path: Path, table: str = "sessions") -> int:
    """How many rows a table has, tombstones included; words between hosts are no rows."""
    statements = {
        "sessions": "SELECT count(*) FROM sessions WHERE sealed IS NULL OR length(sealed) > 0",
        "claims": "SELECT count(*) FROM claims",
    }
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(statements[table]).fetchone()[0])


def dump(path: Path) -> bytes:
    """Every byte that a thief of the store's files would have."""
    return b"".join(
        file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")) if file.is_file()
    )

"""What lies in the session file, read past the application."""

import sqlite3
from contextlib import closing
from pathlib import Path

# What processes keep for themselves lies beside the sessions: errands by their names, words about
# keys (webapp/store/keyroll.py) and recalls with nothing sealed, and the turns of the chores.
_STATEMENTS = {
    "sessions": "SELECT count(*) FROM sessions WHERE"
    " (sealed IS NULL OR length(sealed) > 0) AND substr(key, 1, 7) != x'657272616e642f'",
    "claims": "SELECT count(*) FROM claims WHERE name <> x'7075726765'"
    " AND substr(name, 1, 8) <> x'657272616e64732f'",
}


def living(path: Path, now: float) -> int:
    """How many sessions are alive at this time."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            _STATEMENTS["sessions"] + " AND sealed IS NOT NULL AND expires_at > ?", (now,)
        ).fetchone()
    return int(found[0])


def rows(path: Path, table: str = "sessions") -> int:
    """How many rows a table has for people's sake, tombstones included."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(_STATEMENTS[table]).fetchone()[0])


def dump(path: Path) -> bytes:
    """Every byte that a thief of the store's files would have."""
    return b"".join(
        file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")) if file.is_file()
    )

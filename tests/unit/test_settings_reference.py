"""docs/reference/settings.md says all that there is to set, and nothing else."""

import re
from pathlib import Path

from webapp.settings import KNOWN, Settings

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"


def test_every_setting_is_documented() -> None:
    """The reference has a row for each variable that is read, and for no other."""
    text = REFERENCE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)
    assert sorted(rows) == sorted(KNOWN)


def test_documented_defaults_are_true() -> None:
    """The defaults in the reference are those of the program."""
    text = REFERENCE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]*?) \|", text, re.MULTILINE))
    for name in KNOWN:
        value = Settings.model_fields[name.lower()].default
        if isinstance(value, tuple) and value:
            value = " ".join(value)
        if isinstance(value, bool):
            value = str(value).lower()
        if isinstance(value, str | int):
            assert rows[name].strip("`") == str(value), name
        elif value in (None, ()):
            assert not rows[name].startswith("`") or "/" in rows[name] or "AWS" in rows[name], name

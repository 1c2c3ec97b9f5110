"""From the environment, files and `.env` to a table of texts; problems are noted, not raised."""

from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from webapp.records import SettingSource

PREFIXES = ("APP_", "COGNITO_", "SESSION_")


def read_dotenv(path: Path | None, problems: list[str]) -> dict[str, str]:
    """What a `.env` file says; nothing when there is none."""
    if path is None or not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError):
        problems.append(f"{path} cannot be read as text; check it")
        return {}
    problems += [
        f"{path} line {one.original.line} is not of the form NAME=value"
        for one in bindings
        if one.error
    ]
    return {one.key: one.value for one in bindings if one.key and one.value}


def read_table(
    values: Mapping[str, str], known: tuple[str, ...], problems: list[str]
) -> dict[str, str]:
    """The known settings by field name, each from its variable or from the file that one names."""
    table: dict[str, str] = {}
    for name in known:
        path = values.get(f"{name}_FILE")
        if path and name in values:
            problems.append(f"{name} and {name}_FILE are both set; keep one of them")
        if path:
            try:
                table[name.lower()] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                problems.append(f"{name}_FILE names a file that cannot be read as text; check it")
        elif name in values:
            table[name.lower()] = values[name].strip()
    allowed = {*known, *(f"{name}_FILE" for name in known)}
    for name in values:
        if name.startswith(PREFIXES) and name not in allowed:
            problems.append(f"{name} is not a setting of Portico{_nearest(name, known)}")
    return table


def sources(
    known: tuple[str, ...], environ: Mapping[str, str], written: Mapping[str, str]
) -> dict[str, SettingSource]:
    """Where each setting that is set came from; `written` is what the `.env` file says.

    For sound settings only: of a variable and its file no more than one is set.
    """
    found = {}
    for name in known:
        for variable in (name, f"{name}_FILE"):
            if environ.get(variable):
                found[name] = SettingSource("environment", variable)
            elif variable in written:
                found[name] = SettingSource(".env", variable)
    return found


def _nearest(name: str, known: tuple[str, ...]) -> str:
    from_same_family = [one for one in known if one.startswith(name.split("_")[0])]
    close = [one for one in from_same_family if _distance(one, name) <= 3]
    return f"; did you mean {close[0]}?" if close else "; take it out or correct its name"


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]

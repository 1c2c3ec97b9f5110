"""The people that an account is proved with: from a file, or from the environment itself.

LIVE_PEOPLE is the path of a JSON or TOML file, or such a JSON document. No repr holds a
password, and no function of this folder takes one as an argument: a failing test prints arguments.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = "LIVE_PEOPLE"
PAGE = "docs/how-to/prove-a-real-account.md"
_FIELDS = {"email", "password", "groups"}


class NotReady(Exception):
    """The account cannot be proved yet; the text is one sentence with the cure."""


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in, and the groups that the ID token will name."""

    email: str
    password: str = field(repr=False)
    groups: tuple[str, ...] = ()


def read_people(environ: Mapping[str, str], folder: Path) -> tuple[Person, ...]:
    """The people that LIVE_PEOPLE names; a path counts from `folder`. Raises NotReady."""
    given = environ.get(VARIABLE, "").strip()
    if not given:
        raise NotReady(
            f"No people to sign in as: put the path of a file with them into {VARIABLE}, as {PAGE}"
            " says."
        )
    if given.startswith(("{", "[")):
        return _people(_read(given, VARIABLE, toml=False), VARIABLE)
    path = folder / Path(given).expanduser()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise NotReady(f"{VARIABLE} names {path}, which cannot be read; {PAGE} says how.") from None
    return _people(_read(text, str(path), toml=path.suffix == ".toml"), str(path))


def _read(text: str, source: str, *, toml: bool) -> Any:
    try:
        return tomllib.loads(text) if toml else json.loads(text)
    except (ValueError, RecursionError):
        kind = "TOML" if toml else "JSON"
        raise NotReady(f"{source} is not {kind}; {PAGE} shows the form.") from None


def _people(document: Any, source: str) -> tuple[Person, ...]:
    entries = document.get("people") if isinstance(document, dict) else document
    if not isinstance(entries, list) or not entries:
        raise NotReady(f"{source} has no list of people; {PAGE} shows the form.")
    people = tuple(_person(entry, f"{source}, person {n}") for n, entry in enumerate(entries, 1))
    if len({person.email.casefold() for person in people}) < len(people):
        raise NotReady(f"{source} names somebody twice; leave one of the two out.")
    return people


def _person(entry: Any, where: str) -> Person:
    if not isinstance(entry, dict) or not {"email", "password"} <= entry.keys() <= _FIELDS:
        raise NotReady(f"{where}: give email, password and perhaps groups, and nothing else.")
    groups = entry.get("groups", [])
    texts = (entry["email"], entry["password"])
    if not all(isinstance(text, str) and text for text in texts):
        raise NotReady(f"{where}: email and password are texts that are not empty.")
    if not isinstance(groups, list) or not all(isinstance(name, str) for name in groups):
        raise NotReady(f"{where}: groups is a list of names, as the ID token will hold them.")
    return Person(entry["email"], entry["password"], tuple(groups))

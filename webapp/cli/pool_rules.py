"""What a user pool demands of a person, and what is wrong with the lines of a file by that.

From DescribeUserPool: the schema of attributes and the password policy (AWS: SchemaAttributeType,
PasswordPolicyType). What it lets through, AWS may still refuse; then that line alone fails.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webapp.cli.csv_people import Line

_EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,64}@[^\s@\x00-\x1f]{1,255}")
_SYMBOLS = frozenset("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ")
_NOT_TO_SET = {"sub", "identities", "updated_at"}
_PROOFS = ("email_verified", "phone_number_verified")
_CLASSES = (
    ("RequireUppercase", str.isupper, "an upper case letter"),
    ("RequireLowercase", str.islower, "a lower case letter"),
    ("RequireNumbers", str.isdigit, "a digit"),
    ("RequireSymbols", _SYMBOLS.__contains__, "a symbol"),
)

Problem = tuple[int, str]


@dataclass(frozen=True)
class PoolRules:
    """The rules of one pool; `attributes` is its schema by name."""

    attributes: Mapping[str, Mapping[str, Any]]
    password: Mapping[str, Any]
    groups: frozenset[str]

    def problems_of(self, lines: list[Line], password: str | None) -> list[Problem]:
        """Everything that is wrong, with the number of its line.

        `password` is the first one of those whose line has none.
        """
        if not lines:
            return [(1, "there is nobody in the file")]
        found: list[Problem] = []
        seen: dict[str, int] = {}
        for line in lines:
            found += [(line.number, what) for what in self._of_line(line)]
            if first_password := line.password or password:
                found += [(line.number, what) for what in self.weaknesses(first_password)]
            first = seen.setdefault(line.email.casefold(), line.number)
            if first != line.number:
                found.append((line.number, f"{line.email} is in line {first} already"))
        return found

    def weaknesses(self, password: str) -> list[str]:
        """By which rules of the pool the password is too weak; never what it is."""
        least = int(self.password.get("MinimumLength", 8))
        lacks = [f"at least {least} characters"] if len(password) < least else []
        lacks += [
            what
            for rule, fits, what in _CLASSES
            if self.password.get(rule) and not any(map(fits, password))
        ]
        return [f"the temporary password needs {', '.join(lacks)}"] if lacks else []

    def _of_line(self, line: Line) -> Iterable[str]:
        if line.odd:
            yield line.odd
            return
        if not _EMAIL.fullmatch(line.email):
            yield "email is not an address" if line.email else "email is empty"
        for group in line.groups:
            if group not in self.groups:
                yield f"there is no group {group}"
        for name, value in line.attributes.items():
            yield from self._of_attribute(name, value)

    def _of_attribute(self, name: str, value: str) -> Iterable[str]:
        schema = self.attributes.get(name)
        if name in _NOT_TO_SET or schema is None:
            known = ", ".join(sorted(set(self.attributes) - _NOT_TO_SET))
            yield f"there is no column {name}; there are: groups, temporary_password, {known}"
            return
        kind = schema.get("AttributeDataType", "String")
        if name in _PROOFS or kind == "Boolean":
            if value not in ("true", "false"):
                yield f"{name} is true or false"
        elif kind == "Number":
            if not re.fullmatch(r"-?\d{1,20}", value):
                yield f"{name} is a number"
        else:
            bounds = schema.get("StringAttributeConstraints") or {}
            least, most = int(bounds.get("MinLength", 0)), int(bounds.get("MaxLength", 2048))
            if not least <= len(value) <= most:
                yield f"{name} has {len(value)} characters, and may have {least} to {most}"
            if not value.isprintable():
                yield f"{name} holds a character that cannot be seen"


def rules_of(described: Mapping[str, Any], groups: Iterable[str]) -> PoolRules:
    """The rules of the pool that DescribeUserPool described."""
    return PoolRules(
        attributes={str(one["Name"]): one for one in described.get("SchemaAttributes", [])},
        password=described.get("Policies", {}).get("PasswordPolicy", {}),
        groups=frozenset(groups),
    )

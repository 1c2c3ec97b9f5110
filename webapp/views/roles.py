"""Which rule gave a person their role, and what each of their roles may do (AWS: Role-based access
control for identity pools)."""

from dataclasses import dataclass, replace

from webapp.api.identities import role_name
from webapp.api.matrix import Matrix
from webapp.api.rows import Row
from webapp.api.standing import DEFAULT_ROLE, role_key
from webapp.records import Person, SessionRecord
from webapp.signin.matrix import AccessMatrix
from webapp.words import Saying, say

CHOSEN, PREFERRED, MAPPING, AMBIGUOUS, DEFAULT = (
    "chosen",
    "preferred",
    "mapping",
    "ambiguous",
    "default",
)
WHY: dict[str, Saying] = {
    CHOSEN: say("You chose it among the roles in your ID token (CustomRoleArn)."),
    PREFERRED: say(
        "The ID token names a preferred role: that of your group with the lowest precedence."
    ),
    MAPPING: say(
        "AWS names a role that your ID token does not ask for, so a mapping rule of the identity"
        " pool chose it by a claim."
    ),
    AMBIGUOUS: say(
        "Your groups have several roles of equal precedence, so the token prefers none and the"
        " pool falls back to its rule for ambiguous cases: the default authenticated role."
    ),
    DEFAULT: say(
        "None of your groups has a role, so the pool gives its default authenticated role."
    ),
}
RULES: tuple[tuple[str, Saying, Saying], ...] = (
    (
        CHOSEN,
        say("A choice"),
        say("You ask for one of the roles in cognito:roles. The pool refuses every other."),
    ),
    (
        PREFERRED,
        say("Precedence"),
        say("The token's cognito:preferred_role: of the group with the lowest precedence."),
    ),
    (
        MAPPING,
        say("A mapping rule"),
        say("The pool compares a claim with a value, where it maps by rules and not by token."),
    ),
    (
        AMBIGUOUS,
        say("The ambiguous case"),
        say("Several groups of equal precedence: the pool gives its default role, or refuses."),
    ),
    (DEFAULT, say("The default"), say("No group brings a role: the default authenticated role.")),
)
"""In the order in which they are asked, with what each says."""


@dataclass(frozen=True, slots=True)
class Column:
    """A role, or nobody's: `kind` is now, pool, role or guest. `name` may be unknown."""

    kind: str
    name: str | None


@dataclass(frozen=True, slots=True)
class May:
    """What a role gets at one endpoint, and whether that is another thing than you get now."""

    status: int | None
    differs: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What each role gets, endpoint by endpoint, in the order of the columns."""

    columns: tuple[Column, ...]
    lines: tuple[tuple[Row, tuple[May, ...]], ...]


def rule_of(person: Person, record: SessionRecord) -> str:
    """Which rule gave the role: one of the names in RULES."""
    if record.chosen_role in person.roles:
        return CHOSEN
    told = role_name(record.user_keys.role_arn) if record.user_keys else None
    preferred = role_name(person.preferred_role)
    if told is not None and told != preferred and role_key(told) != DEFAULT_ROLE:
        return MAPPING
    if preferred is not None:
        return PREFERRED
    return AMBIGUOUS if person.roles else DEFAULT


def compared(access: AccessMatrix, person: Person, record: SessionRecord) -> Comparison:
    """What the person may do now, beside each other role, the pool's own choice, and a guest."""
    matrix = access.planned(record)
    mine = _of(matrix, "user")
    columns: list[tuple[Column, list[int | None]]] = [(Column("now", _now(person, record)), mine)]
    if record.chosen_role in person.roles:
        given = access.planned(replace(record, chosen_role=None, user_keys=None))
        columns.append((Column("pool", role_name(person.preferred_role)), _of(given, "user")))
    for one in matrix.callers:
        if one.kind == "role" and role_name(one.role_arn) != _now(person, record):
            columns.append((Column("role", role_name(one.role_arn)), _of(matrix, str(one))))
    columns.append((Column("guest", None), _of(matrix, "guest")))
    lines = tuple(
        (line[0].row, tuple(May(told[at], told[at] != mine[at]) for _, told in columns))
        for at, line in enumerate(matrix.lines)
    )
    return Comparison(tuple(column for column, _ in columns), lines)


def _now(person: Person, record: SessionRecord) -> str | None:
    if record.user_keys is not None and record.user_keys.role_arn is not None:
        return role_name(record.user_keys.role_arn)
    chosen = record.chosen_role if record.chosen_role in person.roles else None
    return role_name(chosen or person.preferred_role)


def _of(matrix: Matrix, name: str) -> list[int | None]:
    at = [str(one) for one in matrix.callers].index(name)
    return [line[at].expected for line in matrix.lines]

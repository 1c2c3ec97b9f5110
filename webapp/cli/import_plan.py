"""What an import will do with each line of its file, and the doing of one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from webapp.cli.accounts import Account
from webapp.cli.csv_people import Line
from webapp.cli.directory import Directory
from webapp.cli.pool_rules import Problem

Action = Literal["create", "update", "skip", "failed"]


@dataclass(frozen=True, slots=True)
class Step:
    """What is done with one line. `account` is who is there already."""

    line: Line
    action: Action
    what: str
    account: Account | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()

    def failed(self, why: str) -> "Step":
        """The same step, that did not succeed."""
        return replace(self, action="failed", what=why)

    def plainly(self) -> dict[str, object]:
        """The step for JSON."""
        return {
            "line": self.line.number,
            "email": self.line.email,
            "action": self.action,
            "what": self.what,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps; new people get `password` where their line has none."""

    steps: list[Step]
    invite: bool
    password: str | None = field(repr=False)

    def problems(self) -> list[Problem]:
        """New people who would have no password, and get no mail with one."""
        if self.invite or self.password:
            return []
        why = "no temporary_password; give one, or --password-stdin, or --invite"
        return [
            (step.line.number, why)
            for step in self.steps
            if step.action == "create" and not step.line.password
        ]

    def carry_out(self, step: Step, directory: Directory) -> Step:
        """Do one step. Raises as the directory does."""
        if step.action == "skip":
            return step
        if step.account is None:
            made = directory.create(
                step.line.email,
                {"email": step.line.email, "email_verified": "true", **step.attributes},
                temporary=step.line.password or self.password,
                invite=self.invite,
            )
            username = made.username
        else:
            username = step.account.username
            if step.attributes:
                directory.update(username, step.attributes)
        for group in step.groups:
            directory.join(username, group)
        return step


def planned(
    lines: Iterable[Line],
    directory: Directory,
    existing: str,
    *,
    invite: bool,
    password: str | None,
) -> Plan:
    """The plan for these lines; the directory is asked who is there already."""
    steps = [_step(line, directory.seek(line.email), existing) for line in lines]
    return Plan(steps, invite, password)


def _step(line: Line, account: Account | None, existing: str) -> Step:
    if account is None:
        return Step(
            line,
            "create",
            _words(line.attributes, line.groups),
            attributes=dict(line.attributes),
            groups=line.groups,
        )
    attributes = {
        name: value
        for name, value in line.attributes.items()
        if account.attributes.get(name) != value
    }
    groups = tuple(group for group in line.groups if group not in (account.groups or ()))
    if not attributes and not groups:
        return Step(line, "skip", "as it is in the file", account)
    if existing == "skip":
        return Step(line, "skip", f"is there; differs in {_words(attributes, groups)}", account)
    return Step(line, "update", _words(attributes, groups), account, attributes, groups)


def _words(attributes: Iterable[str], groups: Iterable[str]) -> str:
    return ", ".join([*attributes, *(f"group {group}" for group in groups)]) or "nothing more"

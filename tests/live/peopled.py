"""The offline AWS taken for a real account: people with what their ID token will say."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.facts import Stack
from tests.live.account import Account, written_env
from tests.live.people import Person

# Each way to a role: by a group, by an attribute (a trigger does it), by none.
NAMES = ("admin", "manager", "viewer", "engineer", "nobody")


def offline_account(stack: Stack, outputs: Mapping[str, Any], folder: Path) -> Account:
    """The account behind Terraform's outputs, read from a `.env` and from nothing else."""
    written_env(outputs, folder)
    environment = {"PATH": os.environ["PATH"], "WEB_CONCURRENCY": "1"}
    # The offline AWS's own, for the doctor alone.
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return Account(_people(stack), environment | keys, folder)


def _people(stack: Stack) -> tuple[Person, ...]:
    by_department = stack.triggers.department_groups
    people = []
    for name in NAMES:
        user = next(one for one in stack.demo.users if one.email == f"{name}@example.com")
        brought = by_department.get(user.attributes.get("department", ""))
        groups = (*user.groups, *([brought] if brought else []))
        people.append(Person(user.email, stack.demo.password, groups))
    return tuple(people)

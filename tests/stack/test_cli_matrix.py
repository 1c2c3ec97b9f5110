"""`matrix` against the offline AWS: as expected, red when something changed, and out of reach."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.stack.command_line import CommandLine
from tests.stack.offline import OfflineAws
from webapp.cli.workshop import THREADS
from webapp.services.parts import half
from webapp.signin.matrix import AT_A_TIME

ADMIN, VIEWER, BOTH = "admin@example.com", "viewer@example.com", "both@example.com"


def _matrix(commands: CommandLine, offline: OfflineAws, user: str, *words: str) -> Any:
    given = ("matrix", "--user", user, "--password-stdin", *words)
    return commands.run(*given, stdin=offline.demo_user(user).password)


def test_a_matrix_has_seats_for_all_that_it_calls_at_a_time() -> None:
    """No call of a matrix is refused by the command's own bounds."""
    assert half(THREADS) >= AT_A_TIME


def test_nobody_and_guest(command_line: CommandLine) -> None:
    """Without a sign-in two callers are tried, and all is as expected."""
    told = command_line.run("matrix", "--json")
    content = told.json
    assert (told.status, content["all_as_expected"]) == (0, True)
    assert [one["name"] for one in content["callers"]] == ["nobody", "guest"]
    assert content["counts"]["as_expected"] == content["counts"]["all"] == len(content["cells"])


@pytest.mark.parametrize("user", [ADMIN, BOTH])
def test_somebody_with_each_role(
    command_line: CommandLine, offline_aws: OfflineAws, user: str
) -> None:
    """Somebody is tried as themselves, with each role of the token and with both tokens."""
    told = _matrix(command_line, offline_aws, user, "--json")
    names = [one["name"] for one in told.json["callers"]]
    roles = {
        ADMIN: ["role:portico-admin"],
        BOTH: ["role:portico-team-a", "role:portico-team-b"],
    }[user]
    assert names == ["nobody", "guest", "user", *roles, "bearer-access", "bearer-id"]
    assert (told.status, told.json["counts"]["wrong"]) == (0, 0)
    assert "eyJ" not in told.out


def test_by_eye_and_to_a_file(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """A person gets a table and a sum; --out writes the JSON beside it."""
    file = command_line.folder / "matrix.json"
    told = _matrix(command_line, offline_aws, VIEWER, "--srp", "--out", str(file))
    lines = told.out.splitlines()
    assert told.status == 0
    assert lines[0].split()[:4] == ["ENDPOINT", "nobody", "guest", "user"]
    assert lines[-1].endswith("as expected, 0 not.")
    assert json.loads(file.read_text())["all_as_expected"] is True
    nowhere = command_line.run("matrix", "--out", str(file / "deeper" / "x.json"))
    assert (nowhere.status, "--out" in nowhere.err) == (2, True)


@contextmanager
def _denied(offline: OfflineAws, role: str, route: str) -> Iterator[None]:
    iam, name = offline.aws.client("iam"), offline.stack.resource(role)
    statement = {
        "Effect": "Deny",
        "Action": "execute-api:Invoke",
        "Resource": f"arn:aws:execute-api:*:*:*/*/{route}",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="denied", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="denied")


def test_a_difference_is_red(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """A policy that was changed by hand is seen, named with its call, and fails a pipeline."""
    with _denied(offline_aws, "viewer", "GET/secure"):
        told = _matrix(command_line, offline_aws, VIEWER)
    assert told.status == 1
    assert "secure as user: expected 200, got 403, under arn:aws:iam::" in told.out
    assert "403, not 200" in told.out
    assert told.out.splitlines()[-1].endswith("2 not.")


def test_out_of_reach(command_line: CommandLine) -> None:
    """An API that does not answer is exit status 3, and one line for all of it."""
    told = command_line.run("matrix", API_ENDPOINT="http://127.0.0.1:9")
    assert told.status == 3
    assert told.out.count("without an answer") < 4
    assert command_line.run("matrix", "--srp").status == 2


def test_progress_at_a_terminal(command_line: CommandLine) -> None:
    """A person sees how many calls are done; a pipe gets the table alone."""
    with command_line.terminal("matrix", columns=120) as terminal:
        assert terminal.end() == 0, terminal.text
    assert "Called 1 of 30" in terminal.text
    script = command_line.script("matrix")
    assert (script.status, script.err) == (0, "")

"""What an import decides line by line, and what it does when AWS says no or goes away."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from click.testing import CliRunner, Result

from webapp.cli import users_import
from webapp.cli.directory import Directory
from webapp.cli.pool_rules import rules_of
from webapp.cli.users_import import import_users

PASSWORD = "Portico-import-1"
POLICY = {"MinimumLength": 12, "RequireUppercase": True, "RequireNumbers": True}


class Pool:
    """The calls of boto3's client that an import makes; some addresses are refused."""

    def __init__(self, refused: dict[str, Exception]) -> None:
        self.refused = refused
        self.made: list[str] = []

    def describe_user_pool(self, **_: Any) -> Any:
        schema = [{"Name": "email", "AttributeDataType": "String"}]
        return {"UserPool": {"SchemaAttributes": schema, "Policies": {"PasswordPolicy": POLICY}}}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        return [{"Groups": []}]

    def admin_get_user(self, **_: Any) -> Any:
        raise _refusal("UserNotFoundException")

    def admin_create_user(self, **given: Any) -> Any:
        name = given["Username"]
        if name in self.refused:
            raise self.refused[name]
        self.made.append(name)
        return {"User": {"Username": name}}


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "AdminCreateUser")


def _import(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setattr(users_import, "directory_of", lambda _: Directory(pool, "p"))
    file = tmp_path / "people.csv"
    file.write_text("email\na@example.com\nb@example.com\nc@example.com\n")
    return CliRunner().invoke(import_users, [str(file), "--password-stdin", *words], input=PASSWORD)


def test_one_line_fails_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that AWS refuses is told with its reason; the exit status says that not all came."""
    pool = Pool({"b@example.com": _refusal("CodeDeliveryFailureException")})
    done = _import(pool, tmp_path, monkeypatch, "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, pool.made) == (1, ["a@example.com", "c@example.com"])
    assert told["summary"] == {"create": 2, "update": 0, "skip": 0, "failed": 1}
    assert told["steps"][1]["what"].startswith("The invitation could not be sent")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EndpointConnectionError(endpoint_url="https://x"), 3),
        (_refusal("TooManyRequestsException"), 3),
        (_refusal("ExpiredTokenException"), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_it_stops_where_going_on_is_no_use(
    error: Exception, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of reach, out of credentials or interrupted: the line is told, and how to go on."""
    pool = Pool({"b@example.com": error})
    stopped = _import(pool, tmp_path, monkeypatch)
    assert (stopped.exit_code, pool.made) == (status, ["a@example.com"])
    assert "stopped at line 3" in stopped.stderr
    assert "--existing update" in stopped.stderr


def test_weak_passwords() -> None:
    """Each rule of the pool that a password breaks is named, without the password."""
    rules = rules_of({"Policies": {"PasswordPolicy": POLICY}}, [])
    assert rules.weaknesses(PASSWORD) == []
    (told,) = rules.weaknesses("abc")
    assert told.endswith("needs at least 12 characters, an upper case letter, a digit")

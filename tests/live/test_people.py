"""Who is signed in: read from a file or the environment, and never shown."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.process import REPOSITORY
from tests.live.account import real_account
from tests.live.people import NotReady, Person, read_people

SECRET = "An0ther-secret!"
TOML = f"""
[[people]]
email = "ada@example.com"
password = "{SECRET}"
groups = ["Admin"]
"""


def test_people_come_from_a_file_or_from_the_variable(tmp_path: Path) -> None:
    """TOML, JSON and the variable itself give the same people."""
    entry = {"email": "ada@example.com", "password": SECRET, "groups": ["Admin"]}
    (tmp_path / "people.toml").write_text(TOML)
    (tmp_path / "people.json").write_text(json.dumps([entry]))
    for given in ("people.toml", "people.json", json.dumps({"people": [entry]})):
        (person,) = read_people({"LIVE_PEOPLE": given}, tmp_path)
        assert person == Person("ada@example.com", SECRET, ("Admin",))
        assert SECRET not in repr(person)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "put the path of a file"),
        ("missing.toml", "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "no list of people"),
        ('[{"email": "a@example.com"}]', "person 1: give email, password"),
        (f'[{{"email": "", "password": "{SECRET}"}}]', "are texts that are not empty"),
        (f'[{{"email": "a", "password": "{SECRET}", "groups": "Admin"}}]', "list of names"),
        (f'[{{"email": "a", "password": "{SECRET}", "role": "x"}}]', "and nothing else"),
    ],
)
def test_what_is_wrong_is_one_sentence(given: str, said: str, tmp_path: Path) -> None:
    """Each mistake is told with its place and without anything secret."""
    with pytest.raises(NotReady, match=said) as problem:
        read_people({"LIVE_PEOPLE": given}, tmp_path)
    assert SECRET not in str(problem.value)


def test_settings_that_are_missing_are_named(tmp_path: Path) -> None:
    """People alone are not enough: what the application would miss is said as it would say it."""
    people = json.dumps([{"email": "a@example.com", "password": SECRET}])
    with pytest.raises(NotReady, match="APP_BASE_URL") as problem:
        real_account({"LIVE_PEOPLE": people}, tmp_path)
    assert SECRET not in str(problem.value)


def test_asked_for_without_people_it_is_one_sentence_with_the_cure() -> None:
    """`pytest -m live` before anything is prepared runs nothing and says what to do."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "live", "tests/live/test_account.py"],
        cwd=REPOSITORY,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "put the path of a file with them into LIVE_PEOPLE" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_by_the_way_nothing_real_is_touched() -> None:
    """A run that does not ask for it leaves the real account out and says so in one sentence."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/live/test_account.py"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "::" not in done.stdout
    assert "live tests prove a real account with `make live`" in done.stdout

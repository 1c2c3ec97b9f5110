"""Every problem of the settings in one go, however it came."""

from pathlib import Path

import pytest

from tests.unit.test_settings import NEEDED, load
from webapp.errors import SettingsProblems
from webapp.settings import Settings


def test_contradictions_are_told_beside_what_is_wrong() -> None:
    """Sound values that contradict each other are named in the same go as those that are wrong."""
    with pytest.raises(SettingsProblems) as caught:
        Settings.load(
            {
                "APP_BASE_URL": "nowhere",
                "COGNITO_SCOPES": "email",
                "SESSION_IDLE_SECONDS": "90",
                "SESSION_ABSOLUTE_SECONDS": "60",
            }
        )
    told = {problem.split()[0] for problem in caught.value.problems}
    assert {"APP_BASE_URL", "SECRET_KEY", "COGNITO_SCOPES", "SESSION_IDLE_SECONDS"} <= told


def test_a_wrong_value_is_in_no_contradiction() -> None:
    """What is wrong by itself is told once, not also as a contradiction to a stand-in."""
    with pytest.raises(SettingsProblems) as caught:
        load(SESSION_IDLE_SECONDS="soon", SESSION_ABSOLUTE_SECONDS="60")
    assert caught.value.problems == ["SESSION_IDLE_SECONDS must be a whole number, such as 1800"]


def test_a_broken_line_of_dotenv_is_named(tmp_path: Path) -> None:
    """A line of `.env` that is no assignment is a problem, by its number."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("LOG_LEVEL=INFO\nthis is no assignment\n")
    with pytest.raises(SettingsProblems) as caught:
        Settings.load(NEEDED, dotenv)
    assert [problem for problem in caught.value.problems if "line 2" in problem]

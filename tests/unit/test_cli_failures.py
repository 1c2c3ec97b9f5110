"""How commands fail: a sentence with the cure, an exit status, and nothing of any library's."""

import json
from typing import Any

import click
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProfileNotFound,
    SSOTokenLoadError,
)
from click.testing import CliRunner, Result

from webapp.cli.aws_words import spoken
from webapp.cli.completion import fitting
from webapp.cli.outcome import AnsweredNo, NothingDone, Outcome, ToldCommand
from webapp.errors import (
    BadInput,
    Forbidden,
    OperatorFault,
    PorticoError,
    SettingsProblems,
    StoreUnavailable,
)

SECRET = "Hunter-two-2"


def _aws(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "AdminCreateUser",
    )


def _run(error: BaseException, *words: str) -> Result:
    @click.command(cls=ToldCommand)
    @click.option("--json", "as_json", is_flag=True)
    def failing(as_json: bool) -> None:
        with spoken("ada@example.com", secrets=(SECRET,)):
            raise error

    return CliRunner().invoke(failing, [*words])


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (AnsweredNo("x"), 1),
        (NothingDone("x"), 1),
        (BadInput("x"), 2),
        (StoreUnavailable("x"), 3),
        (SettingsProblems(["x"]), 4),
        (OperatorFault("x"), 5),
        (Forbidden("x"), 5),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (ZeroDivisionError(SECRET), 70),
        (OSError(5, SECRET), 70),
        (_aws("UserNotFoundException"), 1),
        (_aws("UsernameExistsException"), 1),
        (_aws("InvalidPasswordException", "too short"), 5),
        (_aws("AccessDeniedException"), 5),
        (_aws("ExpiredTokenException"), 5),
        (_aws("TooManyRequestsException"), 3),
        (_aws("Whatever", status=503), 3),
        (_aws("Whatever", "because"), 5),
        (_aws("UserLambdaValidationException", "not your domain"), 5),
        (NoCredentialsError(), 5),
        (ProfileNotFound(profile="x"), 5),
        (SSOTokenLoadError(error_msg="x"), 5),
        (EndpointConnectionError(endpoint_url="https://x"), 3),
        (ConnectTimeoutError(endpoint_url="https://x"), 3),
        (ParamValidationError(report=SECRET), 5),
    ],
)
def test_each_failure_has_its_exit_status(error: BaseException, outcome: int) -> None:
    """A sentence on standard error and nothing on standard output, the same as JSON when asked."""
    told = _run(error)
    assert (told.exit_code, told.stdout) == (outcome, "")
    assert told.stderr.strip()
    asked = _run(error, "--json")
    assert asked.exit_code == outcome in set(Outcome)
    body = json.loads(asked.stderr)["error"]
    assert body["code"]
    assert body["sentence"]
    for text in (told.stderr, asked.stderr):
        assert "Traceback" not in text
        assert SECRET not in text
        assert "botocore" not in text


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (_aws("AccessDeniedException"), "cognito-idp:AdminCreateUser"),
        (NoCredentialsError(), "AWS_PROFILE"),
        (_aws("ResourceNotFoundException"), "doctor"),
        (_aws("UserNotFoundException"), "users list"),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS_REGION"),
        (_aws("PasswordResetRequiredException"), "set-password"),
    ],
)
def test_the_cure_is_told(error: Exception, cure: str) -> None:
    """What to do about it stands in the sentence."""
    assert cure in _run(error).stderr


def test_a_password_that_aws_repeats_is_cut() -> None:
    """Where AWS quotes what was sent, the password in it is not."""
    told = _run(_aws("InvalidParameterException", f"Value '{SECRET}'\x1b[2J at 'password' failed"))
    assert SECRET not in told.stderr
    assert r"Value '…'\x1b[2J at 'password' failed." in told.stderr


def test_the_cause_is_not_carried_along() -> None:
    """A translated error shows nothing of botocore's, in whose text secrets may be."""
    with pytest.raises(PorticoError) as caught, spoken():
        raise ParamValidationError(report=SECRET)
    assert caught.value.__suppress_context__


def test_usage_and_exits_are_clicks_own() -> None:
    """A wrong option and a status that a command chose are left as they are."""

    @click.command(cls=ToldCommand)
    @click.pass_context
    def leaving(context: click.Context) -> Any:
        context.exit(1)

    assert CliRunner().invoke(leaving, []).exit_code == 1
    assert CliRunner().invoke(leaving, ["--no-such"]).exit_code == 2


@pytest.mark.parametrize(
    "name", ["$(id)", "`id`", "a;b", "a b", "a\nplain,b", "a|b", "a'b", 'a"b', "<x"]
)
def test_AP_04_a_shell_is_offered_words_alone(name: str) -> None:
    """A group that somebody named like a command is not put on the line of a shell."""
    offered = [one.value for one in fitting(["Admin", name, "role:portico-admin", "Zoë"], "")]
    assert offered == ["Admin", "role:portico-admin", "Zoë"]

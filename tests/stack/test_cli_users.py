"""`users` against the offline AWS, as JSON and by eye."""

import json
from typing import Any

import pytest

from tests.stack.command_line import CommandLine
from tests.stack.offline import OfflineAws, User

PASSWORD = "Portico-other-2"


def _shown(commands: CommandLine, name: str) -> Any:
    return commands.run("users", "show", name, "--json").json["user"]


def _sign_in(commands: CommandLine, user: User, *more: str) -> Any:
    words = ("token", "--user", user.email, "--password-stdin", "--json", *more)
    return commands.run(*words, stdin=user.password + "\n")


def test_create_with_a_temporary_password(command_line: CommandLine) -> None:
    """A person is made in groups, with attributes, and has to choose a password; none is shown."""
    made = command_line.run(
        *("users", "create", "ada.new@example.com", "--group", "Manager", "--group", "Viewer"),
        *("--attribute", "name=Ada New", "--attribute", "custom:department=Sales"),
        *("--password-stdin", "--json"),
        stdin=PASSWORD + "\n",
    )
    account = made.json["created"]
    assert (made.status, account["status"]) == (0, "FORCE_CHANGE_PASSWORD")
    assert sorted(account["groups"]) == ["Manager", "Viewer"]
    assert account["attributes"]["custom:department"] == "Sales"
    assert account["attributes"]["email_verified"] == "true"
    assert PASSWORD not in made.out + made.err
    refused = _sign_in(command_line, User("ada.new@example.com", PASSWORD))
    assert (refused.status, refused.error) == (5, "new_password_required")


def test_create_with_a_permanent_password(command_line: CommandLine) -> None:
    """With --permanent the person can sign in at once."""
    words = ("users", "create", "perma@example.com", "--permanent", "--password-stdin")
    made = command_line.run(*words, stdin=PASSWORD + "\n")
    assert (made.status, made.out.splitlines()[0]) == (0, "Made perma@example.com.")
    signed_in = _sign_in(command_line, User("perma@example.com", PASSWORD))
    assert (signed_in.status, signed_in.json["email"]) == (0, "perma@example.com")


def test_an_invitation(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """With --invite Cognito mails a temporary password of its own; otherwise nothing is mailed."""
    made = command_line.run("users", "create", "guest.of@example.com", "--invite", "--json")
    assert made.json["created"]["status"] == "FORCE_CHANGE_PASSWORD"
    assert len(offline_aws.mails("guest.of@example.com")) == 1
    assert not offline_aws.mails("ada.new@example.com")


@pytest.mark.parametrize(
    ("words", "stdin", "status", "said"),
    [
        (("admin@example.com", "--password-stdin"), PASSWORD, 1, "is there already"),
        (("x1@example.com", "--password-stdin"), "short", 5, "does not follow"),
        (("x2@example.com", "--password-stdin"), "", 2, "is empty"),
        (("x3@example.com", "--group", "Nobodys", "--password-stdin"), PASSWORD, 1, "Admin, Dev"),
        (("x4@example.com", "--attribute", "nonsense", "--password-stdin"), PASSWORD, 2, "NAME="),
        (("x5@example.com",), "", 2, "--password-stdin"),
        (("x6@example.com", "--invite", "--permanent"), "", 2, "--invite"),
        (("no-address", "--password-stdin"), PASSWORD, 5, "email"),
    ],
)
def test_create_refused(
    command_line: CommandLine, words: tuple[str, ...], stdin: str, status: int, said: str
) -> None:
    """What cannot be done is one sentence with the cure and an exit status; nobody is half made."""
    refused = command_line.run("users", "create", *words, stdin=stdin)
    assert (refused.status, refused.out) == (status, "")
    assert said in refused.err
    assert "Traceback" not in refused.err
    if words[0].startswith("x"):
        assert command_line.run("users", "show", words[0]).status == 1


def test_set_password(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """The new password signs in, the old one does not; a temporary one has to be replaced."""
    user = offline_aws.new_user()
    words = ("users", "set-password", user.email, "--password-stdin")
    done = command_line.run(*words, stdin=PASSWORD + "\n")
    assert (done.status, PASSWORD in done.out + done.err) == (0, False)
    assert _sign_in(command_line, user).status == 5
    assert _sign_in(command_line, User(user.email, PASSWORD)).status == 0
    done = command_line.run(*words, "--temporary", stdin=user.password)
    assert done.status == 0
    assert _sign_in(command_line, user).error == "new_password_required"


def test_passwords_from_a_file_and_the_environment(
    command_line: CommandLine, offline_aws: OfflineAws
) -> None:
    """A file's first line and PORTICO_PASSWORD serve as well, but two sources are refused."""
    user = offline_aws.new_user()
    file = command_line.folder / "password.txt"
    file.write_text(PASSWORD + "\nnot this\n")
    words = ("users", "set-password", user.email)
    assert command_line.run(*words, "--password-file", str(file)).status == 0
    assert _sign_in(command_line, User(user.email, PASSWORD)).status == 0
    assert command_line.script(*words, PORTICO_PASSWORD=user.password).status == 0
    assert _sign_in(command_line, user).status == 0
    both = command_line.run(*words, "--password-file", str(file), "--password-stdin")
    assert both.status == 2


def test_list_pages_and_filters(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """Pages follow each other without a gap; a filter and a group leave only who fits."""
    there = offline_aws.aws.client("cognito-idp").describe_user_pool(
        UserPoolId=offline_aws.pool_id
    )["UserPool"]["EstimatedNumberOfUsers"]
    seen: list[str] = []
    mark: str | None = None
    while True:
        more = ("--page", mark) if mark else ()
        page = command_line.run("users", "list", "--limit", "3", "--json", *more).json
        assert 0 < len(page["users"]) <= 3
        seen += [one["username"] for one in page["users"]]
        if (mark := page["next"]) is None:
            break
    assert len(seen) == len({*seen}) == there
    every = command_line.run("users", "list", "--limit", "500", "--json").json
    assert ([one["username"] for one in every["users"]], every["next"]) == (seen, None)

    def found(*words: str) -> list[str]:
        users = command_line.run("users", "list", "--json", *words).json["users"]
        return [one["email"] for one in users]

    assert found("--filter", "email=admin@example.com") == ["admin@example.com"]
    assert "manager@example.com" in found("--filter", "email^=man")
    assert "new@example.com" in found("--filter", "cognito:user_status=FORCE_CHANGE_PASSWORD")
    assert "admin@example.com" not in found("--filter", "cognito:user_status=FORCE_CHANGE_PASSWORD")
    assert "admin@example.com" in found("--group", "Admin")
    assert found("--group", "Admin", "--filter", "email^=admin") == ["admin@example.com"]


def test_list_by_eye(command_line: CommandLine) -> None:
    """A person gets heads and a line each, without colour in a pipe; more is said beside it."""
    listed = command_line.run("users", "list", "--limit", "2")
    lines = listed.out.splitlines()
    assert lines[0].split() == ["EMAIL", "NAME", "STATUS", "CREATED", "USERNAME"]
    assert len(lines) == 3
    assert "--page" in listed.err
    assert "\x1b" not in listed.out
    nobody = command_line.run("users", "list", "--filter", "email=none@example.com")
    assert (nobody.status, nobody.out) == (1, "There is nobody like that.\n")
    for condition in ("custom:department=Sales", "email", "=x", "nickname=a"):
        odd = command_line.run("users", "list", "--filter", condition)
        assert (odd.status, "cognito:user_status" in odd.err) == (2, True)


def test_a_name_that_steers_a_terminal(command_line: CommandLine) -> None:
    """An escape sequence in somebody's name is shown as text."""
    name = "Eve\x1b]0;owned\x07\u202e"
    words = ("users", "create", "eve.escape@example.com", "--attribute", f"name={name}")
    command_line.run(*words, "--password-stdin", stdin=PASSWORD)
    shown = command_line.run("users", "show", "eve.escape@example.com")
    assert r"Eve\x1b]0;owned\x07\u202e" in shown.out
    assert _shown(command_line, "eve.escape@example.com")["attributes"]["name"] == name


def test_groups_of_a_person(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """Into a group and out again; a group that is not there is named with those that are."""
    user = offline_aws.new_user()
    added = command_line.run("users", "add-to-group", user.email, "Admin", "--json")
    assert added.json["groups"] == ["Admin"]
    assert _sign_in(command_line, user).json["groups"] == ["Admin"]
    removed = command_line.run("users", "remove-from-group", user.email, "Admin")
    assert "no group" in removed.out
    assert _shown(command_line, user.email)["groups"] == []
    wrong = command_line.run("users", "add-to-group", user.email, "admin", "--json")
    assert (wrong.status, wrong.error) == (1, "group_unknown")
    assert "Viewer" in command_line.run("users", "groups", "--json").json["groups"]


def test_disable_enable_delete(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """Who is disabled does not sign in, until enabled; who is deleted is gone; both ask first."""
    user = offline_aws.new_user()
    for word in ("disable", "reset-mfa", "delete"):
        asked = command_line.run("users", word, user.email)
        assert (asked.status, "--yes" in asked.err) == (2, True)
    done = command_line.run("users", "disable", user.email, "--yes")
    assert (done.status, "sessions end" in done.err) == (0, True)
    assert _sign_in(command_line, user).status == 5
    assert _shown(command_line, user.email)["enabled"] is False
    assert command_line.run("users", "enable", user.email).status == 0
    assert _sign_in(command_line, user).status == 0
    gone = command_line.run("users", "delete", user.email, "--yes", "--json")
    assert gone.json["sub"]
    assert (
        command_line.run("users", "delete", user.email, "--yes", "--json").error == "user_unknown"
    )


def test_reset_mfa(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """A lost second factor is turned off, and the password alone signs in again."""
    user = offline_aws.new_user()
    idp = offline_aws.aws.client("cognito-idp")
    on = {"Enabled": True, "PreferredMfa": True}
    of_user = {"UserPoolId": offline_aws.pool_id, "Username": user.email}
    idp.admin_set_user_mfa_preference(**of_user, SoftwareTokenMfaSettings=on)
    assert _shown(command_line, user.email)["mfa"] == ["SOFTWARE_TOKEN_MFA"]
    assert _sign_in(command_line, user).error == "second_factor"
    assert command_line.run("users", "reset-mfa", user.email, "--yes").status == 0
    assert _shown(command_line, user.email)["mfa"] == []
    assert _sign_in(command_line, user).status == 0


def test_out_of_reach_and_not_there(command_line: CommandLine) -> None:
    """No AWS and no such pool are told apart, in a sentence and in the exit status."""
    away = command_line.run("users", "list", "--json", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert (away.status, away.out) == (3, "")
    assert json.loads(away.err)["error"]["code"] == "provider_unavailable"
    wrong = command_line.run("users", "list", COGNITO_USER_POOL_ID="us-east-1_None1")
    assert (wrong.status, "COGNITO_USER_POOL_ID" in wrong.err) == (5, True)
    unset = command_line.script("users", "list", AWS_REGION="")
    assert (unset.status, "AWS_REGION is missing" in unset.err) == (4, True)

"""`call` against the offline AWS: any endpoint as anybody, the seeds' five patterns among them."""

import re
from typing import Any

import pytest

from tests.stack.command_line import CommandLine
from tests.stack.offline import OfflineAws

ADMIN, VIEWER, BOTH = "admin@example.com", "viewer@example.com", "both@example.com"


def _call(commands: CommandLine, offline: OfflineAws, user: str, *words: str) -> Any:
    password = offline.demo_user(user).password + "\n"
    given = ("call", *words, "--user", user, "--password-stdin", "--json")
    return commands.run(*given, stdin=password)


def test_the_seeds_pattern_1_nobody(command_line: CommandLine) -> None:
    """No authentication: the open endpoint answers, the signed one does not."""
    told = command_line.run("call", "test-plain", "--json")
    assert (told.status, told.json["status"], told.json["identity"]) == (0, 200, "nobody")
    assert command_line.run("call", "test-public", "--as", "nobody", "--json").json["status"] == 403


def test_the_seeds_pattern_2_own_aws_credentials(command_line: CommandLine) -> None:
    """The operator's own AWS credentials sign, and nobody of the user pool is there."""
    told = command_line.run("call", "test-public", "--as", "aws", "--json")
    assert (told.status, told.json["status"], told.json["expected"]) == (0, 200, None)
    assert told.json["body"]["caller"]["user_arn"].startswith("arn:aws:iam::")
    names = {name.lower() for name, _ in told.json["request"]["headers"]}
    assert "x-cognito-id-token" not in names


@pytest.mark.parametrize("way", [(), ("--srp",)])
def test_the_seeds_patterns_3_and_4_password_and_srp(
    command_line: CommandLine, offline_aws: OfflineAws, way: tuple[str, ...]
) -> None:
    """Somebody signs in for this call, by password or by SRP, and calls as themselves."""
    told = _call(command_line, offline_aws, ADMIN, "vip", *way)
    assert (told.status, told.json["status"]) == (0, 200)
    assert told.json["split"].keys() == {"credentials", "signing", "network"}
    assert told.json["body"]["caller"]["email"] == ADMIN
    assert told.json["role"].endswith("portico-admin")


def test_the_seeds_pattern_5_a_guest(command_line: CommandLine) -> None:
    """A guest has AWS credentials without a sign-in, for what guests may."""
    told = command_line.run("call", "test-public", "--as", "guest", "--json").json
    assert (told["status"], told["body"]["caller"]["kind"]) == (200, "guest")
    refused = command_line.run("call", "test-auth", "--as", "guest", "--json")
    assert (refused.status, refused.json["status"], refused.json["expected"]) == (0, 403, 403)


def test_roles_and_bearers(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """A role of the token, the access token and the ID token, each as it should be."""
    for caller, endpoint, status in (
        ("role:portico-team-a", "test-auth", 200),
        ("role:portico-team-b", "test-auth", 403),
        ("bearer-access", "protected", 200),
        ("bearer-id", "protected", 403),
        ("user", "whoami", 200),
    ):
        told = _call(command_line, offline_aws, BOTH, endpoint, "--as", caller)
        assert (told.status, told.json["status"]) == (0, status), (caller, endpoint)
        assert told.json["identity"] == caller
    foreign = _call(command_line, offline_aws, BOTH, "vip", "--as", "role:portico-admin")
    assert (foreign.status, foreign.error) == (5, "role_not_in_token")


def test_a_refusal_is_explained_by_eye(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """A person reads status, expectation, who asked, under which role, and which rule decided."""
    words = ("call", "vip", "--user", VIEWER, "--password-stdin")
    password = offline_aws.demo_user(VIEWER).password
    told = command_line.run(*words, stdin=password)
    assert told.status == 0
    assert told.out.startswith("status                403 Forbidden\nexpected              403\n")
    assert "no policy of the role allows execute-api:Invoke on GET /vip" in told.out
    assert command_line.run(*words, "--fail", stdin=password).status == 1


def test_the_request_is_shown_without_secrets(
    command_line: CommandLine, offline_aws: OfflineAws
) -> None:
    """-v shows what was sent and all headers; signature, tokens and password are cut."""
    user = offline_aws.demo_user(ADMIN)
    words = ("call", "whoami", "-v", "--user", ADMIN, "--password-stdin")
    told = command_line.run(*words, stdin=user.password)
    assert "> GET http" in told.out
    assert "string to sign:\n| AWS4-HMAC-SHA256\n" in told.out
    assert re.search(r"x-amz-security-token: ?\(\d+ characters, kept on the server\)", told.out)
    assert "< content-type: application/json" in told.out.lower()
    assert "eyJ" not in told.out + told.err
    assert user.password not in told.out + told.err


def test_parameters(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """Values go into path, query and body; an odd one is told before anybody signs in."""
    told = _call(command_line, offline_aws, ADMIN, "document-read", "-p", "id=budget")
    assert told.json["body"]["document"]["id"] == "budget"
    written = _call(
        command_line, offline_aws, ADMIN,
        *("document-write", "-p", "id=by-command", "-p", "title=By command", "-p", "text=a"),
    )  # fmt: skip
    assert written.json["status"] in (200, 201)
    gone = _call(
        command_line, offline_aws, ADMIN, "document-delete", "-p", "id=by-command", "--yes"
    )
    assert gone.json["ok"]
    for words, said in (
        (("document-read", "-p", "name=x"), "these: id"),
        (("document-read", "-p", "id=../x"), "id does not have the form"),
        (("test-plain", "-p", "note"), "NAME=VALUE"),
        (("no-such",), "no endpoint"),
    ):
        odd = command_line.run("call", *words, "--as", "user", "--user", "nobody-asks@x.example")
        assert (odd.status, said in odd.err) == (2, True), odd.err


def test_the_body_alone(command_line: CommandLine) -> None:
    """--body prints what the API sent and nothing else, for a pipe."""
    told = command_line.script("call", "test-plain", "--body")
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith("{")
    assert "Anyone may read this" in told.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("test-plain", "--as", "somebody"), "role:NAME"),
        (("vip", "--as", "user"), "--user"),
        (("vip", "--as", "role:portico-admin"), "--user"),
        (("vip", "--as", "guest", "--user", ADMIN), "leave --user"),
        (("vip", "--as", "guest", "--profile", "x"), "--as aws"),
        (("document-delete", "-p", "id=handbook"), "--yes"),
    ],
)
def test_wrong_words(command_line: CommandLine, words: tuple[str, ...], said: str) -> None:
    """What does not fit together is told as that, before anything is called."""
    told = command_line.run("call", *words)
    assert (told.status, said in told.err) == (2, True), told.err


def test_out_of_reach(command_line: CommandLine) -> None:
    """An API that does not answer is one sentence and exit status 3."""
    told = command_line.run("call", "test-plain", "--json", API_ENDPOINT="http://127.0.0.1:9")
    assert (told.status, told.out, told.error) == (3, "", "api_unavailable")


def test_a_call_needs_no_store(command_line: CommandLine) -> None:
    """The application's session store and key are left alone, whatever state they are in."""
    told = command_line.run(
        *("call", "test-public", "--as", "guest", "--json"),
        SESSION_STORE_URL="redis://127.0.0.1:9/0",
    )
    assert told.json["status"] == 200

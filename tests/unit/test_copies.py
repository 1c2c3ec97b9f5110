"""Copies of a call: what they say, run by a shell and by Python, is the call itself."""

import ast
import json
import os
import random
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.api.copies import Copy, KeySource, copies
from webapp.records import SentRequest, SigningText

POOL = KeySource(
    region="us-east-1",
    pool_id="us-east-1:1234abcd-12ab-34cd-56ef-1234567890ab",
    login_key="cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC123",
    endpoint="http://127.0.0.1:4566",
)
ROLE = "arn:aws:iam::000000000000:role/portico-admin"
HEADERS = (
    ("Host", "api.example.com"),
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", "portico"),
)
SECRET = "(88 characters, kept on the server)"
SIGNATURE = (
    ("x-amz-date", "20261121T100000Z"),
    ("x-amz-content-sha256", "e3b0"),
    ("x-amz-security-token", SECRET),
    ("Authorization", "AWS4-HMAC-SHA256 Credential=…"),
)
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key id",
    "AWS_SECRET_ACCESS_KEY": "the secret",
    "AWS_SESSION_TOKEN": "session/token+=",
    "ID_TOKEN": "id.token",
    "ACCESS_TOKEN": "access.token",
}
URL = "https://api.example.com/stage"
HOSTILE = [
    "'; touch owned; '",
    '"; touch owned; "',
    "$(touch owned)",
    "`touch owned`",
    "\\'\n\"\"\"\n'''\n#{}[]!*?~&|<>",
    "@/etc/passwd",
    "--upload-file /etc/passwd",
    "KEYS\nKEYS",
    "%s %(x)s {0} äöü 日本 \u2028",
]


def _sent(signed: bool = True, body: bytes | None = None, tail: str = "/secure") -> SentRequest:
    headers = HEADERS + ((("Content-Type", "application/json"),) if body is not None else ())
    if signed:
        headers += (("X-Cognito-Id-Token", SECRET), *SIGNATURE)
    method = "PUT" if body is not None else "GET"
    signing = SigningText("", "") if signed else None
    return SentRequest(method, URL + tail, headers, body, signing)


def _copies(sent: SentRequest, token: str | None = None, role: str | None = None) -> dict[str, str]:
    made: list[Copy] = copies(sent, token=token, role_arn=role, pool=POOL)
    return {copy.name: copy.text for copy in made}


def _words(command: str) -> list[str]:
    return shlex.split(command.replace("\\\n", " "))


def test_a_signed_call_as_curl() -> None:
    """curl signs for execute-api with keys from the environment, and no secret of ours is in it."""
    words = _words(_copies(_sent())["curl"])
    assert words[-1] == URL + "/secure"
    assert words[words.index("--aws-sigv4") + 1] == "aws:amz:us-east-1:execute-api"
    assert words[words.index("--user") + 1] == "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"
    assert [words[place + 1] for place, word in enumerate(words) if word == "--header"] == [
        "x-amz-security-token: $AWS_SESSION_TOKEN",
        "X-Cognito-Id-Token: $ID_TOKEN",
        "Accept: application/json",
    ]
    for text in _copies(_sent()).values():
        assert "characters" not in text


@pytest.mark.parametrize("token", ["ACCESS_TOKEN", "ID_TOKEN"])
def test_a_bearer_call(token: str) -> None:
    """A bearer call takes its token from the environment and is not signed."""
    made = _copies(_sent(signed=False), token=token)
    assert set(made) == {"curl", "Python"}
    assert f'--header "Authorization: Bearer ${token}"' in made["curl"]
    assert f'"Bearer " + os.environ["{token}"]' in made["Python"]
    assert "sigv4" not in made["curl"]


def test_an_open_call_takes_nothing() -> None:
    """A call as nobody asks the environment for nothing."""
    for copy in copies(_sent(signed=False), token=None, role_arn=None, pool=POOL):
        assert copy.takes == ()
        assert "$" not in copy.text
        assert "environ" not in copy.text


def _fake(folder: Path, name: str) -> None:
    """A program that writes down how it was called, one JSON line each, and gives keys."""
    path = folder / name
    path.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        f"with open({str(folder / 'calls')!r}, 'a') as file:\n"
        "    keys = [os.environ.get(n) for n in ('AWS_ACCESS_KEY_ID', 'AWS_SESSION_TOKEN')]\n"
        "    file.write(json.dumps([sys.argv[1:], keys]) + '\\n')\n"
        "print('the-identity' if 'get-id' in sys.argv else 'AKI\\tsec/ret\\tto\\\\ken==')\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _run(folder: Path, script: str) -> list[tuple[list[str], list[str]]]:
    for name in ("curl", "aws"):
        _fake(folder, name)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", **ENVIRONMENT}
    subprocess.run(
        ["sh", "-eu", "-c", script], cwd=folder, env=environment, check=True, capture_output=True
    )
    assert not (folder / "owned").exists()
    return [tuple(json.loads(line)) for line in (folder / "calls").read_text().splitlines()]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_in_a_shell(tmp_path: Path, value: str) -> None:
    """Whatever stands in an address or a body reaches curl as it is, and nothing else is run."""
    sent = _sent(body=value.encode(), tail=f"/documents/{value}")
    made = _copies(sent, role=value)
    for name in ("curl", "AWS CLI"):
        *_, (words, _) = _run(tmp_path, made[name])
        assert words[-1] == f"{URL}/documents/{value}"
        assert words[words.index("--data-raw") + 1] == value
        assert words[words.index("--request") + 1] == "PUT"
        assert "X-Cognito-Id-Token: id.token" in words


def test_the_AWS_CLI_fetches_the_keys_that_curl_signs_with(tmp_path: Path) -> None:
    """GetId and GetCredentialsForIdentity with the login and the role; then curl, with new keys."""
    (first, _), (second, _), (curl, keys) = _run(tmp_path, _copies(_sent(), role=ROLE)["AWS CLI"])
    assert first[:2] == ["cognito-identity", "get-id"]
    assert first[first.index("--logins") + 1] == f"{POOL.login_key}=id.token"
    assert first[first.index("--endpoint-url") + 1] == POOL.endpoint
    assert second[second.index("--identity-id") + 1] == "the-identity"
    assert second[second.index("--custom-role-arn") + 1] == ROLE
    assert keys == ["AKI", "to\\ken=="]
    assert curl[curl.index("--user") + 1] == "AKI:sec/ret"


def test_hostile_values_in_Python() -> None:
    """The Python copy is sound, and its constants are the address and the body of the call."""
    chance = random.Random("copies")
    for _ in range(300):
        value = "".join(chance.choice("".join(HOSTILE)) for _ in range(chance.randrange(40)))
        for signed in (True, False):
            text = _copies(_sent(signed, value.encode(), f"/{value}"))["Python"]
            (call,) = (
                node
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "request"
            )
            method, url = (ast.literal_eval(one) for one in call.args)
            data = next(one.value for one in call.keywords if one.arg == "data")
            assert (method, url, ast.literal_eval(data)) == (
                "PUT",
                f"{URL}/{value}",
                value.encode(),
            )

"""A call as something to paste: curl, Python, and the AWS CLI for the keys (curl 7.75, AWS CLI 1).

Every value is quoted for where it stands; secrets come from the environment of whoever runs it.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from webapp.api.sigv4 import SERVICE, Rehearsal
from webapp.records import SentRequest
from webapp.words import Saying, say

ID_TOKEN_HEADER = "x-cognito-id-token"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# Made anew by whoever sends, or of no use to them.
_LEFT_OUT = {"host", "user-agent", "accept-encoding", "authorization"}


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where keys come from: the identity pool, and the name of the user pool in its logins.

    `endpoint` is where the pool answers, if that is not AWS.
    """

    region: str
    pool_id: str
    login_key: str
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy: its name, what it takes from the environment, and the text."""

    name: str
    takes: tuple[str, ...]
    text: str
    note: Saying | None = None


def copies(
    sent: SentRequest, *, token: str | None, role_arn: str | None, pool: KeySource
) -> list[Copy]:
    """The call in each form.

    `token` names the variable of a bearer token, None for another caller; `role_arn` is the role
    that was asked for, None when the pool chose. Which keys and tokens a signed call took is seen
    in what was sent.
    """
    names = {name.lower() for name, _ in sent.headers}
    signed = sent.signing is not None
    as_user = ID_TOKEN_HEADER in names
    mine = ("ID_TOKEN",) if as_user else ()
    takes = (token,) if token else (*(KEYS if signed else ()), *mine)
    curl = _curl(sent, token, signed, as_user, pool.region)
    made = [
        Copy("curl", takes, curl),
        Copy("Python", takes, _python(sent, token, signed, as_user, pool.region)),
    ]
    if signed:
        made.append(
            Copy(
                "AWS CLI",
                mine,
                f"{_fetched_keys(as_user, role_arn, pool)}\n{curl}",
                say(
                    "The AWS CLI has no command that calls an HTTP API. It fetches the keys from"
                    " the identity pool, and curl signs with them."
                ),
            )
        )
    return made


def by_hand(rehearsal: Rehearsal) -> str:
    """A Python program that recomputes a rehearsal's signature, with the standard library alone."""
    steps = rehearsal.steps
    lines = steps.canonical.split("\n")
    algorithm, stamp, scope, _ = steps.string_to_sign.split("\n")
    return "\n".join(
        [
            "import hashlib",
            "import hmac",
            "",
            f"secret = {rehearsal.secret!r}",
            "canonical = (",
            *(f"    {line + newline!r}" for line, newline in _ended(lines)),
            ")",
            "digest = hashlib.sha256(canonical.encode()).hexdigest()",
            f"to_sign = '\\n'.join([{algorithm!r}, {stamp!r}, {scope!r}, digest])",
            "key = ('AWS4' + secret).encode()",
            f"for text in {scope.split('/')!r}:",
            "    key = hmac.digest(key, text.encode(), 'sha256')",
            "    print(key.hex())",
            "print(hmac.digest(key, to_sign.encode(), 'sha256').hex())",
        ]
    )


def _ended(lines: list[str]) -> list[tuple[str, str]]:
    return [(line, "\n") for line in lines[:-1]] + [(lines[-1], "")]


def _plain(sent: SentRequest) -> list[tuple[str, str]]:
    """The headers that a copy spells out: those that are neither secret nor made on the way."""
    return [
        (name, value)
        for name, value in sent.headers
        if name.lower() not in _LEFT_OUT
        and not name.lower().startswith("x-amz-")
        and name.lower() != ID_TOKEN_HEADER
    ]


def _curl(sent: SentRequest, token: str | None, signed: bool, as_user: bool, region: str) -> str:
    # --globoff: brackets in an address are brackets. Nothing of the caller's own ~/.curlrc.
    lines = ["curl --disable --globoff --include"]
    if sent.method != "GET":
        lines.append(f"--request {sent.method}")
    if signed:
        lines.append(f"--aws-sigv4 {shlex.quote(f'aws:amz:{region}:{SERVICE}')}")
        lines.append('--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"')
        lines.append('--header "x-amz-security-token: $AWS_SESSION_TOKEN"')
    if as_user:
        lines.append('--header "X-Cognito-Id-Token: $ID_TOKEN"')
    if token:
        lines.append(f'--header "Authorization: Bearer ${token}"')
    lines += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in _plain(sent)]
    if sent.body is not None:
        lines.append(f"--data-raw {shlex.quote(sent.body.decode())}")
    return _command([*lines, shlex.quote(sent.url)])


def _python(sent: SentRequest, token: str | None, signed: bool, as_user: bool, region: str) -> str:
    headers = [f"        {name!r}: {value!r}," for name, value in _plain(sent)]
    if as_user:
        headers.append('        "X-Cognito-Id-Token": os.environ["ID_TOKEN"],')
    if token:
        headers.append(f'        "Authorization": "Bearer " + os.environ["{token}"],')
    imports = ["import os", ""] if as_user or token or signed else []
    imports.append("import requests")
    call = [
        "answer = requests.request(",
        f"    {sent.method!r},",
        f"    {sent.url!r},",
        "    headers={",
        *headers,
        "    },",
    ]
    if sent.body is not None:
        call.append(f"    data={sent.body!r},")
    if signed:
        imports.append("from requests_aws4auth import AWS4Auth")
        call.append("    auth=auth,")
    auth = _python_auth(region) if signed else []
    end = ["    allow_redirects=False,", "    timeout=10,", ")"]
    return "\n".join([*imports, "", *auth, *call, *end, "print(answer.status_code, answer.text)"])


def _python_auth(region: str) -> list[str]:
    return [
        "auth = AWS4Auth(",
        '    os.environ["AWS_ACCESS_KEY_ID"],',
        '    os.environ["AWS_SECRET_ACCESS_KEY"],',
        f"    {region!r},",
        f'    "{SERVICE}",',
        '    session_token=os.environ["AWS_SESSION_TOKEN"],',
        ")",
    ]


def _fetched_keys(as_user: bool, role_arn: str | None, pool: KeySource) -> str:
    """Shell that puts an identity's keys into the environment, by the two calls of the pool."""
    login = f'--logins {shlex.quote(pool.login_key + "=")}"$ID_TOKEN"' if as_user else ""
    where = [f"--region {shlex.quote(pool.region)}", "--output text"]
    if pool.endpoint:
        where.append(f"--endpoint-url {shlex.quote(pool.endpoint)}")
    get_id = [
        "aws cognito-identity get-id",
        f"--identity-pool-id {shlex.quote(pool.pool_id)}",
        login,
        "--query IdentityId",
        *where,
    ]
    get_keys = [
        "aws cognito-identity get-credentials-for-identity",
        '--identity-id "$identity_id"',
        login,
        f"--custom-role-arn {shlex.quote(role_arn)}" if role_arn else "",
        "--query 'Credentials.[AccessKeyId,SecretKey,SessionToken]'",
        *where,
    ]
    return (
        f'identity_id="$({_command(get_id)})"\n'
        f'keys="$({_command(get_keys)})"\n'
        "read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN <<KEYS\n"
        "$keys\n"
        "KEYS\n"
        f"export {' '.join(KEYS)}"
    )


def _command(parts: Iterable[str]) -> str:
    return " \\\n  ".join(part for part in parts if part)

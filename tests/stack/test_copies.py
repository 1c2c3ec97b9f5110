"""Copies of a call, run as they are over the offline AWS, bring back what the call itself did."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.stack.api_callers import Callers
from tests.stack.offline import OfflineAws
from webapp.api.catalogue import endpoint_named
from webapp.api.client import ApiClient
from webapp.api.copies import KeySource, copies
from webapp.outbound import Outbound
from webapp.records import ApiAnswer, AwsKeys, TokenSet

PERSON = "manager@example.com"
CALLS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("test-plain", "nobody", {"note": "a b&c='$(id)'~"}),
    ("whoami", "user", {}),
    ("vip", "user", {}),
    ("document-read", "user", {"id": "handbook"}),
    ("document-write", "user", {"id": "budget", "title": "It's $HOME `id`", "text": 'a\n"b" \\n'}),
    ("protected", "bearer-access", {}),
    ("protected", "bearer-id", {}),
)


@pytest.fixture(scope="module")
def callers(offline_aws: OfflineAws) -> Callers:
    return Callers(offline_aws)


def _called(
    offline: OfflineAws, callers: Callers, endpoint: str, identity: str, values: Mapping[str, str]
) -> ApiAnswer:
    keys, tokens = callers.keys(PERSON, None), callers.tokens(PERSON)
    client = ApiClient(
        Outbound(), base=offline.environment["API_ENDPOINT"], region=offline.stack.region
    )
    known = endpoint_named(endpoint)
    held = AwsKeys("", keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"], 0, 0)
    return client.call(
        known,
        identity,
        known.address(values),
        keys=held if identity == "user" else None,
        tokens=TokenSet(tokens["IdToken"], tokens["AccessToken"], None, 0, 0),
        body=known.body(values),
    )


def _run(
    offline: OfflineAws,
    callers: Callers,
    name: str,
    program: list[str],
    call: tuple[str, str, Mapping[str, str]],
) -> None:
    """Make a call, run its copy of this name, and hold the one against the other."""
    endpoint, identity, values = call
    answer = _called(offline, callers, endpoint, identity, values)
    source = KeySource(offline.stack.region, "us-east-1:pool", "login", offline.endpoint)
    token = {"bearer-access": "ACCESS_TOKEN", "bearer-id": "ID_TOKEN"}.get(identity)
    made = copies(answer.sent, token=token, role_arn=None, pool=source)
    (text,) = (one.text for one in made if one.name == name)
    keys, tokens = callers.keys(PERSON, None), callers.tokens(PERSON)
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "ID_TOKEN": tokens["IdToken"],
        "ACCESS_TOKEN": tokens["AccessToken"],
    }
    done = subprocess.run(
        [*program, text], env=environment, capture_output=True, text=True, check=True
    )
    assert str(answer.status) in done.stdout.splitlines()[0], done.stdout
    if identity == "user" and answer.status == 200:
        assert PERSON in done.stdout or '"decided_by"' in done.stdout


@pytest.mark.curl
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}-{call[1]}")
def test_curl_brings_back_the_same(
    offline_aws: OfflineAws, callers: Callers, call: tuple[str, str, Mapping[str, str]]
) -> None:
    """The copy for curl, pasted into a shell, gets the call's own status and caller."""
    _run(offline_aws, callers, "curl", ["sh", "-euc"], call)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}-{call[1]}")
def test_python_brings_back_the_same(
    offline_aws: OfflineAws, callers: Callers, call: tuple[str, str, Mapping[str, str]]
) -> None:
    """The copy for Python gets the call's own status and caller."""
    _run(offline_aws, callers, "Python", [sys.executable, "-c"], call)

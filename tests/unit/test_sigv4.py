"""The panel of the signature: its own text, with what was cut put back, gives the signature."""

import contextlib
import hashlib
import hmac
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from webapp.api.client import ApiClient
from webapp.api.copies import by_hand
from webapp.api.endpoint import Endpoint, Parameter
from webapp.api.sigv4 import EXAMPLE_KEYS, Steps, kept_back, rehearsal, steps_of
from webapp.errors import BadInput
from webapp.outbound import Outbound, Reply
from webapp.records import ApiAnswer, AwsKeys, SentRequest, TokenSet

REQUESTS = 200
REGION = "eu-central-1"
TOKENS = TokenSet("eyJ.id.token", "eyJ.access.token", None, 0, 2_000_000_000)
BASES = (
    "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
    "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/live",
    "http://127.0.0.1:4566/_aws/execute-api/0ec53e95/$default",
)
LETTERS = "abcXYZ019+ &=#?~*!'()@:$,[]{}|^\"<>_-äéßЖ中日😀"


@dataclass
class Recorder(Outbound):
    """A way out that leads nowhere and keeps the headers that were sent."""

    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, url: str, *, headers: Mapping[str, str], **_: Any) -> Reply:
        """Keep them and answer an empty 200."""
        self.headers = dict(headers)
        return Reply(200, "OK", (), b"", False, 0.0)


class _AsGiven(SigV4Auth):  # type: ignore[misc]  # botocore ships no types
    """Signs just the headers that it is given."""

    def headers_to_sign(self, request: Any) -> Any:
        """All of them: the panel says which were signed."""
        return request.headers


def _endpoint(method: str) -> Endpoint:
    return Endpoint(
        name="any",
        method=method,
        path="/documents/{id}/parts/{part}",
        authorization="AWS_IAM",
        summary="Anything.",
        parameters=(
            Parameter("id", r"(?s).*"),
            Parameter("part", r"(?s).*"),
            Parameter("view", r"(?s).*", where="query"),
            Parameter("After", r"(?s).*", where="query"),
            *((Parameter("text", r"(?s).*", where="body"),) if method == "PUT" else ()),
        ),
    )


def _generated(number: int) -> tuple[ApiAnswer, AwsKeys, dict[str, str]]:
    """A call with random values and keys; what the client tells of it, and what really left."""
    chance = random.Random(f"panel {number}")
    way_out = Recorder()
    client = ApiClient(way_out, base=chance.choice(BASES), region=REGION)
    endpoint = _endpoint(chance.choice(["GET", "PUT", "DELETE"]))
    letters = "/+=abcXYZ0189"
    keys = AwsKeys(
        "eu-central-1:id",
        "ASIA" + "".join(chance.choice("ABCDEF0123") for _ in range(16)),
        "".join(chance.choice(letters) for _ in range(40)),
        "".join(chance.choice(letters) for _ in range(chance.randrange(20, 900))),
        0,
        2_000_000_000,
    )
    while True:
        values = {
            one.name: "".join(chance.choice(LETTERS) for _ in range(chance.randrange(1, 12)))
            for one in endpoint.parameters
        }
        with contextlib.suppress(BadInput):
            address, body = endpoint.address(values), endpoint.body(values)
            break
    answer = client.call(endpoint, "user", address, keys=keys, tokens=TOKENS, body=body)
    return answer, keys, way_out.headers


def _recomputed(steps: Steps, sent: SentRequest, keys: AwsKeys) -> tuple[str, str, str]:
    """What botocore makes of the panel's text: canonical request, string to sign, signature."""
    day, region, service, _ = steps.scope.split("/")
    judge = _AsGiven(Credentials(keys.access_key_id, keys.secret_access_key), service, region)
    request = AWSRequest(steps.method, sent.url, data=sent.body)
    for name, value in steps.headers:
        # The one value of the panel that is cut.
        put_back = keys.session_token if name == "x-amz-security-token" else value
        request.headers[name] = put_back
    assert steps.stamp.startswith(day)
    request.context["timestamp"] = steps.stamp
    canonical = judge.canonical_request(request)
    to_sign = judge.string_to_sign(request, canonical)
    return canonical, to_sign, judge.signature(to_sign, request)


@pytest.mark.parametrize("number", range(REQUESTS))
def test_AP_06_panel_recomputed_by_botocore(number: int) -> None:
    """Each text of the panel is botocore's, and its signature is the one that really left."""
    answer, keys, left = _generated(number)
    steps = steps_of(answer.sent)
    assert steps is not None
    canonical, to_sign, signature = _recomputed(steps, answer.sent, keys)
    cut = kept_back(keys.session_token)
    assert steps.canonical.count(cut) == 1
    assert steps.canonical.replace(cut, keys.session_token) == canonical
    assert steps.string_to_sign == to_sign
    assert steps.signature == signature
    assert left["Authorization"].endswith(f"Signature={signature}")
    assert left["x-amz-date"] == steps.stamp
    # What is told of the body and of the canonical request are their hashes.
    assert steps.payload_hash == hashlib.sha256(answer.sent.body or b"").hexdigest()
    assert steps.canonical_hash == hashlib.sha256(canonical.encode()).hexdigest()
    # And the chain of keys, followed by its own words, ends at the signature.
    made = {'"AWS4" + secret access key': f"AWS4{keys.secret_access_key}".encode()}
    for link in steps.links:
        made[link.name] = hmac.digest(made[link.key], link.text.encode(), "sha256")
    assert hmac.digest(made["kSigning"], to_sign.encode(), "sha256").hex() == signature


@pytest.mark.parametrize("number", range(0, REQUESTS, 10))
def test_CR_13_nothing_that_gives_power_is_in_the_panel(number: int) -> None:
    """No key, token or access key id stands in the panel, its rehearsal or the sent request."""
    answer, keys, _ = _generated(number)
    known = rehearsal(answer.sent, REGION)
    assert known is not None
    told = repr((steps_of(answer.sent), known, answer.sent.headers, answer.sent.signing, answer))
    secrets = (keys.secret_access_key, keys.session_token, keys.access_key_id)
    for secret in (*secrets, TOKENS.id_token, TOKENS.access_token):
        assert secret not in told
        assert secret not in by_hand(known)


@pytest.mark.parametrize("number", range(0, REQUESTS, 10))
def test_the_rehearsal_is_checked_by_hand(number: int) -> None:
    """Under AWS's example keys nothing is cut: botocore and the page's own program agree."""
    answer, _, _ = _generated(number)
    known = rehearsal(answer.sent, REGION)
    assert known is not None
    assert "kept on the server" not in known.steps.canonical
    whole = _recomputed(known.steps, answer.sent, EXAMPLE_KEYS)
    assert whole == (known.steps.canonical, known.steps.string_to_sign, known.steps.signature)
    done = subprocess.run(
        [sys.executable, "-c", by_hand(known)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [*known.keys, known.steps.signature]


def test_what_is_not_signed_has_no_steps() -> None:
    """A call as nobody and one with a bearer token have neither steps nor a rehearsal."""
    client = ApiClient(Recorder(), base=BASES[0], region=REGION)
    for identity in ("nobody", "bearer-access", "bearer-id"):
        answer = client.call(_endpoint("GET"), identity, "/x", tokens=TOKENS)
        assert steps_of(answer.sent) is None
        assert rehearsal(answer.sent, REGION) is None
        assert answer.split.signing == 0.0

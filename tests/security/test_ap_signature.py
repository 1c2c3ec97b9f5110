"""AP-06: the signature of a call, judged by botocore's signer and by the documented algorithm."""

import hashlib
import hmac
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from webapp.api.catalogue import ENDPOINTS, Endpoint, Parameter
from webapp.api.client import ApiClient
from webapp.errors import BadInput
from webapp.outbound import Outbound, Reply
from webapp.records import AwsKeys, TokenSet

VALUES = 10_000
REGION = "us-east-1"
KEYS = AwsKeys("us-east-1:id", "ASIAEXAMPLE", "wJalr/XUtn+FEMI=", "IQoJb3/+tok==", 0, 2_000_000_000)
TOKENS = TokenSet("eyJ.id.token", "eyJ.access.token", None, 0, 2_000_000_000)
BASES = (
    "https://a1b2.execute-api.us-east-1.amazonaws.com",
    "http://127.0.0.1:4566/_aws/x/$default",
)
DOCUMENT = Endpoint(
    name="documents",
    method="GET",
    path="/documents/{id}/parts/{part}",
    authorization="AWS_IAM",
    summary="A document.",
    parameters=(
        Parameter("id", r"(?s).*"),
        Parameter("part", r"(?s).*"),
        Parameter("view", r"(?s).*", where="query"),
        Parameter("after", r"(?s).*", where="query"),
        Parameter("A-upper.name_~", r"(?s).*", where="query"),
    ),
)
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/(\d{8})/us-east-1/execute-api/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)


@dataclass
class Recorder(Outbound):
    """A way out that leads nowhere and keeps what was sent."""

    sent: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        **_: Any,
    ) -> Reply:
        """Keep the request and answer an empty 200."""
        self.sent = [(method, url, dict(headers), body or b"")]
        return Reply(200, "OK", (), b"", False, 0.0)


def _canonical(
    method: str, url: str, headers: Mapping[str, str], names: list[str], body: bytes
) -> str:
    """The canonical request as AWS documents it for every service but S3."""
    parts = urlsplit(url)
    # Each path segment is URI-encoded once more on top of what is sent.
    path = "/".join(quote(segment, safe="-_.~") for segment in parts.path.split("/")) or "/"
    pairs = [pair.partition("=")[::2] for pair in parts.query.split("&") if pair]
    encoded = sorted((_once(name), _once(value)) for name, value in pairs)
    lowered = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    return "\n".join(
        [
            method,
            path,
            "&".join(f"{name}={value}" for name, value in encoded),
            *(f"{name}:{lowered[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        ]
    )


def _once(text: str) -> str:
    return quote(unquote(text, errors="strict"), safe="-_.~")


def _documented(canonical: str, stamp: str) -> str:
    scope = f"{stamp[:8]}/{REGION}/execute-api/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{KEYS.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    return hmac.digest(key, text.encode(), "sha256").hex()


class _ExactHeaders(SigV4Auth):  # type: ignore[misc]  # botocore ships no types
    """Signs just the headers that it is given."""

    def headers_to_sign(self, request: Any) -> Any:
        """All of them: the test hands over what was signed."""
        return request.headers


_JUDGE = _ExactHeaders(
    Credentials(KEYS.access_key_id, KEYS.secret_access_key, KEYS.session_token),
    "execute-api",
    REGION,
)


def _botocore(
    method: str, url: str, headers: Mapping[str, str], names: list[str], stamp: str, body: bytes
) -> tuple[str, str]:
    request = AWSRequest(method, url, data=body)
    lowered = {name.lower(): value for name, value in headers.items()}
    for name in names:
        request.headers[name] = lowered[name]
    request.context["timestamp"] = stamp
    canonical = _JUDGE.canonical_request(request)
    text = _JUDGE.string_to_sign(request, canonical)
    return canonical, _JUDGE.signature(text, request)


def _all_agree(
    client: ApiClient,
    way_out: Recorder,
    endpoint: Endpoint,
    address: str,
    content: bytes | None = None,
) -> None:
    client.call(endpoint, "user", address, keys=KEYS, tokens=TOKENS, body=content)
    ((method, url, headers, body),) = way_out.sent
    assert body == (content or b"")
    match = AUTHORIZATION.fullmatch(headers["Authorization"])
    assert match is not None, headers["Authorization"]
    day, names, signature = match[1], match[2].split(";"), match[3]
    stamp = headers["x-amz-date"]
    assert stamp.startswith(day)
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(names)
    assert urlsplit(url).netloc == headers["Host"]
    canonical, theirs = _botocore(method, url, headers, names, stamp, body)
    assert canonical == _canonical(method, url, headers, names, body), url
    assert signature == theirs, canonical
    assert signature == _documented(canonical, stamp), canonical


def _client(base: str) -> tuple[ApiClient, Recorder]:
    way_out = Recorder()
    return ApiClient(way_out, base=base, region=REGION), way_out


_HARD = "+ ;&=#?%/\\.~*!'()@:$,[]{}|^`\"<>_-"
_WIDE = "äéßøЖ中日\u00a0😀\u0301\u200b\u2028\r\n\x00\x7f"


def _value(chance: random.Random) -> str:
    kind = chance.random()
    letters = "abcXYZ019"
    if kind < 0.5:
        letters += _HARD * 3
    elif kind < 0.8:
        letters += _HARD + _WIDE
    return "".join(chance.choice(letters) for _ in range(chance.randrange(0, 12)))


@pytest.mark.parametrize("name", ["id", "view"])
def test_AP_06_random_values(name: str) -> None:
    """Of 10,000 random values of a parameter each is refused, or all three signatures agree."""
    chance = random.Random(f"AP-06 {name}")
    calm = {"id": "7", "part": "1", "view": "x"}
    client, way_out = _client(BASES[1])
    agreed = refused = 0
    for _ in range(VALUES):
        values = calm | {name: _value(chance)}
        try:
            address = DOCUMENT.address(values)
        except BadInput:
            refused += 1
            continue
        _all_agree(client, way_out, DOCUMENT, address)
        agreed += 1
    assert agreed > VALUES // 5
    assert refused > VALUES // 50


def test_AP_06_all_parameters_at_once() -> None:
    """The same holds when every parameter is odd at the same time, on AWS's host and offline."""
    chance = random.Random("AP-06")
    names = [one.name for one in DOCUMENT.parameters]
    for base in BASES:
        client, way_out = _client(base)
        for _ in range(1_000):
            try:
                address = DOCUMENT.address({name: _value(chance) for name in names})
            except BadInput:
                continue
            _all_agree(client, way_out, DOCUMENT, address)


def test_AP_06_the_catalogue() -> None:
    """Every endpoint of the catalogue is signed right, with and without its parameters."""
    for base in BASES:
        client, way_out = _client(base)
        for endpoint in ENDPOINTS:
            calm = endpoint.defaults
            odd = {
                one.name: "a+b;c d&e=%f"
                for one in endpoint.parameters
                if one.where != "path" and one.name != "project"
            }
            for values in (calm, calm | odd):
                address, body = endpoint.address(values), endpoint.body(values)
                _all_agree(client, way_out, endpoint, address, body)

"""The signature of a call, and the steps that lead to it (AWS: Create a signed AWS API request).

The signer is that of requests-aws4auth. It is listened to while it works, so what is shown is what
was signed and no second invention. What gives power is cut before anything is kept.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict
from requests_aws4auth import AWS4Auth

from webapp.records import AwsKeys, SentRequest, SigningText

SERVICE = "execute-api"
ALGORITHM = "AWS4-HMAC-SHA256"
# Known to everybody from the documentation of AWS: what is signed with them proves nothing.
EXAMPLE_KEYS = AwsKeys(
    identity_id="",
    access_key_id="AKIDEXAMPLE",
    secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    session_token="EXAMPLE-SESSION-TOKEN",
    fetched_at=0,
    expires_at=0,
)
_SIGNED = {"host", "content-type", "x-amz-date"}
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), ?"
    r"SignedHeaders=(?P<names>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


def kept_back(value: str) -> str:
    """What stands in place of a value that gives power."""
    return f"({len(value)} characters, kept on the server)"


@dataclass(slots=True)
class Signed:
    """A request with its signature. `text` is what was signed, with the session token cut."""

    headers: dict[str, str] = field(repr=False)
    text: SigningText


def signed(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    keys: AwsKeys,
    region: str,
) -> Signed:
    """The request, signed for API Gateway, its session token included (SigV4)."""
    request = PreparedRequest()
    request.method, request.url, request.body = method, url, body
    # The signer looks at each header more than once, and signs none but these.
    chosen = {name: value for name, value in headers.items() if name.lower() in _SIGNED}
    request.headers = CaseInsensitiveDict(chosen)
    signer = _Listening(
        keys.access_key_id,
        keys.secret_access_key,
        region,
        SERVICE,
        session_token=keys.session_token,
    )
    signer(request)
    canonical = signer.canonical.replace(keys.session_token, kept_back(keys.session_token))
    return Signed({**headers, **request.headers}, SigningText(canonical, signer.string_to_sign))


class _Listening(AWS4Auth):  # type: ignore[misc]  # ships no types
    """Signs, and keeps the two texts that it made on the way."""

    canonical = ""
    string_to_sign = ""

    def get_canonical_request(self, *given: Any) -> str:
        self.canonical = str(super().get_canonical_request(*given))
        return self.canonical

    def get_sig_string(self, *given: Any) -> str:
        self.string_to_sign = str(super().get_sig_string(*given))
        return self.string_to_sign


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain that derives the signing key: `name` is HMAC-SHA256(`key`, `text`)."""

    name: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Steps:
    """The way from a request to its signature. `canonical` has the session token cut."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    names: str
    payload_hash: str
    canonical: str
    canonical_hash: str
    string_to_sign: str
    stamp: str
    scope: str
    links: tuple[Link, ...]
    signature: str


def steps_of(sent: SentRequest) -> Steps | None:
    """The steps of a signed request; None for one that was not signed."""
    given = next((value for name, value in sent.headers if name.lower() == "authorization"), "")
    found = _AUTHORIZATION.fullmatch(given)
    if found is None or sent.signing is None:
        return None
    canonical, to_sign = sent.signing.canonical_request, sent.signing.string_to_sign
    method, path, query, *lines, _, names, payload_hash = canonical.split("\n")
    _, stamp, scope, canonical_hash = to_sign.split("\n")
    return Steps(
        method=method,
        path=path,
        query=query,
        headers=tuple((name, value) for name, _, value in (one.partition(":") for one in lines)),
        names=names,
        payload_hash=payload_hash,
        canonical=canonical,
        canonical_hash=canonical_hash,
        string_to_sign=to_sign,
        stamp=stamp,
        scope=scope,
        links=links(scope),
        signature=found["signature"],
    )


def links(scope: str) -> tuple[Link, ...]:
    """How the signing key comes from the secret key and a scope: day, region, service, an end."""
    day, region, service, end = scope.split("/")
    return (
        Link("kDate", '"AWS4" + secret access key', day),
        Link("kRegion", "kDate", region),
        Link("kService", "kRegion", service),
        Link("kSigning", "kService", end),
    )


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The same request under keys that everybody knows: nothing is cut, all can be recomputed.

    `keys` are the bytes of each link of the chain, in hexadecimal.
    """

    secret: str
    token: str
    steps: Steps
    keys: tuple[str, ...]


def rehearsal(sent: SentRequest, region: str) -> Rehearsal | None:
    """The request as it left, signed with the example keys; None for one that was not signed."""
    if sent.signing is None:
        return None
    headers = {
        name: value
        for name, value in sent.headers
        if name.lower() not in ("authorization", "x-amz-security-token", "x-amz-content-sha256")
    }
    keys = EXAMPLE_KEYS
    again = signed(sent.method, sent.url, headers, sent.body, keys, region)
    token = keys.session_token
    text = SigningText(
        again.text.canonical_request.replace(kept_back(token), token), again.text.string_to_sign
    )
    shown = SentRequest(sent.method, sent.url, tuple(again.headers.items()), sent.body, text)
    steps = steps_of(shown)
    if steps is None:
        raise AssertionError("a signed request has steps")
    made = []
    key = f"AWS4{keys.secret_access_key}".encode()
    for link in steps.links:
        key = hmac.digest(key, link.text.encode(), "sha256")
        made.append(key.hex())
    return Rehearsal(keys.secret_access_key, token, steps, tuple(made))

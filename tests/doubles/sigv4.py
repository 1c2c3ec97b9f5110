"""Judges a Signature Version 4 by letting botocore's own signer compute it anew."""

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.doubles.double import Now
from tests.doubles.message import Request
from tests.doubles.vault import IssuedKeys, Vault

HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/, ]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
SKEW_SECONDS = 300.0


@dataclass(frozen=True)
class Verdict:
    """What the judge found. `keys` are those that really signed; `expected` helps to debug."""

    keys: IssuedKeys | None = None
    fault: str | None = None
    """Why it is refused; None when it holds."""
    clients_fault: bool = False
    """Whether no right client makes such a request, whatever the time and the keys."""
    expected: str = ""
    """The canonical request and string to sign that botocore computes."""


@dataclass(frozen=True)
class Judge:
    """Verifies signatures for one service of one region, by clocks (epoch seconds).

    A signature's time must be near one of the clocks: a signer may well use the machine's own
    while the test moves another.
    """

    vault: Vault
    clocks: Sequence[Now]
    region: str
    service: str = "execute-api"

    def verdict(self, request: Request, scheme: str) -> Verdict:
        """Judge one request that carries an AWS4 Authorization header."""
        match = HEADER.fullmatch(request.header("Authorization") or "")
        if match is None:
            return Verdict(fault="not an AWS4 Authorization header", clients_fault=True)
        access_key, day, region, service, names, signature = match.groups()
        if (region, service) != (self.region, self.service):
            return Verdict(fault=f"signed for {service} in {region}", clients_fault=True)
        keys = self.vault.find(access_key)
        if keys is None:
            return Verdict(fault="access key is unknown")
        stamp = request.header("X-Amz-Date") or ""
        fault = _incomplete(request, names.split(";"), keys, stamp, day)
        if fault is not None:
            return Verdict(fault=fault, clients_fault=True)
        expected, text = self._recompute(request, scheme, names.split(";"), keys, stamp)
        if not hmac.compare_digest(expected, signature):
            return Verdict(fault="signature does not match", clients_fault=True, expected=text)
        at = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        if all(abs(at - clock()) > SKEW_SECONDS for clock in self.clocks):
            return Verdict(fault="signature is not of this time", expected=text)
        if keys.expires_at <= self.clocks[0]():
            return Verdict(fault="credentials have expired", expected=text)
        return Verdict(keys=keys, expected=text)

    def _recompute(
        self, request: Request, scheme: str, names: list[str], keys: IssuedKeys, stamp: str
    ) -> tuple[str, str]:
        url = f"{scheme}://{request.header('Host')}{request.target}"
        copy = AWSRequest(request.method, url, data=request.body)
        for name in names:
            for value in request.header_values(name):
                copy.headers.add_header(name, value)
        copy.context["timestamp"] = stamp
        signer = _ExactHeaders(
            Credentials(keys.access_key, keys.secret_key, keys.session_token),
            self.service,
            self.region,
        )
        canonical = signer.canonical_request(copy)
        to_sign = signer.string_to_sign(copy, canonical)
        return str(signer.signature(to_sign, copy)), f"{canonical}\n---\n{to_sign}"


class _ExactHeaders(SigV4Auth):  # type: ignore[misc]  # botocore ships no types
    """Signs the headers that the request names, also those that botocore itself leaves out."""

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers


def _incomplete(
    request: Request, names: list[str], keys: IssuedKeys, stamp: str, day: str
) -> str | None:
    if missing := {"host", "x-amz-date", "x-amz-security-token"} - set(names):
        return f"not signed: {', '.join(sorted(missing))}"
    if names != sorted(names):
        return "signed headers are not sorted"
    if absent := [name for name in names if not request.header_values(name)]:
        return f"signed but absent: {', '.join(absent)}"
    if not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or not stamp.startswith(day):
        return f"X-Amz-Date is {stamp!r}"
    if request.header("X-Amz-Security-Token") != keys.session_token:
        return "session token is not the one of these keys"
    digest = request.header("X-Amz-Content-Sha256")
    if digest not in (None, hashlib.sha256(request.body).hexdigest()):
        return "X-Amz-Content-Sha256 is not the digest of the body"
    return None

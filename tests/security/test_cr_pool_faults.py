"""CR-01, CR-05, ID-02, ID-03: an identity pool that is slow, endless, in trouble or senseless."""

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.doubles.endpoint import Endpoint
from tests.rig import Rig
from webapp.credentials.transport import DEADLINE

EXPIRATION = 1_900_000_000.0
KEYS: dict[str, Any] = {
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretKey": "secret",
    "SessionToken": "session",
    "Expiration": EXPIRATION,
}


def _call(rig: Rig) -> tuple[int, str]:
    response = rig.signed_in("admin").call("vip", "user", json=False)
    return response.status, response.page.text


@pytest.mark.slow
@pytest.mark.parametrize("head", [True, False], ids=["head", "body"])
def test_CR_05_dripping_pool_is_given_up(rig: Rig, head: bool) -> None:
    """One byte a second is cut off at the deadline for the whole exchange, with a 503."""
    rig.cognito.pool.get_id.drip(1.0, head=head)
    browser = rig.signed_in("admin")
    began = time.monotonic()
    response = browser.call("vip", "user")
    assert response.status == 503
    assert time.monotonic() - began < DEADLINE + 1.5
    assert browser.get("/me").status == 200


def test_CR_05_endless_pool_is_cut(rig: Rig) -> None:
    """A pool whose answer never ends costs its cap and no more, and the session stays."""
    rig.cognito.pool.get_id.endless()
    browser = rig.signed_in("admin")
    assert browser.call("vip", "user").status == 503
    assert browser.get("/me").status == 200


TROUBLE: dict[str, Callable[[Endpoint], object]] = {
    "503-html": lambda get_id: get_id.answer(503, b"<h1>Service Unavailable</h1>"),
    "500-empty": lambda get_id: get_id.answer(500, b""),
    "internal": lambda get_id: get_id.aws_error("InternalFailure", status=500),
    "429-text": lambda get_id: get_id.answer(429, b"slow down"),
    "header-alone": lambda get_id: get_id.answer(
        400, b"{}", {"x-amzn-errortype": "TooManyRequestsException:http://aws.example/"}
    ),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)
def test_CR_01_trouble_that_passes_is_tried_again(
    rig: Rig, trouble: Callable[[Endpoint], object]
) -> None:
    """What AWS may get over is asked three times, then answered with 503 and Retry-After."""
    trouble(rig.cognito.pool.get_id)
    response = rig.signed_in("admin").call("vip", "user")
    assert response.status == 503
    assert response.header("Retry-After")
    assert rig.cognito.pool.get_id.count == 3


NONSENSE = {
    "html": b"<html></html>",
    "empty-object": b"{}",
    "null": b"null",
    "list": b"[]",
    "no-utf8": b'{"IdentityId": "\xff"}',
    "deep": b"[" * 100_000,
    "number": b'{"IdentityId": 7}',
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_CR_05_senseless_identity(rig: Rig, body: bytes) -> None:
    """A success that makes no sense is an outage of the pool, never a crash of ours."""
    rig.cognito.pool.get_id.answer(200, body)
    status, _ = _call(rig)
    assert status == 503
    assert '"unforeseen"' not in rig.log


ODD: dict[str, dict[str, Any]] = {
    "expires-soon": KEYS | {"Expiration": "soon"},
    "expires-never": KEYS | {"Expiration": 1e300},
    "surrogate": KEYS | {"SessionToken": "\ud800"},
    "line": KEYS | {"SessionToken": "a\r\nX-Evil: 1"},
    "no-secret": {name: value for name, value in KEYS.items() if name != "SecretKey"},
}


@pytest.mark.parametrize("keys", ODD.values(), ids=ODD)
def test_CR_05_odd_credentials(rig: Rig, keys: dict[str, Any]) -> None:
    """Credentials that cannot be what they claim are not used, and nothing breaks."""
    body = json.dumps({"IdentityId": "us-east-1:x", "Credentials": keys}).encode()
    rig.cognito.pool.get_credentials.answer(200, body)
    status, _ = _call(rig)
    assert status == 503
    assert '"unforeseen"' not in rig.log
    assert rig.cognito.api.calls == []


def test_CR_05_packed_answer_is_read(rig: Rig) -> None:
    """A pool that packs its answer unasked is understood all the same."""
    body = gzip.compress(json.dumps({"IdentityId": "us-east-1:x", "Credentials": KEYS}).encode())
    rig.cognito.pool.get_credentials.answer(200, body, {"Content-Encoding": "gzip"})
    browser = rig.signed_in("admin")
    assert "us-east-1:x" in browser.get("/credentials").page.text

"""OU-16: an API that sends back what it was sent does not bring a secret into a page or JSON."""

import json
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.doubles.message import Answer, Request
from tests.rig import Rig
from webapp.api.catalogue import endpoint_named
from webapp.api.client import CAP
from webapp.api.cutting import without
from webapp.outbound import Reply
from webapp.records import TokenSet

CALLS = [
    *(("secure", "user"), ("test-public", "guest")),
    *(("protected", "bearer-access"), ("protected", "bearer-id")),
]
SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda text: f"seen: {text} and {text}".encode(),
    "JSON": lambda text: json.dumps({"headers": {"seen": text, "again": [text]}}).encode(),
    "JSON in JSON": lambda text: json.dumps({"event": json.dumps({"seen": text})}).encode(),
    "escaped slash": lambda text: json.dumps({"seen": text}).replace("/", "\\/").encode(),
    "escaped signs": lambda text: "".join(
        char if char.isalnum() or char in '{}": ' else f"\\u{ord(char):04x}"
        for char in json.dumps({"seen": text})
    ).encode(),
    "address": lambda text: b"/path?token=" + quote(text, safe="").encode(),
}


def _sent(request: Request) -> str:
    names = ("Authorization", "x-amz-security-token", "X-Cognito-Id-Token")
    return " ".join(request.header(name) or "" for name in names)


def _secrets(rig: Rig) -> list[str]:
    keys = rig.cognito.vault.issued
    mint = rig.cognito.issuer.mint
    held = [*mint.id_token.minted, *mint.access_token.minted]
    return held + [text for one in keys for text in (one.session_token, one.secret_key)]


def _pieces(rig: Rig) -> list[str]:
    """Parts of every secret, letters and digits alone, as they stand in any spelling."""
    runs = []
    for secret in _secrets(rig):
        clean = "".join(char if char.isalnum() else " " for char in secret).split()
        runs += [run for run in clean if len(run) >= 16]
    return runs


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(("endpoint", "identity"), CALLS)
def test_OU_16_echo(rig: Rig, endpoint: str, identity: str, spelling: str) -> None:
    """Tokens and keys that the API echoes, however it spells them, are cut out of the answer."""

    def echo(request: Request, _: object) -> Answer:
        seen = _sent(request)
        headers = (
            ("X-Seen", seen),
            ("Apigw-Requestid", seen),
            ("Content-Type", "application/json"),
        )
        return Answer(200, headers, SPELLINGS[spelling](seen))

    browser = rig.signed_in("admin")
    rig.cognito.api[endpoint].program(echo)
    page = browser.call(endpoint, identity, json=False)
    script = browser.call(endpoint, identity)
    assert _pieces(rig)
    for answer in (page, script):
        assert answer.status == 200
        assert "(cut)" in answer.text
        assert [piece for piece in _pieces(rig) if piece in answer.text] == []
    assert "seen" in script.text or "path" in script.text


def test_OU_16_echo_at_the_end_of_what_is_read(rig: Rig) -> None:
    """A token that begins where we stop reading is cut as well."""

    def echo(request: Request, _: object) -> Answer:
        return Answer(200, (), b"x" * (CAP - 100) + _sent(request).removeprefix("Bearer ").encode())

    rig.signed_in("admin")
    rig.cognito.api["protected"].program(echo)
    mint = rig.cognito.issuer.mint
    tokens = TokenSet(mint.id_token.minted[-1], mint.access_token.minted[-1], None, 0, 0)
    answer = rig.services.api.call(
        endpoint_named("protected"), "bearer-access", "/protected", tokens=tokens
    )
    assert answer.cut
    assert answer.body == b"x" * (CAP - 100) + b"(cut)"


def test_OU_16_nothing_else_is_cut(rig: Rig) -> None:
    """An answer that echoes nothing is shown as it came."""
    browser = rig.signed_in("admin")
    rig.cognito.api["secure"].answer(200, {"token": "eyJhbGciOiJub25lIn0.e30.x", "n": [1]})
    body = browser.call("secure", "user").json()["body"]
    assert body == {"token": "eyJhbGciOiJub25lIn0.e30.x", "n": [1]}


@pytest.mark.parametrize("start", ["/", "+", "I"])
@pytest.mark.parametrize("fill", [b"\\", b"%2", b"\\u00", b"/"])
def test_AB_10_a_body_of_one_sign_is_searched_in_one_go(start: str, fill: bytes) -> None:
    """However often a body begins what a secret begins with, it is cut in less than a second."""
    secret = f"{start}/+=abc{'x' * 32}"
    body = (fill * CAP)[:CAP]
    began = time.monotonic()
    reply = without(Reply(200, "", (), body + secret.encode(), True, 0.0), [secret])
    assert time.monotonic() - began < 1.0
    assert secret.encode() not in reply.body


@pytest.mark.parametrize("before", ["", "\\", "\\\\", '"'])
def test_OU_16_a_secret_after_backslashes(before: str) -> None:
    """Backslashes before a secret hide it no more than any other sign."""
    for secret in ("/begins+with/a+sign/0123456789", "begins+with/a+letter/0123456789"):
        for text in (secret, secret.replace("/", "\\/"), json.dumps(json.dumps(before + secret))):
            reply = without(Reply(200, "", (), (before + text).encode(), False, 0.0), [secret])
            assert b"(cut)" in reply.body, (before, text)

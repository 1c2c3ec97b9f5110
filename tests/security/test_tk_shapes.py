"""TK-15, TK-16: tokens of the wrong size or shape, refused before they cost anything."""

import json
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.doubles import forge
from tests.doubles.keys import b64url
from tests.doubles.mint import Draft
from tests.rig import Rig, rigged
from tests.security.outcomes import Watch, is_anonymous
from tests.security.signing_in import arrive, assert_accepted, assert_refused
from webapp.managed_login.tokens import MAX_GROUPS, TokenRefused, TokenVerifier

MIB = 1 << 20


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One rig for the many small cases of this module."""
    with rigged(tmp_path_factory.mktemp("shapes"), client_secret="s3cret") as made:
        yield made


@pytest.fixture
def rig(one: Rig) -> Iterator[Rig]:
    """The rig of the module, without the faults of the test before."""
    yield one
    one.cognito.heal()


def _header(**more: object) -> str:
    return b64url(json.dumps({"alg": "RS256", "kid": "k"} | more).encode())


DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    "token",
    [
        "A" * (10 * MIB),
        f"{_header()}.{'A' * (10 * MIB)}.{'A' * 342}",
        f"{_header(typ='x' * MIB)}.e30.AA",
        f"{_header()}.{b64url(DEEP)}.AA",
        f"{b64url(DEEP)}.e30.AA",
        "." * (10 * MIB),
        "é" * (5 * MIB),
    ],
    ids=["text", "payload", "header", "deep payload", "deep header", "dots", "not ascii"],
)
def test_TK_15_refused_by_size(rig: Rig, token: str) -> None:
    """A token out of all measure is refused before it is decoded: no time, no memory, no fetch."""
    settings, keys = rig.settings, rig.services.signing_keys
    verifier = TokenVerifier(keys, settings.issuer, settings.cognito_client_id, rig.clock)
    asked = rig.cognito.issuer.jwks.count
    tracemalloc.start()
    began = time.thread_time()
    with pytest.raises(TokenRefused, match="size"):
        verifier.id_token(token, nonce="n")
    took = time.thread_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 0.05
    assert peak < 5 * MIB
    assert rig.cognito.issuer.jwks.count == asked


def test_TK_15_ten_megabytes_from_the_token_endpoint(rig: Rig) -> None:
    """An answer of the token endpoint beyond the cap is cut: busy, nobody signed in."""
    rig.cognito.issuer.token.alter(lambda body: body.update(id_token="A" * (10 * MIB)))
    browser, watch = rig.browser(), Watch(rig)
    response = arrive(rig, browser)
    assert response.status == 503
    assert watch.new_sessions == 0
    assert watch.token_requests == 1
    assert is_anonymous(rig, browser)


def test_TK_15_large_token_through_the_door(rig: Rig) -> None:
    """A token that fits the answer but no measure of ours is refused by size."""
    rig.cognito.issuer.token.alter(lambda body: body.update(id_token="A" * (900 * 1024)))
    assert_refused(rig, "size")


@pytest.mark.parametrize("depth", [40, 400, 900, 3000])
@pytest.mark.parametrize("name", ["cognito:groups", "address", "auth_time"])
def test_TK_15_nested_claims(rig: Rig, name: str, depth: int) -> None:
    """Claims nested deeper than any claim is are refused, within the size limit too."""
    opened = json.dumps({"@": 0})[:-1].replace('"@": 0', f'"{name}": ')

    def write(draft: Draft) -> str:
        raw = opened + "[" * depth + "]" * depth + ", " + json.dumps(draft.claims)[1:]
        return forge.payload(raw.encode())(draft)

    rig.cognito.issuer.mint.id_token.write(write)
    assert_refused(rig, "claims")


def test_TK_15_nested_header(rig: Rig) -> None:
    """A header nested as deep as its size allows is refused, whoever parses it next."""
    deep: object = []
    for _ in range(700):
        deep = [deep]
    rig.cognito.issuer.mint.id_token.write(forge.with_header(typ=deep))
    assert_refused(rig, "format")


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "exp", "nonce", "cognito:groups", "x"])
def test_TK_15_repeated_members(rig: Rig, name: str) -> None:
    """Claims in which a member stands twice are refused, even if the last one is right."""
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.setdefault(name, "x"))
    rig.cognito.issuer.mint.id_token.write(forge.repeated_claim(name, "evil"))
    assert_refused(rig, "claims")


def test_TK_15_repeated_header_members(rig: Rig) -> None:
    """A header that names its algorithm twice is refused."""

    def write(draft: Draft) -> str:
        head = b64url(json.dumps({"alg": "none"})[:-1].encode() + b', "alg": "RS256"}')
        text = f"{head}.{b64url(json.dumps(draft.claims).encode())}"
        return f"{text}.{b64url(draft.key.sign(text.encode()))}"

    rig.cognito.issuer.mint.id_token.write(write)
    assert_refused(rig, "format")


@pytest.mark.parametrize(
    "payload",
    [
        *(b"[]", b"null", b"true", b"1", b'"text"', b"", b"{", b"{}x", b"\xff\xfe", b'{"a":1,}'),
        *('{"iss":"x"}'.encode("utf-16"), b'\xef\xbb\xbf{"iss":"x"}', b'{"x":"\xed\xa0\x80"}'),
        *(b'{"x":"\\ud800"}', b'{"x":"a\\udc00b"}', b'{"\\ud800":1}'),
    ],
)
def test_TK_16_claims_that_are_no_object(rig: Rig, payload: bytes) -> None:
    """A payload that is no sound JSON object in UTF-8 is refused."""
    rig.cognito.issuer.mint.id_token.write(forge.payload(payload))
    assert_refused(rig, "claims")
    rig.cognito.issuer.mint.heal()
    rig.cognito.issuer.mint.access_token.write(forge.payload(payload))
    assert_refused(rig, "claims")


@pytest.mark.parametrize("groups", ["Admin", {"Admin": 1}, 7, None, True, [["Admin"], {}, 3, None]])
def test_TK_16_groups_of_another_type(rig: Rig, groups: object) -> None:
    """Groups that are no list of text are no groups; the person's pages come all the same."""
    rig.cognito.issuer.mint.id_token(
        lambda _, claims: claims.update({"cognito:groups": groups, "cognito:roles": groups})
    )
    browser = assert_accepted(rig)
    assert browser.me()["groups"] == []
    assert browser.call("vip", "nobody").json()["status"] == 403


def test_TK_16_ten_thousand_groups(rig: Rig) -> None:
    """A token with ten thousand groups is refused by size."""
    many = [f"g{number}" for number in range(10_000)]
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update({"cognito:groups": many}))
    assert_refused(rig, "size")


def test_TK_16_many_groups_are_capped(rig: Rig) -> None:
    """Groups that fit into a token are taken up to the cap."""
    many = [f"g{number}" for number in range(600)]
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update({"cognito:groups": many}))
    browser = assert_accepted(rig)
    assert browser.me()["groups"] == many[:MAX_GROUPS]


def test_TK_16_tokens_that_no_session_holds(rig: Rig) -> None:
    """Two tokens, each within the limit, that together overflow a session are refused, no crash."""
    mint = rig.cognito.issuer.mint
    for hooks in (mint.id_token, mint.access_token):
        hooks(lambda _, claims: claims.update({"cognito:groups": ["x" * 255] * 43}))
    rig.cognito.issuer.token.alter(lambda body: body.update(refresh_token="r" * 9000))
    watch = Watch(rig)
    assert watch.denied(arrive(rig), token_requests=1) == "session_too_large"

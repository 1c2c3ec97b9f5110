"""Tokens can be falsified in every way that the catalogue lists."""

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.doubles import Cognito, forge
from tests.doubles.keys import decode, signing_key, unb64url
from tests.doubles.mint import Write
from tests.doubles.pool import Refused
from tests.unit.doubles.walk import Walk

FALSE = {
    "none": forge.alg_none,
    "no-alg": forge.alg(None),
    "empty-alg": forge.alg(""),
    "hs256-public-key": forge.hs256(),
    "hs256-secret": forge.hs256(b"a-secret"),
    "es256": forge.es256,
    "ps256": forge.ps256,
    "eddsa": forge.eddsa,
    "own-key": forge.own_key,
    "embedded-jwk": forge.embedded_jwk,
    "jku": forge.key_url("http://127.0.0.1:1/keys"),
    "broken": forge.broken_signature,
    "wrong-kid": forge.with_header(kid="unknown"),
    "no-kid": forge.without_kid,
    "no-json": forge.payload(b"{"),
    "jwe": forge.encrypted,
}


@pytest.mark.parametrize("write", FALSE.values(), ids=FALSE)
def test_false_tokens_are_refused_by_the_pool_itself(
    cognito: Cognito, walk: Walk, write: Write
) -> None:
    """Every forgery reaches the client, once, and would not get AWS keys from the fake pool."""
    cognito.issuer.mint.id_token.write(write, times=1)
    false, true = walk.tokens()["id_token"], walk.tokens()["id_token"]
    with pytest.raises(Refused):
        cognito.issuer.pool.read(false, "id")
    assert cognito.issuer.pool.read(true, "id")["token_use"] == "id"


@pytest.mark.parametrize("name", ["none", "hs256-public-key", "own-key", "broken", "es256"])
def test_false_tokens_are_false_to_an_independent_library(
    cognito: Cognito, walk: Walk, name: str
) -> None:
    """A library that pins RS256 refuses the forgeries as well."""
    cognito.issuer.mint.id_token.write(FALSE[name])
    keys = KeySet.import_key_set(cognito.issuer.pool.key_set())  # type: ignore[arg-type]
    with pytest.raises((JoseError, ValueError)):
        jwt.decode(walk.tokens()["id_token"], keys, algorithms=["RS256"])


def test_claims_and_header_can_be_changed_before_signing(cognito: Cognito, walk: Walk) -> None:
    """A change of claims is honestly signed, and lasts for as many tokens as were named."""
    cognito.issuer.mint.id_token(lambda _header, claims: claims.update(iss="https://evil"), times=1)
    cognito.issuer.mint.access_token(lambda header, _claims: header.update(typ="odd"))
    first, second = walk.tokens(), walk.tokens()
    assert decode(first["id_token"])[1]["iss"] == "https://evil"
    assert decode(second["id_token"])[1]["iss"] == cognito.issuer.issuer
    assert decode(second["access_token"])[0]["typ"] == "odd"


def test_repeated_claim_stands_twice(cognito: Cognito, walk: Walk) -> None:
    """The payload holds the same member twice, the true value last."""
    cognito.issuer.mint.id_token.write(forge.repeated_claim("sub", "somebody"))
    text = walk.tokens()["id_token"]
    raw = unb64url(text.split(".")[1])
    assert raw.count(b'"sub"') == 2
    assert decode(text)[1]["sub"] == cognito.user("admin").sub


def test_rotated_keys_leave_the_key_set(cognito: Cognito, walk: Walk) -> None:
    """After a rotation new tokens carry new key ids, and old keys are gone unless kept."""
    before = decode(walk.tokens()["id_token"])[0]["kid"]
    cognito.issuer.pool.rotate_keys(keep_old=True)
    published = {key["kid"] for key in cognito.issuer.pool.key_set()["keys"]}
    assert before in published
    after = decode(walk.tokens()["id_token"])[0]["kid"]
    assert after != before
    assert after in published
    cognito.issuer.pool.rotate_keys()
    assert len(cognito.issuer.pool.key_set()["keys"]) == 2


def test_keys_are_made_once() -> None:
    """The same name gives the same key for the whole process."""
    assert signing_key("attacker") is signing_key("attacker")


def test_unusable_keys_have_their_faults() -> None:
    """The key set can hold symmetric, small, weak and private keys."""
    assert forge.jwk("symmetric")["kty"] == "oct"
    assert len(forge.jwk("small")["n"]) < 100
    assert forge.jwk("exponent-one")["e"] == "AQ"
    assert "d" in forge.jwk("private")
    with pytest.raises(ValueError, match="no such kind"):
        forge.jwk("other")

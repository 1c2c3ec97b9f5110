"""TK-07 to TK-12: a token cannot choose its algorithm or its key, and belongs to its neighbour."""

from collections.abc import Iterator

import pytest

from tests.doubles import forge
from tests.doubles.evil import EvilHost
from tests.doubles.keys import b64url, compact, signing_key
from tests.doubles.mint import Draft, Write
from tests.rig import Rig, rigged
from tests.security.signing_in import assert_accepted, assert_refused

SECRET = "s3cret+with/odd=signs"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One rig for the many small cases of this module."""
    with rigged(tmp_path_factory.mktemp("signature"), client_secret=SECRET) as made:
        yield made


@pytest.fixture
def rig(one: Rig) -> Iterator[Rig]:
    """The rig of the module, without the faults of the test before."""
    yield one
    one.cognito.heal()


def _both_refused(rig: Rig, write: Write, check: str) -> None:
    """The attack on the ID token alone, then on the access token alone."""
    for hooks in (rig.cognito.issuer.mint.id_token, rig.cognito.issuer.mint.access_token):
        hooks.write(write, times=1)
        assert_refused(rig, check)


@pytest.mark.parametrize(
    "write",
    [
        forge.alg_none,
        forge.alg(None),
        forge.alg(""),
        forge.alg("none"),
        forge.alg("NONE"),
        forge.alg("nOnE"),
        forge.alg(["RS256"]),
        forge.alg({"RS256": 1}),
        forge.alg(256),
        forge.alg("rs256"),
        forge.alg("RS256 "),
    ],
)
def test_TK_07_no_algorithm(rig: Rig, write: Write) -> None:
    """A token without an algorithm, or with one that is none, is refused."""
    _both_refused(rig, write, "alg")


@pytest.mark.parametrize("secret", [SECRET.encode(), None, b"", b"secret"], ids=ascii)
def test_TK_08_symmetric_key(rig: Rig, secret: bytes | None) -> None:
    """HMAC with the client secret, the public key or nothing as its key is refused."""
    _both_refused(rig, forge.hs256(secret), "alg")


def test_TK_08_symmetric_signature_under_our_algorithm(rig: Rig) -> None:
    """HMAC with the public key, called RS256, is refused."""

    def write(draft: Draft) -> str:
        head, body, _ = draft.signed().split(".")
        return f"{head}.{body}." + forge.hs256(None)(draft).rpartition(".")[2]

    _both_refused(rig, write, "signature")


def test_TK_09_broken_signature(rig: Rig) -> None:
    """One wrong bit in the signature is refused."""
    _both_refused(rig, forge.broken_signature, "signature")


def test_TK_09_signature_missing_short_or_of_another_token(rig: Rig) -> None:
    """No signature, half of one, one with a tail, and that of another token are refused."""
    other = signing_key("other").sign(b"something else")
    changes: dict[str, Write] = {
        "none": lambda draft: draft.signed().rpartition(".")[0] + ".",
        "half": lambda draft: draft.signed()[:-171],
        "tail": lambda draft: draft.signed() + "AAAA",
        "padded": lambda draft: draft.signed() + "==",
        "foreign": lambda draft: draft.signed().rpartition(".")[0] + "." + b64url(other),
    }
    for write in changes.values():
        _both_refused(rig, write, "signature")


@pytest.mark.parametrize("write", [forge.es256, forge.ps256, forge.eddsa], ids=lambda w: w.__name__)
def test_TK_09_another_algorithm(rig: Rig, write: Write) -> None:
    """Only the pinned algorithm passes, whoever signed."""
    _both_refused(rig, write, "alg")


@pytest.mark.parametrize("name", ["RS384", "RS512", "PS512", "HS512", "dir", "RSA-OAEP"])
def test_TK_09_our_signature_under_another_name(rig: Rig, name: str) -> None:
    """A good RS256 signature that calls itself something else is refused."""
    _both_refused(rig, forge.alg(name), "alg")


def test_TK_10_strange_key_under_a_known_name(rig: Rig) -> None:
    """A good signature by a stranger's key under the true key's id is refused."""
    _both_refused(rig, forge.own_key, "signature")


def test_TK_10_key_in_the_header(rig: Rig) -> None:
    """A key that the token brings along is refused."""
    _both_refused(rig, forge.embedded_jwk, "header")


@pytest.mark.parametrize("member", ["jku", "x5u"])
def test_TK_10_key_at_an_address(rig: Rig, member: str) -> None:
    """A key that the token names by address is refused, and the address is never asked."""
    with EvilHost(b'{"keys":[]}') as evil:
        _both_refused(rig, forge.key_url(f"{evil.origin}/keys", member), "header")
        evil.assert_untouched()


@pytest.mark.parametrize(
    "members",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["unknown"], "unknown": True},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"zip": "DEF"},
        {"x5c": ["MIIB"]},
        {"cty": "JWT"},
        {"enc": "A256GCM"},
        {"epk": {}},
    ],
    ids=lambda members: ",".join(members),
)
def test_TK_10_header_that_asks_for_more(rig: Rig, members: dict[str, object]) -> None:
    """An honest signature under a header with members that we do not know is refused."""
    _both_refused(rig, forge.with_header(**members), "header")


@pytest.mark.parametrize("kid", [7, ["k"], {"k": 1}, True], ids=repr)
def test_TK_10_key_id_of_another_type(rig: Rig, kid: object) -> None:
    """A key id that is no text is refused."""
    _both_refused(rig, forge.with_header(kid=kid), "kid")


def test_TK_10_encrypted_token(rig: Rig) -> None:
    """A token of five parts is refused, and so is one of any number but three."""
    _both_refused(rig, forge.encrypted, "format")
    for parts in (1, 2, 4, 6):
        _both_refused(rig, lambda d, n=parts: ".".join(["e30"] * n), "format")  # type: ignore[misc]


@pytest.mark.parametrize(
    "kid", ["../../etc/passwd", "' OR 1=1 --", "k\r\nX: y", "\x00", "é", ""], ids=ascii
)
def test_TK_10_hostile_key_id(rig: Rig, kid: str) -> None:
    """A key id is only ever compared: a hostile one is one that nobody knows."""
    _both_refused(rig, forge.with_header(kid=kid), "kid")


def _one_key_published(rig: Rig, name: str = "id_key") -> None:
    pool = rig.cognito.issuer.pool
    key = getattr(pool, name)
    rig.cognito.issuer.jwks.alter(lambda body: body.update(keys=[key.jwk()]))
    rig.cognito.issuer.mint.access_token.write(
        lambda draft: Draft({"alg": "RS256"}, draft.claims, pool.id_key).signed()
    )
    rig.cognito.issuer.mint.id_token.write(forge.without_kid)


def test_TK_11_no_key_id_one_key(rig: Rig) -> None:
    """Tokens without a key id are taken when the pool publishes one key alone."""
    rig.clock.advance(3601)
    _one_key_published(rig)
    assert_accepted(rig)


def test_TK_11_no_key_id_the_wrong_key(rig: Rig) -> None:
    """Without a key id the one key must still be the one that signed."""
    rig.clock.advance(3601)
    _one_key_published(rig, "access_key")
    assert_refused(rig, "signature")


def test_TK_11_no_key_id_many_keys(rig: Rig) -> None:
    """Tokens without a key id are refused when there is more than one key: nothing is guessed."""
    rig.clock.advance(3601)
    rig.cognito.issuer.mint.id_token.write(forge.without_kid)
    assert_refused(rig, "kid")


def test_TK_11_no_key_id_beside_a_symmetric_key(rig: Rig) -> None:
    """A published secret is no key: it neither verifies a token nor makes the choice unclear."""
    rig.clock.advance(3601)
    secret = forge.jwk("symmetric")
    pool = rig.cognito.issuer.pool
    rig.cognito.issuer.jwks.alter(lambda body: body.update(keys=[secret, pool.id_key.jwk()]))
    rig.cognito.issuer.mint.id_token.write(forge.hs256(b"k" * 32))
    assert_refused(rig, "alg")


@pytest.mark.parametrize("value", ["wrong", "", None, 1, "é", ["x"], "A" * 22, "\x00"], ids=ascii)
def test_TK_12_wrong_hash_of_the_access_token(rig: Rig, value: object) -> None:
    """An ID token that is bound to another access token is refused."""
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update(at_hash=value))
    assert_refused(rig, "at_hash")


def test_TK_12_access_token_of_another_sign_in(rig: Rig) -> None:
    """The person's own good access token from another sign-in is refused: the hash says so."""
    seen: list[str] = []
    rig.cognito.issuer.token.once.alter(lambda body: seen.append(body["access_token"]))
    assert_accepted(rig)
    rig.cognito.issuer.token.once.alter(lambda body: body.update(access_token=seen[0]))
    assert_refused(rig, "at_hash")


def test_TK_12_unknown_algorithm_for_the_hash(rig: Rig) -> None:
    """A hash cut by the rule of another algorithm is refused, and so is that algorithm itself."""
    long = "Z" * 43
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update(at_hash=long), times=1)
    assert_refused(rig, "at_hash")
    rig.cognito.issuer.mint.id_token.write(
        lambda d: compact(d.header | {"alg": "XS256"}, b"{}", d.key), times=1
    )
    assert_refused(rig, "alg")


def test_TK_12_no_hash(rig: Rig) -> None:
    """An ID token without the hash is accepted: the standard leaves it open in this flow."""
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.pop("at_hash"))
    assert_accepted(rig)

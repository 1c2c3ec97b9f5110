"""TK-22: tokens mutated by chance, under a fixed seed; none is believed, nothing else happens."""

import json
import random
from collections.abc import Callable, Iterator

from tests.doubles.evil import EvilHost
from tests.doubles.keys import Json, b64url, decode, signing_key, unb64url
from tests.rig import Rig
from webapp.managed_login.tokens import TokenRefused, TokenVerifier

MUTANTS = 100_000
Kind = Callable[[random.Random, str], str]
NONCE = "n0nce"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ODD = "=+/.!\n\x00 é\ud800\u2028"


def test_TK_22_mutated_tokens(rig: Rig) -> None:
    """No mutant of good tokens is accepted, none escapes as another error, none causes a fetch."""
    good = _good_tokens(rig)
    settings = rig.settings
    keys = rig.services.signing_keys
    verifier = TokenVerifier(keys, settings.issuer, settings.cognito_client_id, rig.clock)
    for token in good:
        assert _accepted(verifier, token), "the seeds are good"
    asked = rig.cognito.issuer.jwks.count
    by_check: dict[str, int] = {}
    with EvilHost() as evil:
        chance = random.Random(20261120)
        for number, mutant in enumerate(_mutants(chance, good, evil.origin)):
            if mutant in good:
                continue
            for refusal in _refusals(verifier, mutant, number):
                by_check[refusal] = by_check.get(refusal, 0) + 1
        evil.assert_untouched()
    assert rig.cognito.issuer.jwks.count <= asked + 1
    # The mutants reach far: past the form, to the key and to the signature itself.
    assert {"size", "format", "alg", "header", "kid", "signature"} <= by_check.keys(), by_check
    assert by_check["signature"] > MUTANTS // 5


def _good_tokens(rig: Rig) -> list[str]:
    issuer = rig.cognito.issuer
    tokens = []
    for name in ("admin", "viewer"):
        issuer.mint.id_token(lambda _, claims: claims.update(nonce=NONCE), times=1)
        answer = issuer.pool.sign_in(rig.cognito.user(name))
        tokens += [answer["id_token"], answer["access_token"]]
    return tokens


def _accepted(verifier: TokenVerifier, token: str) -> bool:
    header, claims = decode(token)
    assert header["alg"] == "RS256"
    if claims["token_use"] == "id":
        return verifier.id_token(token, nonce=NONCE) == claims
    return verifier.access_token(token, subject=claims["sub"]) == claims


def _refusals(verifier: TokenVerifier, mutant: str, number: int) -> Iterator[str]:
    yield _refusal(lambda: verifier.id_token(mutant, nonce=NONCE), mutant)
    if number % 8 == 0:  # the way to the signature is the same for both: one in eight is enough
        yield _refusal(lambda: verifier.access_token(mutant, subject="anybody"), mutant)


def _refusal(judge: Callable[[], object], mutant: str) -> str:
    try:
        judge()
    except TokenRefused as refusal:
        return refusal.check
    raise AssertionError(f"this mutant was believed: {mutant!r}")


def _mutants(chance: random.Random, good: list[str], evil: str) -> Iterator[str]:
    kinds: tuple[Kind, ...] = (
        *(_flip, _flip, _letter, _cut, _insert, _tail, _claim, _claim, _stranger),
        lambda chance, token: _swap(chance, token, chance.choice(good)),
        lambda chance, token: _header(chance, token, evil),
    )
    for _ in range(MUTANTS):
        yield chance.choice(kinds)(chance, chance.choice(good))


def _parts(token: str) -> list[str]:
    return token.split(".")


def _flip(chance: random.Random, token: str) -> str:
    """One bit of the decoded header, claims or signature."""
    parts = _parts(token)
    at = chance.randrange(3)
    raw = bytearray(unb64url(parts[at]))
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    parts[at] = b64url(bytes(raw))
    return ".".join(parts)


def _letter(chance: random.Random, token: str) -> str:
    """One character, of the alphabet or not; also the unused bits at a segment's end."""
    at = chance.choice([chance.randrange(len(token)), len(token) - 1])
    return token[:at] + chance.choice(ALPHABET + ODD) + token[at + 1 :]


def _cut(chance: random.Random, token: str) -> str:
    """A piece is missing."""
    start = chance.randrange(len(token))
    return token[:start] + token[start + chance.randrange(1, 40) :]


def _insert(chance: random.Random, token: str) -> str:
    """A piece too many."""
    at = chance.randrange(len(token) + 1)
    count = chance.choice([1, 2, 4, 40, 400, 20_000])
    return token[:at] + chance.choice(ALPHABET + ODD) * count + token[at:]


def _swap(chance: random.Random, token: str, other: str) -> str:
    """Segments of two good tokens, in any order and number."""
    pieces = _parts(token) + _parts(other)
    return ".".join(chance.choice(pieces) for _ in range(chance.choice([2, 3, 3, 3, 4])))


def _claim(chance: random.Random, token: str) -> str:
    """One claim changed, added or gone, under the old signature."""
    head, _, signature = _parts(token)
    claims = decode(token)[1]
    _edit(chance, claims)
    return f"{head}.{b64url(json.dumps(claims).encode())}.{signature}"


def _header(chance: random.Random, token: str, evil: str) -> str:
    """Another header, with a key or an address of the attacker's, signed by nobody or by him."""
    header, claims = decode(token)
    stranger = signing_key("stranger")
    header |= chance.choice(
        [
            {"jku": evil},
            {"x5u": evil},
            {"jwk": stranger.jwk()},
            {"alg": chance.choice(["none", "HS256", "RS512", "ES256", ""])},
            {"kid": chance.choice([stranger.kid, "", "x" * 3000, None, 7])},
            {"crit": ["exp"]},
            {"typ": chance.choice(["JWT", "at+jwt", [[]], None])},
        ]
    )
    text = f"{b64url(json.dumps(header).encode())}.{b64url(json.dumps(claims).encode())}"
    return f"{text}.{chance.choice([_parts(token)[2], '', b64url(b'x' * 256)])}"


def _stranger(chance: random.Random, token: str) -> str:
    """Claims changed or not, under a stranger's signature and the true key's id."""
    header, claims = decode(token)
    if chance.random() < 0.5:
        _edit(chance, claims)
    text = f"{b64url(json.dumps(header).encode())}.{b64url(json.dumps(claims).encode())}"
    signer = signing_key("stranger") if chance.random() < 0.02 else None  # signing is slow
    return f"{text}.{b64url(signer.sign(text.encode()) if signer else chance.randbytes(256))}"


def _tail(chance: random.Random, token: str) -> str:
    """Something behind or before a whole token."""
    extra = "".join(chance.choice(ALPHABET + ODD) for _ in range(chance.randrange(1, 6)))
    return token + extra if chance.random() < 0.5 else extra + token


def _edit(chance: random.Random, claims: Json) -> None:
    name = chance.choice([*claims, "admin", "nbf", "azp"])
    if chance.random() < 0.2:
        claims.pop(name, None)
    else:
        claims[name] = chance.choice(["evil", "", 0, 10**12, None, [], {}, ["Admin"], 1e300, True])

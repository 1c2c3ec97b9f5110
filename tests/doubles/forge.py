"""The known attacks on a signed token, each as a writer: `mint.id_token.write(forge.alg_none)`."""

import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.doubles.keys import Json, b64url, compact, number_b64, signing_input, signing_key
from tests.doubles.mint import Draft, Write


def _payload(draft: Draft) -> bytes:
    return json.dumps(draft.claims).encode()


def alg_none(draft: Draft) -> str:
    """No signature, and a header that says so (RFC 7519 6)."""
    return signing_input(draft.header | {"alg": "none"}, _payload(draft)) + "."


def alg(value: object) -> Write:
    """An RS256 signature under another algorithm's name; None leaves the name out."""

    def write(draft: Draft) -> str:
        header = {k: v for k, v in draft.header.items() if k != "alg"}
        if value is not None:
            header["alg"] = value
        return compact(header, _payload(draft), draft.key)

    return write


def hs256(secret: bytes | None = None) -> Write:
    """HMAC with a secret; without one, the public key of the true signer as PEM is the secret."""

    def write(draft: Draft) -> str:
        text = signing_input(draft.header | {"alg": "HS256"}, _payload(draft))
        key = draft.key.public_pem() if secret is None else secret
        return f"{text}.{b64url(hmac.new(key, text.encode(), hashlib.sha256).digest())}"

    return write


def es256(draft: Draft) -> str:
    """A good ES256 signature by a key of the attacker."""
    text = signing_input(draft.header | {"alg": "ES256"}, _payload(draft))
    key = ec.generate_private_key(ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{b64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def ps256(draft: Draft) -> str:
    """A good PS256 signature by the true key: right signer, wrong algorithm."""
    text = signing_input(draft.header | {"alg": "PS256"}, _payload(draft))
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return f"{text}.{b64url(draft.key.private.sign(text.encode(), salted, hashes.SHA256()))}"


def eddsa(draft: Draft) -> str:
    """A good Ed25519 signature by a key of the attacker."""
    text = signing_input(draft.header | {"alg": "EdDSA"}, _payload(draft))
    return f"{text}.{b64url(ed25519.Ed25519PrivateKey.generate().sign(text.encode()))}"


def own_key(draft: Draft) -> str:
    """RS256 by a key of the attacker, under the true key id."""
    return compact(draft.header, _payload(draft), signing_key("attacker"))


def embedded_jwk(draft: Draft) -> str:
    """RS256 by a key of the attacker, which the header brings along (RFC 7515 4.1.3)."""
    key = signing_key("attacker")
    return compact(draft.header | {"jwk": key.jwk()}, _payload(draft), key)


def key_url(url: str, member: str = "jku") -> Write:
    """RS256 by a key of the attacker, to be fetched from `jku` or `x5u`."""

    def write(draft: Draft) -> str:
        key = signing_key("attacker")
        header = draft.header | {member: url, "kid": key.kid}
        return compact(header, _payload(draft), key)

    return write


def with_header(**members: object) -> Write:
    """Honestly signed with further header members, such as crit, b64, zip or another kid."""
    return lambda draft: compact(draft.header | members, _payload(draft), draft.key)


def without_kid(draft: Draft) -> str:
    """Honestly signed, without a key id."""
    header = {k: v for k, v in draft.header.items() if k != "kid"}
    return compact(header, _payload(draft), draft.key)


def broken_signature(draft: Draft) -> str:
    """Everything right but one bit of the signature."""
    text, _, signature = draft.signed().rpartition(".")
    first = "A" if signature[0] != "A" else "B"
    return f"{text}.{first}{signature[1:]}"


def payload(raw: bytes) -> Write:
    """Honestly signed over this payload: no object, no JSON, deep nesting, 10 MB."""
    return lambda draft: compact(draft.header, raw, draft.key)


def repeated_claim(name: str, first: object) -> Write:
    """Honestly signed JSON in which one member stands twice, the true value last."""

    def write(draft: Draft) -> str:
        text = json.dumps(draft.claims)
        raw = "{" + f"{json.dumps(name)}: {json.dumps(first)}, " + text[1:]
        return compact(draft.header, raw.encode(), draft.key)

    return write


def encrypted(draft: Draft) -> str:
    """Five segments: looks like a JWE."""
    header = b64url(json.dumps({"alg": "RSA-OAEP", "enc": "A256GCM"}).encode())
    return ".".join([header, *(b64url(b"x" * n) for n in (256, 12, len(_payload(draft)), 16))])


def jwk(kind: str) -> Json:
    """A key that must not be used: `symmetric`, `small` (RSA-512), `exponent-one`, `private`."""
    if kind == "symmetric":
        return {"kty": "oct", "kid": "symmetric", "alg": "HS256", "k": b64url(b"k" * 32)}
    base = signing_key("attacker")
    numbers = base.private.private_numbers()
    if kind == "small":
        return base.jwk() | {"kid": "small", "n": number_b64((1 << 511) + 111)}
    if kind == "exponent-one":
        return base.jwk() | {"kid": "exponent-one", "e": "AQ"}
    if kind == "private":
        return base.jwk() | {"kid": "private", "d": number_b64(numbers.d)}
    raise ValueError(f"no such kind of key: {kind}")

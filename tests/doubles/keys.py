"""Signing keys, made once per process, and JOSE by hand.

No JOSE library here: a double that shared one with the code under test would share its faults.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Json = dict[str, Any]


def b64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    """The reverse of b64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number_b64(number: int) -> str:
    """A positive integer as JWK writes it (RFC 7518 2)."""
    return b64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True)
class SigningKey:
    """An RSA key with its key id."""

    kid: str
    private: rsa.RSAPrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """RS256 (RFC 7518 3.3)."""
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether this is the key's RS256 signature."""
        public = self.private.public_key()
        try:
            public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def jwk(self) -> Json:
        """The public key as Cognito publishes it."""
        numbers = self.private.public_key().public_numbers()
        return {
            "alg": "RS256",
            "e": number_b64(numbers.e),
            "kid": self.kid,
            "kty": "RSA",
            "n": number_b64(numbers.n),
            "use": "sig",
        }

    def public_pem(self) -> bytes:
        """The public key as PEM: what an HS256 confusion attack uses as its secret."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


@lru_cache(maxsize=64)
def signing_key(name: str) -> SigningKey:
    """The key of this name: 2048 bits, the same for the whole process."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kid = base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()
    return SigningKey(kid, private)


def signing_input(header: Json, payload: bytes) -> str:
    """Header and payload of a compact JWS, without the signature."""
    return f"{b64url(json.dumps(header).encode())}.{b64url(payload)}"


def compact(header: Json, payload: bytes, key: SigningKey) -> str:
    """A compact JWS with an RS256 signature, whatever the header says."""
    text = signing_input(header, payload)
    return f"{text}.{b64url(key.sign(text.encode()))}"


def decode(token: str) -> tuple[Json, Json]:
    """Header and claims of a token, not verified."""
    head, body, _ = token.split(".")
    return json.loads(unb64url(head)), json.loads(unb64url(body))

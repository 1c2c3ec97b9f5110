"""Tokens of the shape and size that Cognito issues, minted as cheaply as a signature allows."""

import base64
import hashlib
import json
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

PEOPLE = 2000
"""Distinct people who sign in by turns; a person's access token is signed once and kept.

So many that nobody comes near the number of sessions that a person may have.
"""

LIFETIME = 3600
"""Seconds that ID and access tokens live, Cognito's default."""


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    """The reverse of `base64url`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def make_code(person: int, nonce: str, challenge: str) -> str:
    """An authorization code that carries what the token endpoint must know, so no call makes it.

    A real code is opaque; this one is what Managed Login would have stored beside it.
    """
    return ".".join(
        (str(person % PEOPLE), base64url(nonce.encode()), challenge, secrets.token_hex(6))
    )


class SigningKey:
    """An RS256 key with its key id and its public half as a JWK (RFC 7517)."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._private.public_key().public_numbers()
        self.kid = base64url(secrets.token_bytes(32))
        self.jwk = {
            "alg": "RS256",
            "e": base64url(numbers.e.to_bytes(3, "big")),
            "kid": self.kid,
            "kty": "RSA",
            "n": base64url(numbers.n.to_bytes(256, "big")),
            "use": "sig",
        }
        self._head = base64url(json.dumps({"kid": self.kid, "alg": "RS256"}).encode())

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact JWS over the claims (RFC 7515)."""
        text = f"{self._head}.{base64url(json.dumps(claims).encode())}"
        signature = self._private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{base64url(signature)}"


@dataclass(frozen=True)
class Client:
    """The app client's registration, and the pool's issuer."""

    issuer: str
    client_id: str
    client_secret: str
    account: str = "000000000000"


class Mint:
    """Signs with separate keys for ID and access tokens, as Cognito does."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._id_key, self._access_key = SigningKey(), SigningKey()
        self._access_tokens: dict[int, str] = {}
        self._refresh_tail = ".".join(base64url(secrets.token_bytes(n)) for n in (256, 12, 980, 16))

    @property
    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set of both keys."""
        return {"keys": [self._id_key.jwk, self._access_key.jwk]}

    def tokens(self, person: int, nonce: str) -> dict[str, Any]:
        """The token endpoint's answer for one code exchange."""
        access = self._access_tokens.get(person)
        if access is None:
            access = self._access_tokens[person] = self._access_key.sign(self._access(person))
        half = hashlib.sha256(access.encode()).digest()[:16]
        identity = self._identity(person) | {"nonce": nonce, "at_hash": base64url(half)}
        return {
            "id_token": self._id_key.sign(identity),
            "access_token": access,
            "refresh_token": f"{base64url(secrets.token_bytes(64))}.{self._refresh_tail}",
            "expires_in": LIFETIME,
            "token_type": "Bearer",
        }

    def _shared(self, person: int, use: str) -> dict[str, Any]:
        now = int(time.time())
        return {
            "sub": str(uuid.uuid5(uuid.NAMESPACE_OID, str(person))),
            "cognito:groups": ["Admin"],
            "iss": self._client.issuer,
            "origin_jti": str(uuid.uuid4()),
            "event_id": str(uuid.uuid4()),
            "token_use": use,
            "auth_time": now,
            "exp": now + LIFETIME,
            "iat": now,
            "jti": str(uuid.uuid4()),
        }

    def _identity(self, person: int) -> dict[str, Any]:
        role = f"arn:aws:iam::{self._client.account}:role/portico-admin"
        return self._shared(person, "id") | {
            "aud": self._client.client_id,
            "email": f"person{person}@example.com",
            "email_verified": True,
            "cognito:username": str(uuid.uuid5(uuid.NAMESPACE_OID, str(person))),
            "cognito:roles": [role],
            "cognito:preferred_role": role,
        }

    def _access(self, person: int) -> dict[str, Any]:
        return self._shared(person, "access") | {
            "client_id": self._client.client_id,
            "username": str(uuid.uuid5(uuid.NAMESPACE_OID, str(person))),
            "scope": "openid email profile aws.cognito.signin.user.admin",
            "version": 2,
        }

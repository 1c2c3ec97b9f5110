"""The temporary AWS keys that the fake identity pool gave out, and what they stand for."""

import secrets
import string
import threading
from dataclasses import dataclass, field

ALPHABET = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class IssuedKeys:
    """One set of temporary keys; `sub` is None for a guest, `expires_at` is in epoch seconds."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)
    identity_id: str
    role_arn: str
    sub: str | None
    expires_at: float


class Vault:
    """Where the identity pool puts the keys, and the API finds them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._issued: dict[str, IssuedKeys] = {}

    def issue(
        self, identity_id: str, role_arn: str, *, sub: str | None, expires_at: float
    ) -> IssuedKeys:
        """New keys in the shapes of STS."""
        keys = IssuedKeys(
            access_key="ASIA" + "".join(secrets.choice(ALPHABET) for _ in range(16)),
            secret_key=secrets.token_urlsafe(30),
            session_token="IQoJb3JpZ2luX2Vj" + secrets.token_urlsafe(600),
            identity_id=identity_id,
            role_arn=role_arn,
            sub=sub,
            expires_at=expires_at,
        )
        with self._lock:
            self._issued[keys.access_key] = keys
        return keys

    def find(self, access_key: str) -> IssuedKeys | None:
        """The keys with this access key id, or None."""
        with self._lock:
            return self._issued.get(access_key)

    @property
    def issued(self) -> list[IssuedKeys]:
        """Every set of keys, in order."""
        with self._lock:
            return list(self._issued.values())

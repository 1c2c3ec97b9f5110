"""A whole user pool for the backend's tests: real RS256 keys, served over HTTP, and its tokens."""

import base64
import functools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jws
from joserfc.jwk import RSAKey

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3"
CLIENT_ID = "4n5e6x7a8m9p0l1e2c3l4i5e6n"
NOW = 1_790_000_000
SUB = "3f0e9a52-8c11-4f0a-9a61-0c3a4f7f2b10"
OTHER_SUB = "9b7c1d2e-0f1a-4b2c-8d3e-5f6a7b8c9d0e"

_ALGORITHMS = ["RS256", "HS256", "none"]


@functools.cache
def _first_key() -> RSAKey:
    # Made once for all tests: it takes longer than any of them.
    return RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig", "alg": "RS256"})


class UserPool:
    """Mints tokens and answers for its key set; `fetches` counts how often that was asked."""

    def __init__(self) -> None:
        self.key = _first_key()
        self.published = [self.key]
        self.status = 200
        self.fetches = 0
        self.jwks_url = ""

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good ID token; a change to None removes a claim."""
        claims = {
            "sub": SUB,
            "iss": ISSUER,
            "aud": CLIENT_ID,
            "token_use": "id",
            "auth_time": NOW,
            "iat": NOW,
            "exp": NOW + 3600,
            "cognito:username": SUB,
            "cognito:groups": ["Admin", "Viewer"],
            "email": "admin@example.com",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        *,
        header: dict[str, Any] | None = None,
        key: Any = None,
        payload: bytes | None = None,
        **changes: Any,
    ) -> str:
        """Return a signed token; by default one that the backend has to accept."""
        protected = {"alg": "RS256", "kid": "key-1", **(header or {})}
        body = json.dumps(self.claims(**changes)).encode() if payload is None else payload
        registry = jws.JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
        return jws.serialize_compact(protected, body, key or self.key, registry=registry)

    def token_with_header(self, header: dict[str, Any]) -> str:
        """Return a token whose signature really covers a header that no library would write."""
        parts = (segment(header), segment(self.claims()))
        signed = ".".join(parts).encode()
        private_key = self.key.private_key
        assert private_key is not None
        signature = private_key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return ".".join((*parts, segment(signature)))


def segment(value: object) -> str:
    """Return one part of a compact token (RFC 7515 section 2)."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@contextmanager
def serving(pool: UserPool) -> Iterator[UserPool]:
    """Serve the pool's key set on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pool.fetches += 1
            keys = [key.as_dict(private=False) for key in pool.published]
            body = json.dumps({"keys": keys}).encode()
            self.send_response(pool.status)
            self.send_header("Location", pool.jwks_url)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    pool.jwks_url = f"http://127.0.0.1:{server.server_address[1]}/.well-known/jwks.json"
    try:
        yield pool
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

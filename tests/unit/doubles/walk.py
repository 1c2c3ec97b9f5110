"""A right client of the doubles, written out by hand."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.doubles import Cognito, User

APP = "http://localhost:8000"
SCOPES = "openid email profile aws.cognito.signin.user.admin"


def challenge_of(verifier: str) -> str:
    """S256 (RFC 7636 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass
class Walk:
    """One sign-in, step by step; change a field to go wrong."""

    cognito: Cognito
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    redirect_uri: str = f"{APP}/callback"

    def location(self, **changes: str | None) -> str:
        """The authorize request, with parameters changed or (None) left out."""
        fields: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.cognito.issuer.pool.client.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPES,
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        sent = {key: value for key, value in (fields | changes).items() if value is not None}
        return f"{self.cognito.issuer.server.origin}/oauth2/authorize?{urlencode(sent)}"

    def code(self, user: User | None = None) -> str:
        """An authorization code for this person."""
        person = user or self.cognito.user("admin")
        callback = self.cognito.issuer.approve(self.location(), person)
        return parse_qs(urlsplit(callback).query)["code"][0]

    def exchange(self, code: str, /, **changes: str) -> requests.Response:
        """Present a code at the token endpoint."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return self.token(fields | changes)

    def refresh(self, refresh_token: str) -> requests.Response:
        """Present a refresh token at the token endpoint."""
        return self.token({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def token(self, form: dict[str, str]) -> requests.Response:
        """Post to the token endpoint as the client that the pool knows."""
        return self.post("/oauth2/token", form)

    def post(self, path: str, form: dict[str, str]) -> requests.Response:
        """Post a form with the client's authentication."""
        client = self.cognito.issuer.pool.client
        url = self.cognito.issuer.server.origin + path
        if client.secret is None:
            return requests.post(url, form | {"client_id": client.client_id}, timeout=5)
        return requests.post(url, form, auth=(client.client_id, client.secret), timeout=5)

    def tokens(self, user: User | None = None) -> dict[str, Any]:
        """A whole sign-in."""
        document = self.exchange(self.code(user)).json()
        assert isinstance(document, dict)
        return document


def aws(origin: str, target: str, document: dict[str, Any], **headers: str) -> requests.Response:
    """Call an AWS JSON 1.1 action without a signature."""
    sent = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    return requests.post(origin + "/", json=document, headers=sent | headers, timeout=5)

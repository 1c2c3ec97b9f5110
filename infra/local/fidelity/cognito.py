"""What the Managed Login pages need of Cognito, in process and typed.

`Cognito.call` runs any user pool action as the AWS API would (AdminInitiateAuth, SignUp,
ConfirmSignUp, ForgotPassword, VerifySoftwareToken, ...), without a signature and off the event
loop; an error answer becomes `CognitoError`. The rest is what the API has no action for.
"""

# ruff: noqa: SLF001 - reaching into the pinned release is this layer's whole work

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from infra.local.fidelity.upstream import Upstream

CODE_LIFETIME_SECONDS = 300


class CognitoError(Exception):
    """An error answer of Cognito: its code, such as NotAuthorizedException, and its sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Client:
    """An app client as Managed Login sees it."""

    client_id: str
    name: str
    pool_id: str
    pool_name: str
    secret: str | None = field(repr=False)
    callback_urls: tuple[str, ...]
    logout_urls: tuple[str, ...]
    default_redirect_uri: str
    allowed_flows: tuple[str, ...]
    allowed_scopes: tuple[str, ...]
    identity_providers: tuple[str, ...]
    hides_user_existence: bool

    def secret_hash(self, username: str) -> str | None:
        """Return the SECRET_HASH of the user pool API for this name; None for a public client."""
        if self.secret is None:
            return None
        message = (username + self.client_id).encode()
        digest = hmac.new(self.secret.encode(), message, hashlib.sha256).digest()
        return base64.b64encode(digest).decode()


@dataclass(frozen=True, kw_only=True)
class CodeGrant:
    """Everything an authorization code stands for (RFC 6749 section 4.1, RFC 7636)."""

    client_id: str
    redirect_uri: str
    username: str
    scope: str
    nonce: str = ""
    code_challenge: str = ""
    authenticated_at: int  # seconds since the epoch; becomes the claim auth_time


class Cognito:
    """The user pools of this offline AWS."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def call(self, action: str, /, **parameters: Any) -> dict[str, Any]:
        """Run one action of the user pool API; raise CognitoError for its error answers."""
        status, _, body = await self._upstream.cognito._dispatch_idp(action, parameters)
        answer: dict[str, Any] = json.loads(body) if body else {}
        if status >= 400:
            code = str(answer.get("__type", "InternalErrorException")).rpartition("#")[2]
            raise CognitoError(code, str(answer.get("message", "")))
        return answer

    def find_client(self, client_id: str) -> Client | None:
        """Return the app client, or None when no pool has it."""
        pool_id, pool, raw = self._upstream.cognito._find_pool_by_client_id(client_id)
        if raw is None:
            return None
        return Client(
            client_id=client_id,
            name=raw.get("ClientName", ""),
            pool_id=pool_id,
            pool_name=pool.get("Name", ""),
            secret=raw.get("ClientSecret") or None,
            callback_urls=tuple(raw.get("CallbackURLs") or ()),
            logout_urls=tuple(raw.get("LogoutURLs") or ()),
            default_redirect_uri=raw.get("DefaultRedirectURI") or "",
            allowed_flows=tuple(raw.get("AllowedOAuthFlows") or ()),
            allowed_scopes=tuple(raw.get("AllowedOAuthScopes") or ()),
            identity_providers=tuple(raw.get("SupportedIdentityProviders") or ()),
            hides_user_existence=raw.get("PreventUserExistenceErrors") == "ENABLED",
        )

    def issue_code(self, grant: CodeGrant) -> str:
        """Return a fresh authorization code that /oauth2/token redeems once within 5 minutes."""
        client = self.find_client(grant.client_id)
        if client is None:
            raise CognitoError("ResourceNotFoundException", "The app client does not exist.")
        code = secrets.token_urlsafe(32)
        self._upstream.cognito._authorization_codes[code] = {
            "client_id": grant.client_id,
            "pool_id": client.pool_id,
            "redirect_uri": grant.redirect_uri,
            "scope": grant.scope,
            "username": grant.username,
            "nonce": grant.nonce,
            "code_challenge": grant.code_challenge,
            "code_challenge_method": "S256" if grant.code_challenge else "",
            "expires_at": time.time() + CODE_LIFETIME_SECONDS,
            "authenticated_at": grant.authenticated_at,
        }
        return code

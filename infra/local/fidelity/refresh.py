"""The token endpoint and GetTokensFromRefreshToken: who may refresh, and with what.

Closes these gaps of the pinned release: no rotation of refresh tokens, no grace period; an
expired refresh token still works; a confidential client refreshes without its secret, and any
client with another client's token. The rotated token keeps the old one's end date.
"""

# ruff: noqa: SLF001 - reaching into the pinned release is this layer's whole work

import json
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import parse_qs

from infra.local.fidelity import clients
from infra.local.fidelity.ledger import Ledger
from infra.local.fidelity.upstream import Upstream, replace

Answer = tuple[int, dict[str, str], bytes]
Now = Callable[[], float]


def mend(upstream: Upstream, ledger: Ledger, now: Now = time.time) -> None:
    """Wrap both places that turn a refresh token into new tokens."""
    mended = _Refreshing(upstream, ledger, now)
    replace(upstream.cognito, "_oauth2_token", mended.token_endpoint)
    replace(upstream.cognito, "_get_tokens_from_refresh_token", mended.api_action)


class _Refreshing:
    def __init__(self, upstream: Upstream, ledger: Ledger, now: Now) -> None:
        self._cognito = upstream.cognito
        self._upstream = upstream
        self._ledger = ledger
        self._now = now

    def token_endpoint(self, original: Callable[..., Answer]) -> Callable[..., Answer]:
        def token(data: Any, query: Any, raw_body: bytes = b"", headers: Any = None) -> Answer:
            form = form_fields(raw_body)
            client_id, secret = self._cognito._authenticate_client(headers or {}, form)
            client = clients.find(self._upstream, client_id)
            if client is None or not clients.authenticates(client, secret):
                return oauth_error("invalid_client")
            if form.get("grant_type") != "refresh_token":
                return original(data, query, raw_body, headers)
            with self._turn(client):
                old = form.get("refresh_token", "")
                if self._fault(old, client) is not None:
                    return oauth_error("invalid_grant")
                status, head, body = original(data, query, raw_body, headers)
                if status == 200:
                    tokens = json.loads(body)
                    tokens.update(self._rotated(old, client, "refresh_token"))
                    body = json.dumps(tokens).encode()
                return status, head, body

        return token

    def api_action(self, original: Callable[..., Answer]) -> Callable[..., Answer]:
        def action(data: dict[str, Any]) -> Answer:
            client = clients.find(self._upstream, str(data.get("ClientId", "")))
            if client is None:
                return original(data)
            if not clients.authenticates(client, str(data.get("ClientSecret", ""))):
                message = f"Unable to verify secret for client {client['ClientId']}"
                return self._api_error("NotAuthorizedException", message)
            with self._turn(client):
                old = str(data.get("RefreshToken", ""))
                if fault := self._fault(old, client):
                    return self._api_error(*fault)
                status, head, body = original(data)
                if status == 200:
                    answer = json.loads(body)
                    rotated = self._rotated(old, client, "RefreshToken")
                    answer["AuthenticationResult"].update(rotated)
                    body = json.dumps(answer).encode()
                return status, head, body

        return action

    def _turn(self, client: Mapping[str, Any]) -> AbstractContextManager[Any]:
        """One rotation at a time: two callers with one token must not both win without a grace."""
        return nullcontext() if clients.grace_seconds(client) is None else self._ledger.lock

    def _fault(self, token: str, client: Mapping[str, Any]) -> tuple[str, str] | None:
        """Return the API's error for a token that must not refresh; unknown ones go through."""
        grace = clients.grace_seconds(client) or 0
        if self._ledger.is_spent(token, grace_seconds=grace, now=self._now()):
            return "RefreshTokenReuseException", "Refresh token has been rotated out."
        claims = self._cognito._token_claims(token)
        if claims.get("exp", self._now() + 1) <= self._now():
            return "NotAuthorizedException", "Refresh Token has expired"
        if claims.get("client_id", client["ClientId"]) != client["ClientId"]:
            return "NotAuthorizedException", "Refresh Token has different Client"
        return None

    def _rotated(self, old: str, client: Mapping[str, Any], member: str) -> dict[str, str]:
        """Return the successor under its answer's member name, or {} where rotation is off."""
        if clients.grace_seconds(client) is None:
            return {}
        now = self._now()
        claims = self._cognito._token_claims(old)
        pool_id = claims["iss"].rpartition("/")[2]
        renewed = {**claims, "iat": int(now), "jti": str(uuid.uuid4())}
        new: str = self._cognito._signed_jwt(renewed, pool_id, "access")
        registered = self._cognito._refresh_tokens.get(old)
        if registered is not None:
            self._cognito._refresh_tokens[new] = dict(registered)
        self._ledger.retire(old, now=now)
        return {member: new}

    def _api_error(self, code: str, message: str) -> Answer:
        answer: Answer = self._cognito.error_response_json(code, message, 400)
        return answer


def form_fields(raw: bytes) -> dict[str, str]:
    """Return the first value of each field of an urlencoded body."""
    fields = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def oauth_error(error: str) -> Answer:
    """Return an error of RFC 6749 section 5.2 as Cognito sends it: status 400, the code alone."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return 400, headers, json.dumps({"error": error}).encode()

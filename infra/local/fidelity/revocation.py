"""POST /oauth2/revoke (RFC 7009) and its place in the discovery document.

Closes these gaps of the pinned release: there is no such address, discovery names none, and
RevokeToken of the API asks no client for its secret. A refresh token takes its whole family with
it: the access tokens made from it then fail at /oauth2/userInfo and in the user pool API.
"""

# ruff: noqa: SLF001 - reaching into the pinned release is this layer's whole work

import json
from collections.abc import Callable
from typing import Any

from infra.local.asgi import Layer, Request, Response
from infra.local.fidelity import clients
from infra.local.fidelity.upstream import Upstream, replace

PATH = "/oauth2/revoke"


def mend(upstream: Upstream) -> None:
    """Wrap the discovery document and RevokeToken."""

    def announcing(original: Callable[..., Any]) -> Callable[..., Any]:
        def document(*args: Any, **kwargs: Any) -> Any:
            status, headers, body = original(*args, **kwargs)
            found = json.loads(body)
            base = found["token_endpoint"].removesuffix("/oauth2/token")
            found["revocation_endpoint"] = base + PATH
            return status, headers, json.dumps(found).encode()

        return document

    def asking_the_client(original: Callable[..., Any]) -> Callable[..., Any]:
        def revoke(data: dict[str, Any]) -> Any:
            client = clients.find(upstream, str(data.get("ClientId", "")))
            if not clients.authenticates(client, str(data.get("ClientSecret", ""))):
                message = "Client authentication failed."
                return upstream.cognito.error_response_json("UnauthorizedException", message, 400)
            return original(data)

        return revoke

    replace(upstream.cognito, "well_known_openid_configuration", announcing)
    replace(upstream.cognito, "_revoke_token", asking_the_client)


def layer(upstream: Upstream) -> Layer:
    """Return the layer that answers the revocation endpoint."""
    revoke = upstream.cognito._revoke_token
    cognito = upstream.cognito

    async def handle(request: Request) -> Response | None:
        if request.path != PATH:
            return None
        if request.method != "POST":
            return Response(status=405, headers=(("allow", "POST"),))
        form = request.form()
        token = form.get("token", "")
        if not token:
            return _error("invalid_request")
        client_id, secret = cognito._authenticate_client(request.headers, form)
        client = clients.find(upstream, client_id)
        if not clients.authenticates(client, secret):
            return _error("invalid_client")
        claims = cognito._token_claims(token)
        if claims.get("token_use") in ("access", "id"):
            return _error("unsupported_token_type")
        if claims.get("token_use") == "refresh" and cognito._signature_valid(token):
            if claims.get("client_id") != client_id:
                return _error("unauthorized_client")
            revoke({"Token": token})
        return Response(status=200, headers=(("cache-control", "no-store"),))

    return handle


def _error(error: str) -> Response:
    return Response.json({"error": error}, status=400)

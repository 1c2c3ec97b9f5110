"""App clients: what they are set to and how they prove themselves.

Closes these gaps of the pinned release: CreateUserPoolClient and UpdateUserPoolClient drop
RefreshTokenRotation; REFRESH_TOKEN_AUTH stays open where rotation is on; the token endpoint
refreshes for a confidential client that sends no secret.
"""

# ruff: noqa: SLF001 - reaching into the pinned release is this layer's whole work

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.fidelity.upstream import Upstream, replace

Handler = Callable[[dict[str, Any]], Any]

MAX_GRACE_SECONDS = 60
_SETTING = "RefreshTokenRotation"
_REFRESH_FLOWS = ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN")


def mend(upstream: Upstream) -> None:
    """Wrap the client's create and update, and the check of sign-in flows."""
    cognito = upstream.cognito

    def keeping_rotation(original: Handler) -> Handler:
        def handler(data: dict[str, Any]) -> Any:
            rotation = data.get(_SETTING)
            if rotation is not None and (fault := _fault(rotation)):
                return cognito.error_response_json("InvalidParameterException", fault, 400)
            status, headers, body = original(data)
            if status != 200 or rotation is None:
                return status, headers, body
            answer = json.loads(body)
            client_id = answer["UserPoolClient"]["ClientId"]
            kept = {"RetryGracePeriodSeconds": 0, **rotation}
            cognito._user_pools.get(data["UserPoolId"])["_clients"][client_id][_SETTING] = kept
            answer["UserPoolClient"][_SETTING] = kept
            return cognito.json_response(answer)

        return handler

    def refusing_refresh_flow(original: Callable[..., Any]) -> Callable[..., Any]:
        def check(action: str, data: dict[str, Any]) -> Any:
            if action.endswith("InitiateAuth") and data.get("AuthFlow") in _REFRESH_FLOWS:
                client = find(upstream, str(data.get("ClientId", "")))
                if client is not None and grace_seconds(client) is not None:
                    return cognito.error_response_json(
                        "InvalidParameterException",
                        "Refresh token rotation is on for this client: "
                        "use GetTokensFromRefreshToken.",
                        400,
                    )
            return original(action, data)

        return check

    replace(cognito, "_create_user_pool_client", keeping_rotation)
    replace(cognito, "_update_user_pool_client", keeping_rotation)
    replace(cognito, "_auth_flow_error", refusing_refresh_flow)


def find(upstream: Upstream, client_id: str) -> Mapping[str, Any] | None:
    """Return the client's stored record, or None."""
    client: Mapping[str, Any] | None = upstream.cognito._find_pool_by_client_id(client_id)[2]
    return client


def authenticates(client: Mapping[str, Any] | None, secret: str) -> bool:
    """Return whether this secret proves the client; a public client needs none."""
    if client is None:
        return False
    expected = client.get("ClientSecret")
    return not expected or hmac.compare_digest(expected.encode(), secret.encode())


def grace_seconds(client: Mapping[str, Any]) -> int | None:
    """Return the rotation's grace period in seconds, or None where rotation is off."""
    rotation = client.get(_SETTING) or {}
    if rotation.get("Feature") != "ENABLED":
        return None
    return int(rotation.get("RetryGracePeriodSeconds") or 0)


def _fault(rotation: Mapping[str, Any]) -> str | None:
    if rotation.get("Feature") not in ("ENABLED", "DISABLED"):
        return "RefreshTokenRotation.Feature must be ENABLED or DISABLED."
    grace = rotation.get("RetryGracePeriodSeconds", 0)
    if not isinstance(grace, int) or not 0 <= grace <= MAX_GRACE_SECONDS:
        return f"RetryGracePeriodSeconds must be between 0 and {MAX_GRACE_SECONDS}."
    return None

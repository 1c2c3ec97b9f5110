"""AWS_IAM routes of an HTTP API: a valid SigV4 signature and an allowing policy, or 403.

Closes these gaps of the pinned release: any Authorization header, a bearer token for one, opens
an AWS_IAM route; and a refusal explains itself in another service's words, while an HTTP API
answers every refused IAM call with the bare message Forbidden.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.local.fidelity.upstream import Upstream, replace

Answer = tuple[int, dict[str, str], bytes]


def mend(upstream: Upstream) -> None:
    """Wrap the check that the data plane makes before it runs an integration."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def enforce(
            api_id: str,
            stage: str,
            method: str,
            path: str,
            headers: Mapping[str, str],
            query: Mapping[str, Sequence[str]],
            iam_action: str = "execute-api:Invoke",
        ) -> Any:
            route = upstream.apigateway.route_authorization_type(api_id, stage, method, path)
            if route != "AWS_IAM" or method == "OPTIONS":
                return original(api_id, stage, method, path, headers, query, iam_action)
            if not _is_signed(headers, query):
                return _forbidden()
            denied = original(api_id, stage, method, path, headers, query, iam_action)
            return _forbidden() if denied else None

        return enforce

    replace(upstream.app, "_enforce_execute_api", make)


def _is_signed(headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> bool:
    return headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ") or (
        "authorization" not in headers and "X-Amz-Signature" in query
    )


def _forbidden() -> Answer:
    headers = {
        "Content-Type": "application/json",
        "apigw-requestid": base64.b64encode(os.urandom(11)).decode(),
    }
    return 403, headers, json.dumps({"message": "Forbidden"}).encode()

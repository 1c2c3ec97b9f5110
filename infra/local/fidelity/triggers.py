"""What a user pool takes from its triggers.

Closes this gap: a pre token generation trigger V2 overrides groups by `groupOverrideDetails` beside
the two sections of its answer, for both tokens; the pinned release looks for it inside of each.
"""

from collections.abc import Callable
from typing import Any

from infra.local.fidelity.upstream import Upstream, replace

_SECTIONS = ("idTokenGeneration", "accessTokenGeneration")


def mend(upstream: Upstream) -> None:
    """Put the override where the pinned release looks."""

    def make(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def extracted(payload: Any) -> Any:
            response = original(payload)
            details = (response or {}).get("claimsAndScopeOverrideDetails") or {}
            override = details.get("groupOverrideDetails")
            if not override:
                return response
            sections = {
                name: {"groupOverrideDetails": override, **(details.get(name) or {})}
                for name in _SECTIONS
            }
            return {**response, "claimsAndScopeOverrideDetails": {**details, **sections}}

        return extracted

    replace(upstream.cognito, "_extract_trigger_response", make)

"""Groups: UpdateGroup, and no precedence where none was given.

Closes these gaps of the pinned release: the action UpdateGroup is unknown; a group created
without Precedence gets 0, the highest, where AWS leaves it null, the lowest.
"""

# ruff: noqa: SLF001 - reaching into the pinned release is this layer's whole work

import json
from collections.abc import Callable
from typing import Any

from infra.local.fidelity.upstream import Upstream, replace

Handler = Callable[[dict[str, Any]], Any]
_UPDATABLE = ("Description", "RoleArn", "Precedence")


def mend(upstream: Upstream) -> None:
    """Wrap CreateGroup and the dispatcher."""
    cognito = upstream.cognito

    def leaving_precedence_out(original: Handler) -> Handler:
        def create(data: dict[str, Any]) -> Any:
            status, headers, body = original(data)
            if status != 200 or "Precedence" in data:
                return status, headers, body
            group = cognito._user_pools.get(data["UserPoolId"])["_groups"][data["GroupName"]]
            group.pop("Precedence", None)
            answer = json.loads(body)
            answer["Group"].pop("Precedence", None)
            return cognito.json_response(answer)

        return create

    def update(data: dict[str, Any]) -> Any:
        pool, error = cognito._resolve_pool(data.get("UserPoolId"))
        if error:
            return error
        group = pool["_groups"].get(data.get("GroupName"))
        if group is None:
            return cognito.error_response_json("ResourceNotFoundException", "Group not found.", 400)
        if data.get("RoleArn") and (fault := upstream.evaluator.validate_role_arn(data["RoleArn"])):
            return cognito.error_response_json("InvalidParameterException", fault, 400)
        group.update({name: data[name] for name in _UPDATABLE if name in data})
        group["LastModifiedDate"] = cognito._now_epoch()
        return cognito.json_response({"Group": cognito._group_out(group)})

    def knowing_update(original: Callable[..., Any]) -> Callable[..., Any]:
        async def dispatch(action: str, data: dict[str, Any]) -> Any:
            if action == "UpdateGroup":
                return cognito._run_idp_handler(update, action, data)
            return await original(action, data)

        return dispatch

    replace(cognito, "_create_group", leaving_precedence_out)
    replace(cognito, "_dispatch_idp", knowing_update)

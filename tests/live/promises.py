"""What `stack.yaml` promises of each route, worked out from routes, groups and roles alone.

The application's catalogue says the same in its own words; the proof holds both against what comes.
"""

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from infra.facts import Route, Stack
from webapp.api.catalogue import Endpoint, Identity


def role_of(stack: Stack, groups: Collection[str]) -> str:
    """The key of the role that the identity pool gives to somebody in these groups."""
    mine = [stack.groups[name] for name in groups if name in stack.groups]
    first = min((group.precedence for group in mine), default=0)
    roles = {group.role for group in mine if group.precedence == first}
    # Two roles of equal rank, or none: the token names no preferred one.
    return roles.pop() if len(roles) == 1 else stack.identity_pool.authenticated_role


def route_of(stack: Stack, endpoint: Endpoint) -> Route:
    """The route behind an endpoint of the catalogue; fails when they speak of different things."""
    route = next(one for one in stack.http_api.routes if one.name == endpoint.name)
    assert route.route == f"{endpoint.method} {endpoint.path}"
    assert route.authorization == endpoint.authorization
    return route


def status(stack: Stack, route: Route, identity: Identity, role: str, scopes: Sequence[str]) -> int:
    """The status for this identity; `role` is the signed-in person's, `scopes` the client's."""
    if route.authorization == "NONE":
        return 200
    if route.authorization == "JWT":
        if identity == "bearer-access":
            return 200 if {*route.scopes} & {*scopes} else 403
        return 403 if identity == "bearer-id" else 401
    holders = {"guest": stack.identity_pool.guest_role, "user": role}
    holder = holders.get(identity)
    return 200 if holder is not None and may_invoke(stack, holder, route.route) else 403


def may_invoke(stack: Stack, role: str, request: str) -> bool:
    """Whether IAM lets a role send this "METHOD /path"; a star stands for anything."""
    return any(fnmatchcase(request, pattern) for pattern in stack.roles[role].invoke)

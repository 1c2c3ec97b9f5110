"""What must hold between the parts of `stack.yaml`: each rule yields (path, sentence) pairs.

`RULES` names the sections that a rule needs, in the order of its arguments; a rule runs only when
all of them could be read.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.demo_facts import Demo
from infra.facts import AppClient, Group, HttpApi, IdentityPool, ResourceServer, Role, UserPool
from infra.function_facts import Function, Triggers

FUNCTIONS = Path(__file__).with_name("functions")

Problems = Iterator[tuple[str, str]]


def _groups_have_roles(groups: Mapping[str, Group], roles: Mapping[str, Role]) -> Problems:
    for name, group in groups.items():
        path = f"groups.{name}.role"
        role = roles.get(group.role)
        if role is None:
            yield path, f"names {group.role!r}, which is not under roles"
        elif role.trust != "authenticated":
            yield path, f"names {group.role!r}, which only guests may take"
        elif role.demo and not group.demo:
            yield path, f"names {group.role!r}, which exists only offline"


def _pool_has_roles(pool: IdentityPool, roles: Mapping[str, Role]) -> Problems:
    wanted = [
        ("guest_role", pool.guest_role, "unauthenticated"),
        ("authenticated_role", pool.authenticated_role, "authenticated"),
    ]
    wanted += [
        (f"role_mapping.rules.{number}.role", rule.role, "authenticated")
        for number, rule in enumerate(pool.role_mapping.rules)
    ]
    for key, name, trust in wanted:
        role = roles.get(name)
        if role is None:
            yield f"identity_pool.{key}", f"names {name!r}, which is not under roles"
        elif role.trust != trust:
            yield f"identity_pool.{key}", f"names {name!r}, whose trust is not {trust}"
        elif role.demo:
            yield f"identity_pool.{key}", f"names {name!r}, which exists only offline"
    if pool.role_mapping.type == "Rules" and not pool.role_mapping.rules:
        yield "identity_pool.role_mapping.rules", "is empty although the type is Rules"


def _client_fits_pool(client: AppClient, pool: UserPool) -> Problems:
    known = {f"custom:{name}" for name in pool.custom_attributes}
    for attribute in client.read_attributes:
        if attribute.startswith("custom:") and attribute not in known:
            yield "app_client.read_attributes", f"names {attribute!r}, which the pool lacks"
    for attribute in client.write_attributes:
        if attribute.startswith("custom:"):
            yield "app_client.write_attributes", f"lets a person set {attribute!r} himself"


def _client_is_sound(client: AppClient) -> Problems:
    if client.rotation.enabled and "ALLOW_REFRESH_TOKEN_AUTH" in client.auth_flows:
        yield (
            "app_client.auth_flows",
            "has ALLOW_REFRESH_TOKEN_AUTH, which Cognito refuses with rotation",
        )


def _routes_are_sound(
    api: HttpApi, functions: Mapping[str, Function], client: AppClient
) -> Problems:
    for number, route in enumerate(api.routes):
        path = f"http_api.routes.{number}"
        if route.function not in functions:
            yield f"{path}.function", f"names {route.function!r}, which is not under functions"
        if route.authorization == "JWT" and not route.scopes:
            yield f"{path}.scopes", "is empty, so an ID token would pass as well"
        if route.authorization != "JWT" and route.scopes:
            yield f"{path}.scopes", "has a meaning only with the authorization JWT"
        for scope in route.scopes:
            if scope not in client.scopes:
                yield f"{path}.scopes", f"asks for {scope!r}, which the app client cannot get"
    for field in ("name", "route"):
        counted = Counter(getattr(route, field) for route in api.routes)
        for value, times in counted.items():
            if times > 1:
                yield f"http_api.routes.*.{field}", f"has {value!r} {times} times"


def _functions_exist(functions: Mapping[str, Function]) -> Problems:
    for name, function in functions.items():
        if not (FUNCTIONS / function.package / "__init__.py").is_file():
            yield f"functions.{name}.package", f"has no folder infra/functions/{function.package}"
        if not function.handler.startswith(f"{function.package}."):
            yield f"functions.{name}.handler", f"does not start with {function.package!r}"


def _triggers_fit(
    triggers: Triggers,
    functions: Mapping[str, Function],
    groups: Mapping[str, Group],
    server: ResourceServer,
) -> Problems:
    for trigger, name in triggers.functions.items():
        if name not in functions:
            yield f"triggers.functions.{trigger}", f"names {name!r}, which is not under functions"
    named = {f"department_groups.{key}": name for key, name in triggers.department_groups.items()}
    named |= {f"group_scopes.{name}": name for name in triggers.group_scopes}
    named["default_group"] = triggers.default_group
    for path, name in named.items():
        if name not in groups or groups[name].demo:
            yield f"triggers.{path}", f"names {name!r}, which is no group of every engine"
    for group, scopes in triggers.group_scopes.items():
        for scope in scopes:
            if scope not in server.scopes:
                yield f"triggers.group_scopes.{group}", f"names {scope!r}, which the API lacks"


def _demo_fits(demo: Demo, groups: Mapping[str, Group], pool: UserPool) -> Problems:
    for number, user in enumerate(demo.users):
        for group in user.groups:
            if group not in groups:
                path = f"demo.users.{number}.groups"
                yield path, f"names {group!r}, which is not under groups"
        for attribute in user.attributes:
            if attribute not in pool.custom_attributes:
                path = f"demo.users.{number}.attributes.{attribute}"
                yield path, "is not a custom attribute of the user pool"
    known = {user.email for user in demo.users}
    for number, document in enumerate(demo.documents):
        named = {document.owner, *document.collaborators, *(one.to for one in document.grants)}
        for person in sorted(named - known):
            yield f"demo.documents.{number}", f"names {person!r}, who is not under users"
    for key in ("password", "temporary_password"):
        if len(getattr(demo, key)) < pool.password.minimum_length:
            yield f"demo.{key}", "is shorter than the user pool allows"


RULES: tuple[tuple[tuple[str, ...], Callable[..., Any]], ...] = (
    (("groups", "roles"), _groups_have_roles),
    (("identity_pool", "roles"), _pool_has_roles),
    (("app_client", "user_pool"), _client_fits_pool),
    (("app_client",), _client_is_sound),
    (("http_api", "functions", "app_client"), _routes_are_sound),
    (("functions",), _functions_exist),
    (("triggers", "functions", "groups", "resource_server"), _triggers_fit),
    (("demo", "groups", "user_pool"), _demo_fits),
)

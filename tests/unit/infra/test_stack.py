"""The stack file's loader: what it gives, and how it says what is wrong."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.stack import STACK_FILE, StackProblem, load_stack, parse_stack

Facts = dict[str, Any]


def problems_of(change: Callable[[Facts], object]) -> dict[str, str]:
    """Return the problems by path after a change to the real file."""
    facts = yaml.safe_load(STACK_FILE.read_text())
    change(facts)
    with pytest.raises(StackProblem) as caught:
        parse_stack(yaml.safe_dump(facts))
    return dict(caught.value.problems)


def test_the_file_gives_the_groups_with_their_precedence() -> None:
    """The four groups of the contract are there, and the two equal demo groups."""
    groups = load_stack().groups
    real = {name: group.precedence for name, group in groups.items() if not group.demo}
    assert real == {"Admin": 0, "Manager": 10, "Developer": 50, "Viewer": 99}
    demo = {name: group.precedence for name, group in groups.items() if group.demo}
    assert demo == {"TeamA": 20, "TeamB": 20}


def test_facts_cannot_be_changed_after_loading() -> None:
    """The facts are frozen all the way down their parts."""
    stack = load_stack()
    with pytest.raises(dataclasses.FrozenInstanceError):
        stack.name = "other"  # type: ignore[misc]  # what the test is about
    with pytest.raises(dataclasses.FrozenInstanceError):
        stack.app_client.secret = False  # type: ignore[misc]  # the same


def test_no_group_role_but_admins_reaches_vip() -> None:
    """The address /vip is in no policy but the one that allows everything."""
    covers = {
        name
        for name, role in load_stack().roles.items()
        if any(pattern.split(" ")[1] in {"/vip", "/*", "*"} for pattern in role.invoke)
    }
    assert covers == {"admin"}


def test_a_person_cannot_write_custom_attributes() -> None:
    """What an administrator sets stays out of the client's write attributes."""
    client = load_stack().app_client
    assert not [name for name in client.write_attributes if name.startswith("custom:")]


def test_problems_of_several_sections_come_together() -> None:
    """One reading shows the wrong value, the missing key, the unknown key and the broken link."""

    def spoil(facts: Facts) -> None:
        facts["user_pool"]["mfa"] = "MAYBE"
        del facts["app_client"]["secret"]
        facts["http_api"]["routs"] = []
        facts["groups"]["Viewer"]["role"] = "watcher"
        facts["extra"] = 1

    assert problems_of(spoil) == {
        "extra": "is not a known key here",
        "user_pool.mfa": "must be 'OFF', 'OPTIONAL' or 'ON', not 'MAYBE'",
        "app_client.secret": "is missing",
        "http_api.routs": "is not a known key here",
        "groups.Viewer.role": "names 'watcher', which is not under roles",
    }


def test_the_problem_reads_as_a_list_of_lines() -> None:
    """The text names the file and gives each problem a line with its path."""
    with pytest.raises(StackProblem) as caught:
        parse_stack(STACK_FILE.read_text().replace("precedence: 99", "precedence: -1"))
    assert str(caught.value) == (
        "stack.yaml cannot be used:\n"
        "  groups.Viewer.precedence: must be greater than or equal to 0, not -1"
    )


@pytest.mark.parametrize(
    ("where", "value", "path"),
    [
        (("groups", "Admin", "role"), "guest", "groups.Admin.role"),
        (("groups", "Admin", "role"), "team-a", "groups.Admin.role"),
        (("identity_pool", "guest_role"), "viewer", "identity_pool.guest_role"),
        (("identity_pool", "guest_role"), "none", "identity_pool.guest_role"),
        (("identity_pool", "authenticated_role"), "team-a", "identity_pool.authenticated_role"),
        (
            ("identity_pool", "role_mapping", "type"),
            "Rules",
            "identity_pool.role_mapping.rules",
        ),
        (("app_client", "write_attributes"), ["custom:tenant_id"], "app_client.write_attributes"),
        (("app_client", "read_attributes"), ["custom:nothing"], "app_client.read_attributes"),
        (("app_client", "auth_flows"), ["ALLOW_REFRESH_TOKEN_AUTH"], "app_client.auth_flows"),
        (("http_api", "routes", 0, "function"), "other", "http_api.routes.0.function"),
        (("http_api", "routes", 0, "scopes"), ["openid"], "http_api.routes.0.scopes"),
        (("http_api", "routes", 5, "scopes"), [], "http_api.routes.5.scopes"),
        (("http_api", "routes", 5, "scopes"), ["phone"], "http_api.routes.5.scopes"),
        (("http_api", "routes", 0, "name"), "vip", "http_api.routes.*.name"),
        (("functions", "api", "package"), "elsewhere", "functions.api.package"),
        (("functions", "api", "handler"), "handler.handle", "functions.api.handler"),
        (("functions", "api", "environment", "ISSUER"), "pool", "functions.api.environment.ISSUER"),
        (("demo", "users", 0, "groups"), ["Boss"], "demo.users.0.groups"),
        (("demo", "users", 0, "attributes"), {"shoe": "42"}, "demo.users.0.attributes.shoe"),
        (("demo", "password"), "short", "demo.password"),
        (("roles", "viewer", "invoke"), ["GET"], "roles.viewer.invoke.0"),
    ],
)
def test_what_does_not_hang_together_is_named(
    where: tuple[str | int, ...], value: object, path: str
) -> None:
    """A link to nothing, a guest's role for a group, a scopeless JWT route: each has its path."""

    def spoil(facts: Facts) -> None:
        place: Any = facts
        for key in where[:-1]:
            place = place[key]
        place[where[-1]] = value

    assert path in problems_of(spoil)


@pytest.mark.parametrize("text", ["", "- a\n- b", "just words"])
def test_a_file_that_is_no_mapping_is_a_problem(text: str) -> None:
    """Anything but a mapping of sections is one clear problem."""
    with pytest.raises(StackProblem, match="must hold a mapping of sections"):
        parse_stack(text)


def test_a_key_written_twice_is_a_problem() -> None:
    """The second of two equal keys does not win silently."""
    with pytest.raises(StackProblem, match=r"'name' stands twice \(line 2\)"):
        parse_stack("name: a\nname: b\n")


def test_broken_yaml_and_tags_are_problems() -> None:
    """Neither a syntax error nor a Python tag gets past the reader."""
    for text in ("a: [", "a: !!python/object/apply:os.getcwd []"):
        with pytest.raises(StackProblem, match="is not YAML"):
            parse_stack(text)


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    """A path that leads nowhere is said, not thrown."""
    with pytest.raises(StackProblem, match="cannot be read"):
        load_stack(tmp_path / "none.yaml")

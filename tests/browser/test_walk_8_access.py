"""The eighth walk: the access matrix of everybody, over the offline AWS."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor
from tests.stack.offline import OfflineAws

ROWS = 15
RUN, AGAIN = "Run all calls", "Run all calls again"
PEOPLE = {
    "admin": ["portico-admin"],
    "manager": ["portico-manager"],
    "viewer": ["portico-viewer"],
    "nobody": [],
    "both": ["portico-team-a", "portico-team-b"],
    "engineer": ["portico-developer"],
}


def test_from_outside(visitor: Visitor) -> None:
    """A stranger sees what nobody and a guest should get, presses once, and it is so."""
    visitor.go("/access")
    assert _heads(visitor) == ["nobody", "guest"]
    visitor.press(RUN)
    _all_as_expected(visitor, 2)
    visitor.shot("8-outside")


@pytest.mark.parametrize("name", PEOPLE)
def test_each_person_and_each_of_their_roles(new_visitor: NewVisitor, name: str) -> None:
    """Whoever signs in gets what is expected, as themselves and under each role of the token."""
    visitor = new_visitor()
    visitor.sign_in(visitor.demo.person(name), path="/login?next=/access")
    roles = [f"role {role}" for role in PEOPLE[name]]
    everybody = [
        *("nobody", "guest", "signed-in user", *roles),
        *("bearer access token", "bearer ID token"),
    ]
    assert _heads(visitor) == everybody
    visitor.press(RUN)
    _all_as_expected(visitor, len(everybody))
    visitor.shot(f"8-{name}")


def test_somebody_new(new_visitor: NewVisitor) -> None:
    """A person without group, department and projects gets what the plain signed-in role gives."""
    visitor = new_visitor(scripts=False)
    visitor.sign_in(visitor.demo.new_person(), path="/login?next=/access")
    visitor.press(RUN)
    _all_as_expected(visitor, 5)


def test_with_each_role_that_can_be_chosen(new_visitor: NewVisitor) -> None:
    """Expected and got follow the role that a person takes, and the one that is given back."""
    visitor = new_visitor(scripts=False)
    visitor.sign_in(visitor.demo.person("both"), path="/credentials")
    seen = []
    for button in ("portico-team-a", "portico-team-b", "Back to the role that the pool chooses"):
        visitor.go("/credentials")
        visitor.press(visitor.page.get_by_role("button", name=button))
        visitor.go("/access")
        visitor.press(RUN)
        _all_as_expected(visitor, 7)
        seen.append([_status(visitor, path, 3) for path in ("/test/auth", "/secure", "/documents")])
    assert seen == [["200", "403", "403"], ["403", "200", "403"], ["200", "200", "200"]]


def test_a_cell_opens_its_call(visitor: Visitor) -> None:
    """A press on a cell makes that one call, as that caller, and shows its answer."""
    visitor.sign_in(visitor.demo.person("both"), path="/login?next=/access")
    visitor.press(_cell(visitor, "/secure", 4).get_by_role("button"))
    assert visitor.title.startswith("403")
    assert "role portico-team-a" in visitor.text
    assert visitor.page.locator(".verdict").get_by_text("as expected").is_visible()
    visitor.go("/access")
    visitor.press(_line(visitor, "PUT").get_by_role("cell").nth(2).get_by_role("button"))
    assert visitor.title.startswith("400")


def test_the_results_can_be_kept(new_visitor: NewVisitor, tmp_path: Path) -> None:
    """One press runs everything and saves it as JSON, without a script."""
    visitor = new_visitor(scripts=False, accept_downloads=True)
    visitor.sign_in(visitor.demo.person("viewer"), path="/login?next=/access")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Run and download as JSON").click()
    assert download.value.suggested_filename == "access-matrix.json"
    file = tmp_path / "matrix.json"
    download.value.save_as(file)
    kept = json.loads(file.read_text())
    assert kept["all_as_expected"] is True
    assert kept["counts"]["all"] == len(kept["cells"]) == ROWS * 6


def test_a_difference_is_seen(visitor: Visitor) -> None:
    """A policy that somebody changed by hand is red, in words, on top and in its cells."""
    visitor.sign_in(visitor.demo.person("manager"), path="/login?next=/access")
    with _denied(visitor.demo.offline, "manager", "GET/secure"):
        visitor.press(RUN)
        assert "2 of 90 calls did not come out as expected" in visitor.text
        listed = visitor.page.locator(".differences li").all_inner_texts()
        assert [" ".join(one.split()) for one in listed] == [
            f"GET /secure {who}: expected 200, got 403"
            for who in ("signed-in user", "role portico-manager")
        ]
        assert "expected 200" in _cell(visitor, "/secure", 3).inner_text()
        visitor.shot("8-difference")
    visitor.press(AGAIN)
    _all_as_expected(visitor, 6)


@contextmanager
def _denied(offline: OfflineAws, role: str, route: str) -> Iterator[None]:
    iam, name = offline.aws.client("iam"), offline.stack.resource(role)
    statement = {
        "Effect": "Deny",
        "Action": "execute-api:Invoke",
        "Resource": f"arn:aws:execute-api:*:*:*/*/{route}",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="denied", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="denied")


def _all_as_expected(visitor: Visitor, callers: int) -> None:
    shown = f"All {ROWS * callers} calls came out as expected"
    differences = visitor.page.locator(".differences li").all_inner_texts()
    assert shown in visitor.text, differences
    assert visitor.page.locator("button.cell.ok").count() == ROWS * callers


def _heads(visitor: Visitor) -> list[str]:
    return visitor.page.locator("table.matrix thead th").all_inner_texts()[1:]


def _line(visitor: Visitor, address: str) -> Locator:
    pattern = re.compile(rf"(^|\s){re.escape(address)}(\s|$)")
    return visitor.page.locator("table.matrix tbody tr").filter(
        has=visitor.page.locator("th").filter(has_text=pattern)
    )


def _cell(visitor: Visitor, address: str, at: int) -> Locator:
    """The cell of an address, counted from one."""
    return _line(visitor, address).locator("td").nth(at - 1)


def _status(visitor: Visitor, address: str, at: int) -> str:
    return _cell(visitor, address, at).locator(".cell-got").inner_text().strip()

"""The credentials page: which rule chose the role, and what another role would change."""

from dataclasses import replace

import pytest

from tests.doubles.browser import Browser
from tests.doubles.response import Page, text_of
from tests.doubles.users import AUTHENTICATED_ROLE, TEAM_A_ROLE, TEAM_B_ROLE, role_arn
from tests.rig import Rig
from webapp.records import AwsKeys, Person, SessionRecord
from webapp.views.roles import rule_of

KEYS = AwsKeys("us-east-1:id", "ASIA", "secret", "token", 0, 2_000_000_000)
PERSON = Person("iss", "sub", "name", None, None)
BOTH = replace(PERSON, groups=("TeamA", "TeamB"), roles=(TEAM_A_ROLE, TEAM_B_ROLE))
ONE = replace(BOTH, preferred_role=TEAM_A_ROLE)


@pytest.mark.parametrize(
    ("person", "rule"),
    [
        ("admin", "2. Precedence"),
        ("nobody", "5. The default"),
        ("both", "4. The ambiguous case"),
    ],
)
def test_the_rule_that_chose_the_role_is_marked(rig: Rig, person: str, rule: str) -> None:
    """Of the five rules one is marked as the one that decided, for each kind of person."""
    page = rig.signed_in(person).get("/credentials").page
    current = [one.get("class") for one in page.elements("li") if one.get("aria-current")]
    assert current == ["rule rule-mine"]
    assert f"{rule.partition('. ')[2]} " in page.text
    assert page.text.count("this one") == 1


@pytest.mark.parametrize(
    ("person", "chosen", "told", "rule"),
    [
        (PERSON, None, None, "default"),
        (PERSON, None, AUTHENTICATED_ROLE, "default"),
        (BOTH, None, None, "ambiguous"),
        (BOTH, None, AUTHENTICATED_ROLE, "ambiguous"),
        (BOTH, TEAM_B_ROLE, TEAM_B_ROLE, "chosen"),
        (BOTH, role_arn("portico-admin"), None, "ambiguous"),
        (ONE, None, TEAM_A_ROLE, "preferred"),
        (ONE, TEAM_B_ROLE, TEAM_B_ROLE, "chosen"),
        (ONE, None, role_arn("by-a-claim"), "mapping"),
        (PERSON, None, role_arn("by-a-claim"), "mapping"),
    ],
)
def test_the_rule(person: Person, chosen: str | None, told: str | None, rule: str) -> None:
    """Token, choice, and what AWS said of the keys together tell which rule it was."""
    keys = replace(KEYS, role_arn=told) if told else None
    record = SessionRecord(0, 0, person, user_keys=keys, chosen_role=chosen)
    assert rule_of(person, record) == rule


def test_what_changes_with_the_role(rig: Rig) -> None:
    """Each role's statuses stand beside the present one's and a guest's; differences are framed."""
    browser = rig.signed_in("both")
    table = _table(browser)
    assert table[0] == [
        "Endpoint",
        "you now",
        "role portico-team-a",
        "role portico-team-b",
        "guest",
    ]
    assert _line(table, "/secure") == ["200", "403 differs", "200", "403 differs"]
    assert _line(table, "/test/auth") == ["200", "200", "403 differs", "403 differs"]
    browser.post("/credentials/role", {"csrf_token": browser.csrf(), "role": TEAM_B_ROLE})
    table = _table(browser)
    assert table[0] == [
        *("Endpoint", "you now portico-team-b", "the pool's choice", "role portico-team-a"),
        "guest",
    ]
    assert _line(table, "/secure") == ["200", "200", "403 differs", "403 differs"]
    assert _line(table, "/documents") == ["403", "200 differs", "403", "403"]
    browser.post("/credentials/role", {"csrf_token": browser.csrf(), "role": ""})
    assert _line(_table(browser), "/documents") == [
        "200",
        "403 differs",
        "403 differs",
        "403 differs",
    ]


def _table(browser: Browser) -> list[list[str]]:
    page: Page = browser.get("/credentials").page
    return [[" ".join(text_of(cell).split()) for cell in row] for row in page.elements("tr")]


def _line(table: list[list[str]], address: str) -> list[str]:
    return next(row[1:] for row in table if row[0].split()[-1] == address)

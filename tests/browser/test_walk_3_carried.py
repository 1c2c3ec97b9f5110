"""The third walk: what a signed-in person carries, and when it ends."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.visitor import Visitor

ABSENT = "\N{EN DASH}"


def test_claims_stand_side_by_side(visitor: Visitor) -> None:
    """ID token and access token show their claims; userInfo is asked by a button."""
    visitor.sign_in(visitor.demo.person("admin"), path="/session")
    visitor.shot("3-session")
    assert _claim(visitor, "email") == ["admin@example.com", ABSENT, "not asked"]
    assert _claim(visitor, "token_use")[:2] == ["id", "access"]
    groups = _claim(visitor, "cognito:groups")
    assert groups[0] == groups[1] == '["Admin"]'
    assert "portico-admin" in _claim(visitor, "cognito:preferred_role")[0]
    assert "aws.cognito.signin.user.admin" in _claim(visitor, "scope")[1]

    visitor.press("Ask userInfo now")
    assert visitor.path == "/session#claims"
    assert _claim(visitor, "email")[2] == "admin@example.com"
    visitor.shot("3-userinfo")


def test_what_was_checked_is_told(visitor: Visitor) -> None:
    """Every check that guards the sign-in stands there with its value and its verdict."""
    visitor.sign_in(visitor.demo.person("viewer"), path="/session")
    checks = visitor.page.locator("table.checks tbody tr")
    verdicts = {row.locator("th").inner_text(): row.inner_text() for row in checks.all()}
    for name in ("Signature", "iss", "aud", "client_id", "token_use", "exp", "iat", "nonce"):
        assert "passed" in verdicts[name], name
    assert "passed" in verdicts["at_hash"]


def test_tokens_are_refreshed_now(visitor: Visitor) -> None:
    """The button brings new tokens, says when, and marks the claims that changed."""
    visitor.sign_in(visitor.demo.person("manager"), path="/session")
    assert "Not refreshed since you signed in." in visitor.text
    before = _claim(visitor, "jti")
    visitor.press("Refresh now")
    assert visitor.path == "/session"
    assert re.search(r"Refreshed 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", visitor.text)
    assert _claim(visitor, "jti") != before
    changed = visitor.page.locator("tr.changed th code").all_inner_texts()
    assert "jti" in changed
    assert "sub" not in changed
    visitor.shot("3-refreshed")


@pytest.mark.parametrize(
    ("name", "role", "why", "scripts"),
    [
        ("admin", "portico-admin", "lowest precedence", True),
        ("nobody", "The pool's default role", "None of your groups has a role", False),
        ("both", "The pool's default role", "equal precedence", True),
    ],
)
def test_the_role_is_the_groups_and_its_keys_end(
    visitor: Visitor, name: str, role: str, why: str
) -> None:
    """The identity pool's role, why it is that one, the identity id, and when the keys end."""
    visitor.sign_in(visitor.demo.person(name), path="/credentials")
    mine = visitor.page.get_by_role("region", name="You", exact=True)
    words = " ".join(mine.inner_text().split())
    assert role in words
    assert why in words
    assert re.search(r"Identity id us-east-1:[0-9a-f]{8}-", words)
    assert re.search(r"Left 59 min \d+ s until 20\d\d-", words)
    visitor.shot(f"3-credentials-{name}")


def test_the_default_role_is_named_by_aws(visitor: Visitor) -> None:
    """No token names the default role; AWS does, when asked, and answers are explained by it."""
    visitor.sign_in(visitor.demo.person("nobody"), path="/credentials")
    visitor.press("Ask AWS for its name")
    mine = visitor.page.get_by_role("region", name="You", exact=True).inner_text()
    assert "portico-authenticated" in mine
    assert "Ask AWS" not in mine
    visitor.shot("3-default-role-named")
    visitor.call("secure", "user")
    assert "portico-authenticated, the identity pool's default" in visitor.text


def test_one_of_two_roles_is_chosen(visitor: Visitor) -> None:
    """Who is in two equal groups may take the role of either, or leave it to the pool again."""
    visitor.sign_in(visitor.demo.person("both"), path="/credentials")
    mine = visitor.page.get_by_role("region", name="You", exact=True)
    assert "The pool's default role" in mine.inner_text()
    visitor.press(_role(visitor, "portico-team-b").get_by_role("button"))
    assert "You chose it" in mine.inner_text()
    assert "portico-team-b" in mine.inner_text()
    visitor.shot("3-role-chosen")
    # The two teams see different things: B has /secure, not /test/auth.
    assert visitor.call("secure", "user") == 200
    assert visitor.call("test-auth", "user") == 403
    visitor.go("/credentials")
    visitor.press("Back to the role that the pool chooses")
    assert "The pool's default role" in mine.inner_text()


def test_a_guest_stands_beside_the_user(visitor: Visitor) -> None:
    """After a guest's call the credentials page shows both, with different identities."""
    visitor.sign_in(visitor.demo.person("viewer"), path="/login?next=/api")
    visitor.call("test-public", "guest")
    visitor.go("/credentials")
    guest = visitor.page.get_by_role("region", name="A guest").inner_text()
    mine = visitor.page.get_by_role("region", name="You", exact=True).inner_text()
    identity = re.compile(r"us-east-1:[0-9a-f-]{36}")
    assert identity.findall(guest) != identity.findall(mine)
    assert len(identity.findall(guest)) == 1
    visitor.shot("3-guest-beside-user")


def test_clocks_run(visitor: Visitor, scripts: bool) -> None:
    """A clock shows what is left; with scripts it runs on, without it stands as it was read."""
    visitor.sign_in(visitor.demo.person("viewer"), path="/session")
    reading = visitor.page.locator("[data-clock]", has_text="Tokens").locator("[data-reading]")
    before = reading.inner_text()
    assert re.fullmatch(r"(59 min \d+ s|1 h 0 min)", before)
    if scripts:
        expect(reading).not_to_have_text(before)


def _claim(visitor: Visitor, name: str) -> list[str]:
    """Return what the three columns show of one claim."""
    row = visitor.page.locator("table.claims tbody tr").filter(
        has=visitor.page.locator("th code", has_text=re.compile(rf"^{re.escape(name)}$"))
    )
    return [_shown(cell) for cell in row.locator("td").all()]


def _shown(cell: Locator) -> str:
    """Return the words that a person sees; those for screen readers alone are left out."""
    seen = cell.locator("bdi, span:not(.unseen)").first
    return " ".join(seen.inner_text().replace("not there", "").split())


def _role(visitor: Visitor, name: str) -> Locator:
    """Return the entry of one role in the list of roles."""
    return (
        visitor.page.get_by_role("region", name="Roles")
        .get_by_role("listitem")
        .filter(has_text=name)
    )

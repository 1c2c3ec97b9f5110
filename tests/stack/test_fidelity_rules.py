"""The mends' own decisions, as plain functions of values."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.local.asgi import Request
from infra.local.fidelity.claims import at_hash, role_claims
from infra.local.fidelity.ledger import Ledger
from infra.local.fidelity.role_choice import RoleDeniedError, choose_role

AUTHENTICATED = "arn:role/authenticated"


def rules(*entries: tuple[str, str, str, str], ambiguous: str = "Deny") -> dict[str, Any]:
    """Return a mapping of type Rules."""
    names = ("Claim", "MatchType", "Value", "RoleARN")
    listed = [dict(zip(names, entry, strict=True)) for entry in entries]
    return {
        "Type": "Rules",
        "AmbiguousRoleResolution": ambiguous,
        "RulesConfiguration": {"Rules": listed},
    }


def chosen(mapping: Mapping[str, Any] | None, claims: Mapping[str, Any], **extra: str) -> str:
    """Return the role that is chosen for these claims."""
    return choose_role(mapping, claims, authenticated_role=AUTHENTICATED, **extra)


@pytest.mark.parametrize(
    ("match", "value", "claim", "matches"),
    [
        ("Equals", "sales", "sales", True),
        ("Equals", "sales", "sales-north", False),
        ("Equals", "true", True, True),
        ("StartsWith", "sales", "sales-north", True),
        ("StartsWith", "north", "sales-north", False),
        ("Contains", "north", "sales-north", True),
        ("Contains", "Admin", ["Viewer", "Admin"], True),
        ("Contains", "south", "sales-north", False),
        ("NotEqual", "sales", "research", True),
        ("NotEqual", "sales", "sales", False),
        ("Unknown", "sales", "sales", False),
    ],
)
def test_rule_matches(match: str, value: str, claim: object, matches: bool) -> None:
    """Each match type compares the claim's text as its name says."""
    mapping = rules(("department", match, value, "role"), ambiguous="AuthenticatedRole")
    assert chosen(mapping, {"department": claim}) == ("role" if matches else AUTHENTICATED)


@pytest.mark.parametrize("match", ["Equals", "NotEqual", "Contains", "StartsWith"])
def test_a_rule_on_an_absent_claim_is_skipped(match: str) -> None:
    """Even NotEqual needs the claim to be there."""
    with pytest.raises(RoleDeniedError):
        chosen(rules(("department", match, "sales", "role")), {})


def test_only_25_rules_count() -> None:
    """A rule beyond the limit of the service is never read."""
    entries = [("n", "Equals", str(number), "role") for number in range(26)]
    assert chosen(rules(*entries), {"n": "24"}) == "role"
    with pytest.raises(RoleDeniedError):
        chosen(rules(*entries), {"n": "25"})


def test_no_mapping_ignores_the_wished_role() -> None:
    """Without a mapping CustomRoleArn has nothing to pick from."""
    claims = {"cognito:roles": ["x"], "cognito:preferred_role": "x"}
    assert chosen(None, claims, custom_role="x") == AUTHENTICATED


def test_groups_without_a_role_do_not_count() -> None:
    """A group that names no role neither wins nor ties."""
    groups: list[dict[str, Any]] = [{"Precedence": 0}, {"Precedence": 5, "RoleArn": "five"}]
    assert role_claims(groups) == {"cognito:roles": ["five"], "cognito:preferred_role": "five"}
    assert role_claims([{"Precedence": 0}]) == {}


def test_no_precedence_comes_last() -> None:
    """A group without Precedence loses against any number."""
    groups: list[dict[str, Any]] = [
        {"RoleArn": "none"},
        {"Precedence": 99, "RoleArn": "ninety-nine"},
    ]
    assert role_claims(groups)["cognito:preferred_role"] == "ninety-nine"


def test_a_tie_on_the_same_role_is_no_tie() -> None:
    """Two groups of equal precedence with one role prefer that role."""
    groups = [{"Precedence": 1, "RoleArn": "one"}, {"Precedence": 1, "RoleArn": "one"}]
    assert role_claims(groups) == {"cognito:roles": ["one"], "cognito:preferred_role": "one"}


def test_at_hash_of_a_known_token() -> None:
    """OpenID Connect Core, appendix A.3, gives this pair."""
    access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert at_hash(access_token) == "77QmUPtjPfzWtF2AnpK9RQ"


def test_grace_ends_to_the_second() -> None:
    """A retired token is spent from its grace period's end on; reuse does not extend it."""
    ledger = Ledger()
    assert not ledger.is_spent("token", grace_seconds=0, now=100)
    ledger.retire("token", now=100)
    ledger.retire("token", now=105)
    assert not ledger.is_spent("token", grace_seconds=10, now=109.9)
    assert ledger.is_spent("token", grace_seconds=10, now=110)
    assert ledger.is_spent("token", grace_seconds=0, now=100)


def test_the_ledger_survives_and_holds_no_token() -> None:
    """What is dumped brings everything back and names no refresh token."""
    before, after = Ledger(), Ledger()
    before.retire("very-secret-token", now=100)
    before.note_sign_in("family", 90)
    assert "very-secret-token" not in str(before.dump())
    after.load(before.dump())
    assert after.is_spent("very-secret-token", grace_seconds=0, now=101)
    assert after.signed_in_at("family") == 90


def test_a_form_takes_the_first_of_repeated_fields() -> None:
    """Fields are read from an urlencoded body alone."""
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = Request(method="POST", path="/", headers=headers, body=b"a=1&a=2&b=")
    assert request.form() == {"a": "1", "b": ""}
    assert Request(method="POST", path="/", headers={}, body=b"a=1").form() == {}

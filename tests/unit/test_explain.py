"""Why an answer is what it is, in words that hold."""

import pytest

from webapp.api.catalogue import Identity, endpoint_named
from webapp.api.explain import explain, outcome_of
from webapp.records import ApiAnswer, Person, SentRequest

ADMIN = "arn:aws:iam::000000000000:role/portico-admin"
VIEWER = "arn:aws:iam::000000000000:role/portico-viewer"
PERSON = Person(
    "iss", "sub", "ada", "ada@example.com", None, ("Admin", "Viewer"), (ADMIN, VIEWER), ADMIN
)


def _explained(
    endpoint: str, identity: Identity, status: int, role: str | None = None
) -> dict[str, str]:
    answer = ApiAnswer(
        endpoint=endpoint,
        identity=identity,
        status=status,
        reason="",
        milliseconds=1.0,
        headers=(),
        body=b"",
        cut=False,
        sent=SentRequest("GET", "https://api.example.com", ()),
        role_arn=role,
    )
    known = endpoint_named(endpoint)
    return dict(explain(known, outcome_of(known, answer), PERSON))


def test_the_preferred_role_is_called_preferred() -> None:
    """Keys of the token's preferred role are explained by the token."""
    assert "preferred" in _explained("vip", "user", 200, ADMIN)["Under which role"]


def test_a_chosen_role_is_called_chosen() -> None:
    """Keys of another role of the token are explained by the person's choice."""
    said = _explained("vip", "user", 403, VIEWER)["Under which role"]
    assert "chose" in said
    assert "portico-viewer" in said


def test_a_role_of_no_group_is_the_default_role() -> None:
    """Keys of a role that the token does not name are the pool's default, by its name."""
    said = _explained("secure", "user", 200, ADMIN.replace("admin", "signed-in"))
    assert "portico-signed-in, the identity pool's default" in said["Under which role"]


def test_no_role_is_the_default_role() -> None:
    """Keys without a known role are those of the pool's default role."""
    assert "default" in _explained("secure", "user", 200)["Under which role"]


@pytest.mark.parametrize("identity", ["nobody", "bearer-access", "bearer-id"])
def test_no_signature_is_what_an_iam_route_misses(identity: Identity) -> None:
    """A 403 without a signature names the signature, not a policy."""
    said = _explained("secure", identity, 403)
    assert "signature" in said["What decided"]
    assert "What would be let in" in said


def test_a_signed_403_names_the_policy() -> None:
    """A 403 with a signature names the action that no policy allows."""
    assert "execute-api:Invoke" in _explained("vip", "user", 403, VIEWER)["What decided"]


def test_a_yes_needs_no_cure() -> None:
    """A 200 does not say what would be let in."""
    assert "What would be let in" not in _explained("vip", "user", 200, ADMIN)

"""Why an answer is what it is, in words that hold."""

import json
from typing import Any

import pytest

from webapp.api.catalogue import Identity, endpoint_named
from webapp.api.explain import BACKEND, explain, outcome_of, statement
from webapp.records import ApiAnswer, Person, SentRequest

ADMIN = "arn:aws:iam::000000000000:role/portico-admin"
VIEWER = "arn:aws:iam::000000000000:role/portico-viewer"
PERSON = Person(
    "iss", "sub", "ada", "ada@example.com", None, ("Admin", "Viewer"), (ADMIN, VIEWER), ADMIN
)


def _answer(
    endpoint: str,
    identity: str,
    status: int,
    role: str | None = None,
    *,
    body: object = None,
    headers: tuple[tuple[str, str], ...] = (),
    url: str = "https://api.example.com",
) -> ApiAnswer:
    return ApiAnswer(
        endpoint=endpoint,
        identity=identity,
        status=status,
        reason="",
        milliseconds=1.0,
        headers=headers,
        body=json.dumps(body).encode() if body is not None else b"",
        cut=False,
        sent=SentRequest("GET", url, ()),
        role_arn=role,
    )


def _explained(
    endpoint: str, identity: str, status: int, role: str | None = None, **more: Any
) -> dict[str, str]:
    answer = _answer(endpoint, identity, status, role, **more)
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


def test_the_backends_rule_decides() -> None:
    """On a document the backend's own rule and sentence decide, refused or not."""
    told = {"rule": "viewer_reads_only", "because": "A Viewer reads and writes nothing."}
    said = _explained("document-write", "user", 403, VIEWER, body={"message": "Forbidden", **told})
    assert "rule viewer_reads_only decided: “A Viewer reads" in said["What decided"]
    assert "one of the backend's rules" in said["What would be let in"]
    said = _explained("document-read", "user", 200, VIEWER, body={"decided_by": told})
    assert "rule viewer_reads_only decided" in said["What decided"]


def test_the_gateways_refusal_is_not_the_backends() -> None:
    """A bare Forbidden is IAM's; one with the backend's request id came from behind the policy."""
    forbidden = {"message": "Forbidden"}
    said = _explained("whoami", "user", 403, VIEWER, body=forbidden)
    assert "no policy of the role" in said["What decided"]
    said = _explained("whoami", "user", 403, VIEWER, body={**forbidden, "request_id": "r"})
    assert "the backend refused" in said["What decided"]


@pytest.mark.parametrize(
    "body",
    [
        {"rule": ["a"], "because": "x", "request_id": "r"},
        {"rule": "<script>", "because": "x"},
        {"rule": "x" * 99, "because": "y"},
        {"decided_by": [1]},
        [{"rule": "owner", "because": "x"}],
        "owner",
        7,
    ],
)
def test_nonsense_of_a_backend(body: object) -> None:
    """What is no rule and no sentence is not told as one."""
    answer = _answer("document-read", "user", 403, VIEWER, body=body)
    outcome = outcome_of(endpoint_named("document-read"), answer)
    assert (outcome.rule, outcome.because) in {("", ""), (BACKEND, "")}


def test_an_authorizer_is_quoted_in_short() -> None:
    """The authorizer's own words are told, on one line and not all of them when there are many."""
    words = ("WWW-Authenticate", 'Bearer error="invalid_token"\r\n\x1b' + "y" * 1_000)
    said = _explained("protected", "bearer-access", 401, headers=(words,))
    quoted = said["In the authorizer's own words"]
    assert quoted.startswith("“Bearer error=")
    assert quoted.isprintable()
    assert len(quoted) < 310
    assert "did not accept the token" in said["What decided"]
    assert "found no bearer token" in _explained("protected", "user", 401, ADMIN)["What decided"]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_nobody_decided(status: int) -> None:
    """An API that could not answer refused nobody."""
    assert "No rule did" in _explained("vip", "user", status, ADMIN)["What decided"]


def test_the_statement_that_is_missing() -> None:
    """A refusal by IAM comes with the statement that would let it in, for this API and account."""
    url = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/documents/budget"
    forbidden = {"message": "Forbidden"}
    answer = _answer("document-write", "user", 403, VIEWER, body=forbidden, url=url)
    known = endpoint_named("document-write")
    said = json.loads(statement(known, answer, outcome_of(known, answer), "x") or "")
    assert said["Effect"] == "Allow"
    assert said["Resource"] == (
        "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3d4e5/*/PUT/documents/*"
    )


@pytest.mark.parametrize(
    ("endpoint", "identity", "status"),
    [
        ("vip", "nobody", 403),
        ("vip", "bearer-id", 403),
        ("vip", "user", 200),
        ("protected", "bearer-id", 403),
        ("secure", "user", 401),
    ],
)
def test_no_statement_where_none_is_missing(endpoint: str, identity: str, status: int) -> None:
    """Where IAM did not refuse a signature, no statement would help."""
    answer = _answer(endpoint, identity, status, VIEWER)
    known = endpoint_named(endpoint)
    assert statement(known, answer, outcome_of(known, answer), "x") is None


@pytest.mark.parametrize(
    "role",
    ["x", "arn:aws:iam", "::::", 'arn:a"b:iam::1:role/x', "arn:aws:iam::<b>:role/x", "\x1b[31m"],
)
def test_OU_01_an_odd_role_lacks_a_statement_as_well(role: str) -> None:
    """A role whose name is no ARN breaks no page, and nothing of it gets into the statement."""
    answer = _answer("vip", "user", 403, role)
    endpoint = endpoint_named("vip")
    told = statement(endpoint, answer, outcome_of(endpoint, answer), "x") or ""
    assert json.loads(told)["Resource"] == "arn:aws:execute-api:x:*:*/*/GET/vip"

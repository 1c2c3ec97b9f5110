"""Endpoints as data: what a parameter may be, and what becomes of it in an address."""

import json

import pytest

from webapp.api.catalogue import ENDPOINTS, Endpoint, Parameter, endpoint_named
from webapp.api.identities import LABELS, Caller, caller_named, callers_of, identity_named
from webapp.errors import BadInput, Forbidden, SessionEnded

ANYTHING = r"(?s).*"  # the loosest pattern there is: what is refused, the parameter itself refuses


def endpoint(*parameters: Parameter, path: str = "/documents/{id}") -> Endpoint:
    """An endpoint of this test's own."""
    return Endpoint(
        name="documents",
        method="GET",
        path=path,
        authorization="AWS_IAM",
        summary="A document.",
        parameters=parameters,
    )


ONE = endpoint(Parameter("id", ANYTHING), Parameter("view", ANYTHING, where="query"))
TRAVERSALS = (
    *("..", ".", "", "../x", "x/..", "a/b", "/", "//evil", "%2e%2e%2f", "%2e%2e", "%252e", "%"),
    *("..;/", "a;b", ";", "\\", "..\\", "a\\b", "%5c", "..%00", "%zz"),
)
CONTROLS = ("\r\n", "a\r\nX-Evil: 1", "a\n", "\x00", "a\tb", "\x7f", "\x85", "\u2028", "\u202e")


@pytest.mark.parametrize("value", TRAVERSALS, ids=ascii)
def test_a_path_takes_nothing_that_reads_in_two_ways(value: str) -> None:
    """Whatever the pattern allows, a path parameter is one plain segment."""
    with pytest.raises(BadInput):
        ONE.address({"id": value})


@pytest.mark.parametrize("value", [*CONTROLS, "\ud800"], ids=ascii)
@pytest.mark.parametrize("name", ["id", "view"])
def test_no_parameter_takes_what_cannot_be_printed(name: str, value: str) -> None:
    """Line breaks, controls, direction marks and half characters are refused everywhere."""
    with pytest.raises(BadInput):
        ONE.address({"id": "1"} | {name: value})


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a&admin=1", "a%26admin%3D1"),
        ("a#b", "a%23b"),
        ("a%26b", "a%2526b"),
        (";", "%3B"),
        ("a+b c", "a%2Bb%20c"),
        ("a?b=c", "a%3Fb%3Dc"),
        ("..", ".."),
        ("é", "%C3%A9"),
    ],
)
def test_a_query_value_arrives_as_one(value: str, encoded: str) -> None:
    """Nothing in a value can end it: each is percent-encoded whole."""
    assert ONE.address({"id": "7", "view": value}) == f"/documents/7?view={encoded}"


def test_a_path_value_arrives_as_one_segment() -> None:
    """A question mark or a hash in a path value starts neither query nor fragment."""
    assert ONE.address({"id": "a?b#c&d=e"}) == "/documents/a%3Fb%23c%26d%3De"


def test_a_format_in_a_value_is_text() -> None:
    """Braces in a value are not filled in a second time."""
    assert ONE.address({"id": "{view}", "view": "{id}"}) == "/documents/%7Bview%7D?view=%7Bid%7D"


def test_a_path_value_is_required_and_a_query_value_is_not() -> None:
    """Without its path value an endpoint has no address; an empty query value is left out."""
    assert ONE.address({"id": "7", "view": ""}) == "/documents/7"
    with pytest.raises(BadInput, match="id"):
        ONE.address({"view": "x"})


def test_what_is_no_parameter_is_left_out() -> None:
    """Further values of a form never reach the address."""
    values = {"id": "7", "host": "evil", "url": "//evil", "path": "/vip", "view2": "x"}
    assert ONE.address(values) == "/documents/7"


def test_the_pattern_fits_the_whole_value() -> None:
    """A pattern holds from the first to the last character, a final line break included."""
    short = endpoint(Parameter("id", r"[a-z]{1,3}"))
    assert short.address({"id": "abc"}) == "/documents/abc"
    for value in ("abcd", "abc\n", "Abc", "a b"):
        with pytest.raises(BadInput) as caught:
            short.address({"id": value})
        assert value not in str(caught.value)


def test_a_body_is_one_json_object() -> None:
    """Values of the body go as JSON; what is optional and empty is left out, the rest is sent."""
    write = endpoint_named("document-write")
    body = write.body({"id": "7", "title": 'a "b"', "text": "one\r\ntwo", "project": ""})
    assert json.loads(body or b"") == {"title": 'a "b"', "text": "one\ntwo"}
    assert json.loads(write.body({}) or b"") == {"title": "", "text": ""}
    assert json.loads(write.body({"project": "atlas"}) or b"")["project"] == "atlas"
    assert endpoint_named("document-delete").body({"title": "x"}) is None
    for odd in ({"title": "a\nb"}, {"title": "x" * 201}, {"text": "\x00"}, {"project": "A b"}):
        with pytest.raises(BadInput):
            write.body(odd)


def test_names() -> None:
    """An endpoint and an identity are found by name, dashes and underscores alike."""
    for one in ENDPOINTS:
        assert endpoint_named(one.name) is one
        assert endpoint_named(one.name.replace("-", "_")) is one
    for identity in LABELS:
        assert identity_named(identity.replace("-", "_")) == identity
    for name in ("", "TEST-PLAIN", "/test/plain", "http://evil", "test-plain ", "nobody\n"):
        with pytest.raises(BadInput):
            endpoint_named(name)
        with pytest.raises(BadInput):
            identity_named(name)


TEAM_A, TEAM_B = (f"arn:aws:iam::000000000000:role/portico-team-{one}" for one in "ab")


def test_callers() -> None:
    """A caller is spelled as it is named; a role is one of the token's or nobody's."""
    for identity in LABELS:
        assert str(caller_named(identity, None)) == identity
    chosen = caller_named("role:portico-team-b", (TEAM_A, TEAM_B))
    assert chosen == Caller("role", TEAM_B)
    assert (str(chosen), chosen.label) == ("role:portico-team-b", "role portico-team-b")
    with pytest.raises(Forbidden):
        caller_named("role:portico-admin", (TEAM_A, TEAM_B))
    with pytest.raises(SessionEnded):
        caller_named("role:portico-admin", None)
    assert [str(one) for one in callers_of(None)] == ["nobody", "guest"]
    assert [str(one) for one in callers_of((TEAM_A, TEAM_B))] == [
        *("nobody", "guest", "user", "role:portico-team-a", "role:portico-team-b"),
        *("bearer-access", "bearer-id"),
    ]

"""What each address of the backend asks for and answers."""

import json
from typing import Any

import pytest

from infra.functions.api.handler import Backend
from infra.functions.api.routes import ROUTES
from infra.stack import load_stack
from tests.unit.infra.events import (
    GUEST_AMR,
    amr_of,
    iam_event,
    jwt_event,
    open_event,
    service_event,
)
from tests.unit.infra.pool import OTHER_SUB, SUB, UserPool

PERSON_ROUTES = ["GET /test/auth", "GET /secure", "GET /vip", "GET /whoami"]


def body_of(answer: dict[str, Any]) -> Any:
    """Return an answer's JSON."""
    return json.loads(answer["body"])


def test_every_route_of_the_stack_has_an_answer_and_no_other() -> None:
    """The function knows exactly the routes that stack.yaml sends to it."""
    routes = load_stack().http_api.routes
    assert {route.route for route in routes if route.function == "api"} == set(ROUTES)


def test_plain_answers_nobody_without_reading_a_token(backend: Backend) -> None:
    """The open address answers anyone and pays no attention to a token."""
    answer = backend.answer(open_event("GET /test/plain", {"x-cognito-id-token": "rubbish"}))
    assert answer["statusCode"] == 200
    assert body_of(answer)["caller"] == {"kind": "nobody"}


def test_public_answers_a_guest_by_identity_and_role(backend: Backend) -> None:
    """A guest's answer names the identity and the role and no person."""
    answer = backend.answer(iam_event("GET /test/public", amr=GUEST_AMR, role="portico-guest"))
    caller = body_of(answer)["caller"]
    assert answer["statusCode"] == 200
    assert (caller["kind"], caller["role"]) == ("guest", "portico-guest")
    assert caller["identity_id"].startswith("us-east-1:")
    assert "sub" not in caller


def test_public_answers_a_person_without_a_token(backend: Backend) -> None:
    """The IAM context alone proves a person where no token is asked for."""
    answer = backend.answer(iam_event("GET /test/public"))
    assert answer["statusCode"] == 200
    assert body_of(answer)["caller"]["sub"] == SUB


@pytest.mark.parametrize("route", PERSON_ROUTES)
def test_a_person_sees_who_the_backend_takes_him_for(
    backend: Backend, pool: UserPool, route: str
) -> None:
    """Caller, role and groups come back, with API Gateway's request id."""
    answer = backend.answer(iam_event(route, token=pool.token()))
    body = body_of(answer)
    assert answer["statusCode"] == 200
    assert answer["headers"] == {
        "content-type": "application/json",
        "cache-control": "no-store",
    }
    assert (body["route"], body["request_id"]) == (route, "JKJaXmPLvHcESHA=")
    assert body["caller"]["sub"] == SUB
    assert body["caller"]["role"] == "portico-admin"
    assert body["caller"]["groups"] == ["Admin", "Viewer"]
    assert body["caller"]["email"] == "admin@example.com"


def test_protected_answers_the_bearer_of_an_access_token(backend: Backend) -> None:
    """The JWT route takes the person from the authorizer's claims, lists unfolded."""
    answer = backend.answer(jwt_event("GET /protected"))
    caller = body_of(answer)["caller"]
    assert answer["statusCode"] == 200
    assert (caller["sub"], caller["groups"]) == (SUB, ["Admin", "Viewer"])
    assert caller["scopes"] == ["aws.cognito.signin.user.admin", "openid", "email"]


def test_protected_refuses_an_id_token_that_a_scopeless_route_let_in(backend: Backend) -> None:
    """A JWT route that lost its scope stays closed to ID tokens."""
    assert backend.answer(jwt_event("GET /protected", token_use="id"))["statusCode"] == 401


def test_protected_checks_an_id_token_that_comes_along(backend: Backend, pool: UserPool) -> None:
    """An access token of one person and an ID token of another are refused together."""
    theirs = {"x-cognito-id-token": pool.token(sub=OTHER_SUB)}
    ours = {"x-cognito-id-token": pool.token()}
    assert backend.answer(jwt_event("GET /protected", headers=theirs))["statusCode"] == 403
    assert backend.answer(jwt_event("GET /protected", headers=ours))["statusCode"] == 200


@pytest.mark.parametrize("route", ["GET /test/public", *PERSON_ROUTES])
def test_a_route_that_lost_its_iam_guard_stays_closed(
    backend: Backend, pool: UserPool, route: str
) -> None:
    """Without an IAM context there is no caller, whatever token is sent."""
    event = open_event(route, {"x-cognito-id-token": pool.token()})
    assert backend.answer(event)["statusCode"] == 401


@pytest.mark.parametrize("route", PERSON_ROUTES)
def test_an_aws_principal_outside_the_pool_is_nobody_here(
    backend: Backend, pool: UserPool, route: str
) -> None:
    """An IAM user with a stolen ID token is refused."""
    assert backend.answer(service_event(route, token=pool.token()))["statusCode"] == 403


def test_another_user_pools_sign_in_is_nobody_here(backend: Backend, pool: UserPool) -> None:
    """The sub counts only with this pool's name before it."""
    foreign = "cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3x"
    event = iam_event("GET /secure", token=pool.token(), amr=amr_of(SUB, foreign))
    assert backend.answer(event)["statusCode"] == 403


def test_two_linked_people_are_no_person(backend: Backend, pool: UserPool) -> None:
    """An identity with two sign-ins of this pool names nobody for certain."""
    amr = amr_of(SUB) + amr_of(OTHER_SUB)[1:]
    event = iam_event("GET /secure", token=pool.token(), amr=amr)
    assert backend.answer(event)["statusCode"] == 403


def test_an_unknown_address_is_not_found_and_not_echoed(backend: Backend) -> None:
    """A route that is not the function's own gets 404 without its name."""
    answer = backend.answer(open_event("GET /nowhere"))
    assert answer["statusCode"] == 404
    assert "nowhere" not in answer["body"]

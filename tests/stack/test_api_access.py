"""The access table over the offline AWS: everybody at every address, as the stack promises."""

import pytest

from tests.stack.api_callers import Callers
from tests.stack.offline import OfflineAws

ADMIN, MANAGER, VIEWER, NOBODY, BOTH = (
    f"{name}@example.com" for name in ("admin", "manager", "viewer", "nobody", "both")
)
PATHS = (
    "/test/plain",
    "/test/public",
    "/test/auth",
    "/secure",
    "/vip",
    "/protected",
    "/whoami",
)
SIGNED_IN = (200, 200, 200, 200, 403, 401, 200)

# Who, and the status at each of PATHS. A signature is no bearer token, so /protected says 401.
PEOPLE = {
    ADMIN: (200, 200, 200, 200, 200, 401, 200),
    MANAGER: SIGNED_IN,
    VIEWER: SIGNED_IN,
    NOBODY: SIGNED_IN,
    BOTH: SIGNED_IN,
}
ROLES = {
    ADMIN: "portico-admin",
    MANAGER: "portico-manager",
    VIEWER: "portico-viewer",
    NOBODY: "portico-authenticated",
    BOTH: "portico-authenticated",
}


@pytest.fixture(scope="module")
def callers(offline_aws: OfflineAws) -> Callers:
    return Callers(offline_aws)


def test_the_table_covers_every_route_of_the_stack(offline_aws: OfflineAws) -> None:
    """No address of the function `api` is left out; documents have a table of their own."""
    routes = {one.route for one in offline_aws.stack.http_api.routes if one.function == "api"}
    assert routes == {f"GET {path}" for path in PATHS}


def test_nobody_reaches_the_open_address_alone(callers: Callers) -> None:
    """Without a signature IAM routes say 403 and the JWT route says 401."""
    statuses = tuple(callers.call(path).status_code for path in PATHS)
    assert statuses == (200, 403, 403, 403, 403, 401, 403)


def test_a_guest_reaches_what_is_public(callers: Callers) -> None:
    """Guest credentials open /test/public and nothing else behind IAM."""
    statuses = tuple(callers.signed(path, None).status_code for path in PATHS)
    assert statuses == (200, 200, 403, 403, 403, 401, 403)


@pytest.mark.parametrize("email", PEOPLE)
def test_a_person_reaches_what_the_role_of_the_group_allows(callers: Callers, email: str) -> None:
    """Only Admin's role reaches /vip; no group and two equal groups get the plain role."""
    statuses = tuple(callers.signed(path, email, token_of=email).status_code for path in PATHS)
    assert statuses == PEOPLE[email]


@pytest.mark.parametrize("email", PEOPLE)
def test_whoami_names_the_person_and_the_mapped_role(
    callers: Callers, offline_aws: OfflineAws, email: str
) -> None:
    """The backend sees the role that the identity pool mapped, and the token's groups."""
    answer = callers.signed("/whoami", email, token_of=email)
    caller = answer.json()["caller"]
    user = next(user for user in offline_aws.stack.demo.users if user.email == email)
    assert caller["role"] == ROLES[email]
    assert caller["email"] == email
    assert sorted(caller.get("groups", [])) == sorted(user.groups)
    assert answer.json()["request_id"]


def test_a_bearer_access_token_opens_the_jwt_route_alone(callers: Callers) -> None:
    """A bearer token is no signature: IAM routes say 403 even to an administrator's."""
    statuses = tuple(callers.bearer(path, ADMIN, "AccessToken").status_code for path in PATHS)
    assert statuses == (200, 403, 403, 403, 403, 200, 403)


def test_a_bearer_id_token_opens_nothing(callers: Callers) -> None:
    """An ID token has no scope, so the JWT route says 403."""
    statuses = tuple(callers.bearer(path, ADMIN, "IdToken").status_code for path in PATHS)
    assert statuses == (200, 403, 403, 403, 403, 403, 403)


def test_a_chosen_role_decides_between_two_equal_groups(callers: Callers) -> None:
    """Who is in both teams may take either role and then sees that team's part."""
    for role, statuses in (("team-a", (200, 403, 200)), ("team-b", (403, 200, 200))):
        paths = ("/test/auth", "/secure", "/whoami")
        answers = [callers.signed(path, BOTH, token_of=BOTH, role=role) for path in paths]
        assert tuple(answer.status_code for answer in answers) == statuses
        assert answers[-1].json()["caller"]["role"] == f"portico-{role}"


def test_LM_01_a_signed_call_without_a_token_is_401(callers: Callers) -> None:
    """Credentials alone do not answer for a person where one is asked for."""
    assert callers.signed("/secure", ADMIN).status_code == 401
    assert callers.signed("/test/public", ADMIN).status_code == 200


def test_LM_04_anothers_token_over_the_whole_way_is_403(callers: Callers) -> None:
    """The viewer's credentials with the administrator's token open nothing."""
    answer = callers.signed("/secure", VIEWER, token_of=ADMIN)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Forbidden"


def test_LM_05_a_guest_with_a_token_over_the_whole_way_is_403(callers: Callers) -> None:
    """Guest credentials do not become a person's by a token."""
    assert callers.signed("/test/public", None, token_of=ADMIN).status_code == 403

"""CR: AWS keys: renewed once, never a guest's for a person, only roles of the token, wiped."""

import io
import json
from collections.abc import Callable

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.doubles.identity_pool import FakeIdentityPool
from tests.doubles.users import ADMIN_ROLE, AUTHENTICATED_ROLE, TEAM_A_ROLE, TEAM_B_ROLE
from tests.rig import Rig
from tests.security.outcomes import is_anonymous, living_sessions
from tests.security.rows import rows

EXPIRED = "Invalid login token. Token expired: 1 >= 0"


def _refreshes(rig: Rig) -> int:
    return len(rig.cognito.issuer.grants("refresh_token"))


def test_CR_02_expired_id_token(rig: Rig) -> None:
    """An ID token that the pool takes for expired is renewed once, and the call is made."""
    browser = rig.signed_in("admin")
    rig.cognito.pool.get_id.once.aws_error("NotAuthorizedException", EXPIRED)
    assert browser.call("vip", "user").json()["status"] == 200
    assert _refreshes(rig) == 1
    assert rig.cognito.pool.get_id.count == 2


def test_CR_02_expired_for_ever(rig: Rig) -> None:
    """When the renewed token is expired as well the session ends, once, and nothing loops."""
    browser = rig.signed_in("admin")
    rig.cognito.pool.get_id.aws_error("NotAuthorizedException", EXPIRED)
    response = browser.call("vip", "user", json=False)
    assert response.status == 401
    assert "sign in again" in response.page.text
    assert (_refreshes(rig), rig.cognito.pool.get_id.count) == (1, 2)
    assert living_sessions(rig) == 0
    assert is_anonymous(rig, browser)
    assert rig.cognito.api.calls == []


FAULTS: dict[str, Callable[[FakeIdentityPool], object]] = {
    "policy": lambda pool: pool.get_credentials.aws_error(
        "NotAuthorizedException", "Access to Identity 'x' is forbidden."
    ),
    "provider": lambda pool: pool.get_id.aws_error(
        "NotAuthorizedException", "Token is not from a supported provider of this identity pool."
    ),
    "roles": lambda pool: pool.get_credentials.aws_error(
        "InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration."
    ),
    "no-mapping": lambda pool: setattr(pool, "ambiguous", "Deny"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_CR_03_set_up_wrong(rig: Rig, fault: Callable[[FakeIdentityPool], object]) -> None:
    """A pool that is set up wrongly is the operator's to mend: a page, no loop, no sign-out."""
    browser = rig.signed_in("both")
    fault(rig.cognito.pool)
    response = browser.call("test-auth", "user", json=False)
    assert response.status == 502
    assert "operator" in response.page.text
    assert (_refreshes(rig), rig.cognito.pool.get_id.count) == (0, 1)
    assert rig.cognito.api.calls == []
    assert browser.me()["email"] == "both@example.com"
    page = browser.get("/credentials")
    assert page.status == 200
    assert _refreshes(rig) == 0
    lines = [json.loads(line) for line in rig.log.splitlines()]
    refused = [line for line in lines if line.get("code") == "identity_pool_refused"]
    assert refused
    assert refused[0]["level"] == "error"


def test_CR_03_guests_not_allowed(rig: Rig) -> None:
    """A pool without guest access says so to the guest, and a person there stays signed in."""
    rig.cognito.pool.guests_allowed = False
    guest = rig.browser()
    response = guest.call("test-public", "guest", json=False)
    assert response.status == 502
    assert "guest" in response.page.text
    assert living_sessions(rig) == 0
    browser = rig.signed_in("admin")
    assert browser.call("test-public", "guest").status == 502
    assert browser.call("test-public", "user").json()["status"] == 200


def test_CR_08_ten_thousand_views_mint_no_guest(rig: Rig) -> None:
    """Ten thousand anonymous page views ask the identity pool nothing and leave no record."""
    pages = ("/", "/api", "/me", "/session", "/credentials", "/login", "/robots.txt", "/healthz")
    for page in pages:
        builder = EnvironBuilder(path=page, base_url=rig.base_url)
        environ = builder.get_environ()
        builder.close()
        for _ in range(10_000 // len(pages)):
            run_wsgi_app(rig.app, environ | {"wsgi.input": io.BytesIO()}, buffered=True)
    assert rig.cognito.pool.get_id.count == 0
    assert rig.cognito.vault.issued == []
    assert living_sessions(rig) == 0


def test_CR_08_one_identity_per_visitor_who_calls(rig: Rig) -> None:
    """A guest who calls again and again is one identity; another guest is another."""
    first, second = rig.browser(), rig.browser()
    for browser in (first, first, first, second):
        assert browser.call("test-public", "guest").json()["status"] == 200
        browser.get("/api")
    assert rig.cognito.pool.get_id.count == 2
    assert len(rig.cognito.pool.identities) == 2


def test_CR_08_a_guest_stays_the_same_identity(rig: Rig) -> None:
    """Keys that ended, by their time or by AWS's word, are renewed for the identity of before."""
    browser, pool = rig.browser(), rig.cognito.pool
    pool.lifetime = 900
    assert browser.call("test-public", "guest").json()["status"] == 200
    rig.clock.advance(901)
    assert browser.call("test-public", "guest").json()["status"] == 200
    expired = {"message": "The security token included in the request is expired"}
    rig.cognito.api["test-public"].once.answer(403, expired)
    assert browser.call("test-public", "guest").json()["status"] == 200
    assert (pool.get_id.count, pool.get_credentials.count) == (1, 3)
    assert len({keys.identity_id for keys in rig.cognito.vault.issued}) == 1
    pool.forget_identities()
    rig.clock.advance(901)
    assert browser.call("test-public", "guest").json()["status"] == 200
    assert pool.get_id.count == 2


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("TooManyRequestsException", 503),
        ("InternalErrorException", 503),
        ("NotAuthorizedException", 502),
        ("InvalidParameterException", 502),
    ],
)
def test_CR_09_never_a_guest_for_a_person(rig: Rig, code: str, status: int) -> None:
    """When a person's exchange fails the call is not made, with a guest's keys least of all."""
    browser = rig.signed_in("admin")
    assert browser.call("test-public", "guest").json()["status"] == 200
    calls, issued = len(rig.cognito.api.calls), len(rig.cognito.vault.issued)
    rig.cognito.pool.get_id.aws_error(code)
    rig.cognito.pool.get_credentials.aws_error(code)
    response = browser.call("test-public", "user")
    assert response.status == status
    assert len(rig.cognito.api.calls) == calls
    assert len(rig.cognito.vault.issued) == issued
    assert browser.me()["email"] == "admin@example.com"


def test_CR_09_signed_out_user_is_no_guest(rig: Rig) -> None:
    """Somebody signed out who asks as `user` is asked to sign in, also with a guest's session."""
    browser = rig.browser()
    browser.call("test-public", "guest")
    calls = len(rig.cognito.api.calls)
    assert browser.call("test-public", "user").status == 401
    assert len(rig.cognito.api.calls) == calls


def test_CR_12_ambiguous_groups_choose_nothing(rig: Rig) -> None:
    """Two groups of equal precedence give the default role, and no role is picked in silence."""
    browser = rig.signed_in("both")
    body = browser.call("whoami", "user").json()["body"]
    assert body["caller"]["role"] == AUTHENTICATED_ROLE
    asked = rig.cognito.pool.get_credentials.last.json()
    assert "CustomRoleArn" not in asked
    assert "equal precedence" in browser.get("/credentials").page.text


@pytest.mark.parametrize("role", [ADMIN_ROLE, f"{TEAM_A_ROLE}x", "x", "*", TEAM_A_ROLE.upper()])
def test_CR_12_forged_role(rig: Rig, role: str) -> None:
    """A role that is not in the ID token is refused here, and the pool never hears of it."""
    browser = rig.signed_in("both")
    browser.call("whoami", "user")
    asked = rig.cognito.pool.get_credentials.count
    response = browser.post("/credentials/role", {"csrf_token": browser.csrf(), "role": role})
    assert response.status == 403
    assert role not in response.text or role in ("x", "*")
    assert rig.cognito.pool.get_credentials.count == asked
    caller = browser.call("whoami", "user", CustomRoleArn=role, role=role).json()["body"]["caller"]
    assert caller["role"] == AUTHENTICATED_ROLE


def test_CR_12_role_of_the_token(rig: Rig) -> None:
    """A role of the token can be chosen, and is given up when the token no longer has it."""
    browser = rig.signed_in("both")
    form = {"csrf_token": browser.csrf(), "role": TEAM_B_ROLE}
    assert browser.post("/credentials/role", form).status == 303
    assert browser.call("whoami", "user").json()["body"]["caller"]["role"] == TEAM_B_ROLE
    rig.cognito.user("both").groups, rig.cognito.user("both").roles = ["TeamA"], [TEAM_A_ROLE]
    browser.post("/session/refresh", {"csrf_token": browser.csrf()})
    body = browser.call("whoami", "user").json()["body"]
    assert body["caller"]["role"] == AUTHENTICATED_ROLE
    assert "CustomRoleArn" not in rig.cognito.pool.get_credentials.last.json()


def test_CR_12_a_call_as_a_role_of_the_token_keeps_nothing(rig: Rig) -> None:
    """A role for one call signs that call alone; the session keeps its own role and keys."""
    browser = rig.signed_in("both")
    assert browser.call("whoami", "user").json()["role"] is None
    answer = browser.call("whoami", "role:portico-team-b").json()
    assert answer["identity"] == "role:portico-team-b"
    assert answer["body"]["caller"]["role"] == answer["role"] == TEAM_B_ROLE
    asked = rig.cognito.pool.get_credentials.count
    body = browser.call("whoami", "user").json()["body"]
    assert body["caller"]["role"] == AUTHENTICATED_ROLE
    assert rig.cognito.pool.get_credentials.count == asked


@pytest.mark.parametrize("name", ["portico-admin", ADMIN_ROLE, "*", "", "portico-team-b\n"])
def test_CR_12_a_call_as_anothers_role(rig: Rig, name: str) -> None:
    """A call under a role that is not in the ID token is refused; pool and API never hear of it."""
    browser = rig.signed_in("both")
    response = browser.call("whoami", f"role:{name}")
    assert (response.status, response.json()["error"]) == (403, "role_not_in_token")
    assert rig.browser().call("whoami", f"role:{name}").status == 401
    assert rig.cognito.pool.get_credentials.count == len(rig.cognito.api.calls) == 0


@pytest.mark.parametrize("depth", ["app", "cognito", "everywhere", "switch"])
def test_CR_14_wiped_at_sign_out(rig: Rig, depth: str) -> None:
    """After the sign-out neither a record nor a key of AWS is left in the store."""
    browser = rig.signed_in("admin")
    browser.call("vip", "user")
    browser.call("test-public", "guest")
    browser.sign_out(depth)
    assert (living_sessions(rig), rows(rig.store_path)) == (0, 1)  # the tombstone
    files = [path.read_bytes() for path in rig.store_path.parent.glob("sessions.db*")]
    secrets = [
        secret.encode()
        for keys in rig.cognito.vault.issued
        for secret in (keys.access_key, keys.secret_key, keys.session_token)
    ]
    assert len(secrets) == 6
    assert not any(secret in content for secret in secrets for content in files)

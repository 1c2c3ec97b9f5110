"""The fake issuer gives what Cognito gives and refuses what Cognito refuses."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.doubles import Clock, Cognito, Complaint
from tests.doubles.keys import decode
from tests.doubles.mint import at_hash
from tests.unit.doubles.walk import APP, Walk, aws

IDP = "AWSCognitoIdentityProviderService"


def refused(answer: requests.Response, error: str = "invalid_grant") -> bool:
    """Whether it is this refusal."""
    return bool(answer.status_code == 400 and answer.json()["error"] == error)


def test_discovery_leads_to_keys_that_verify_both_tokens(cognito: Cognito, walk: Walk) -> None:
    """Tokens verify with an independent library by the key set that discovery names."""
    issuer = cognito.issuer.issuer
    document = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=5).json()
    assert document["issuer"] == issuer
    keys = KeySet.import_key_set(requests.get(document["jwks_uri"], timeout=5).json())
    tokens = walk.tokens()
    identity = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    access = jwt.decode(tokens["access_token"], keys, algorithms=["RS256"])
    assert identity.header["kid"] != access.header["kid"]
    assert identity.claims["nonce"] == "nonce-1"
    assert identity.claims["at_hash"] == at_hash(tokens["access_token"])
    assert identity.claims["cognito:groups"] == ["Admin"]
    assert access.claims["client_id"] == identity.claims["aud"]
    assert "aud" not in access.claims


def test_wrong_verifier_is_refused_and_burns_the_code(walk: Walk) -> None:
    """A verifier of another challenge gives invalid_grant, and so does the right one after it."""
    code = walk.code()
    assert refused(walk.exchange(code, code_verifier="x" * 43))
    assert refused(walk.exchange(code))


def test_code_is_single_use(walk: Walk) -> None:
    """The second exchange of a code is refused."""
    code = walk.code()
    assert walk.exchange(code).status_code == 200
    assert refused(walk.exchange(code))


def test_code_grows_old(walk: Walk, clock: Clock) -> None:
    """A code lives five minutes."""
    code = walk.code()
    clock.advance(300)
    assert refused(walk.exchange(code))


def test_code_is_bound_to_its_redirect_uri(walk: Walk) -> None:
    """Another redirect_uri than that of the request is refused."""
    assert refused(walk.exchange(walk.code(), redirect_uri=f"{APP}/other"))


def test_wrong_client_authentication_does_not_burn_the_code(cognito: Cognito, walk: Walk) -> None:
    """A wrong secret is invalid_client, and the code works afterwards."""
    code = walk.code()
    client = cognito.issuer.pool.client
    right, client.secret = client.secret, "another"
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": walk.redirect_uri}
    url = f"{cognito.issuer.server.origin}/oauth2/token"
    form |= {"code_verifier": walk.verifier}
    wrong = requests.post(url, form, auth=(client.client_id, str(right)), timeout=5)
    none = requests.post(url, form | {"client_id": client.client_id}, timeout=5)
    client.secret = right
    assert refused(wrong, "invalid_client")
    assert refused(none, "invalid_client")
    assert walk.exchange(code).status_code == 200


def test_public_client_needs_its_id_and_no_secret(clock: Clock) -> None:
    """A client without secret signs in by client_id; Basic authentication is refused."""
    with Cognito(now=clock) as cognito:
        cognito.environment(APP)
        walk = Walk(cognito)
        code = walk.code()
        form = {"grant_type": "authorization_code", "code": code}
        form |= {"redirect_uri": walk.redirect_uri, "code_verifier": walk.verifier}
        client_id = cognito.issuer.pool.client.client_id
        with_secret = requests.post(
            f"{cognito.issuer.server.origin}/oauth2/token",
            form | {"client_id": client_id},
            auth=(client_id, "guess"),
            timeout=5,
        )
        assert refused(with_secret, "invalid_client")
        assert walk.exchange(code).status_code == 200


def test_verifier_without_challenge_is_refused(cognito: Cognito, walk: Walk) -> None:
    """A code whose request lost its challenge is worth nothing to a client that used PKCE."""
    cognito.issuer.require_pkce = False
    location = walk.location(code_challenge=None, code_challenge_method=None)
    callback = cognito.issuer.approve(location, cognito.user("admin"))
    assert refused(walk.exchange(parse_qs(urlsplit(callback).query)["code"][0]))


@pytest.mark.parametrize(
    "change",
    [
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"state": None},
        {"nonce": None},
        {"redirect_uri": "http://evil.example/callback"},
        {"client_id": "stranger"},
        {"response_type": "token"},
        {"response_mode": "form_post"},
        {"state": "a b=%"},
        {"prompt": "always"},
    ],
)
def test_authorize_is_loud(cognito: Cognito, walk: Walk, change: dict[str, str | None]) -> None:
    """What no right client asks for raises at once, and by HTTP is answered with 500."""
    location = walk.location(**change)
    with pytest.raises(Complaint):
        cognito.issuer.approve(location, cognito.user("admin"))
    assert requests.get(location, timeout=5).status_code == 500
    cognito.issuer.server.expect_complaint("/oauth2/authorize")


def test_foreign_scope_is_told_to_the_callback(cognito: Cognito, walk: Walk) -> None:
    """A scope that the client may not have ends in invalid_scope."""
    location = walk.location(scope="openid other/scope")
    callback = cognito.issuer.approve(location, cognito.user("admin"))
    assert parse_qs(urlsplit(callback).query)["error"] == ["invalid_scope"]


def test_real_browser_is_sent_on_at_once(cognito: Cognito, walk: Walk) -> None:
    """GET /oauth2/authorize redirects with a code for the person who is hinted at or signed in."""
    cognito.issuer.arriving = cognito.user("viewer")
    answer = requests.get(walk.location(), allow_redirects=False, timeout=5)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    claims = decode(walk.exchange(code).json()["id_token"])[1]
    assert claims["email"] == "viewer@example.com"
    assert cognito.issuer.authorize.count == 1


def test_silent_sign_in_without_session_needs_login(cognito: Cognito, walk: Walk) -> None:
    """Prompt none while nobody is signed in at the pool gives login_required."""
    answer = requests.get(walk.location(prompt="none"), allow_redirects=False, timeout=5)
    assert "error=login_required" in answer.headers["Location"]


def test_refresh_without_rotation_keeps_the_token(walk: Walk, clock: Clock) -> None:
    """Refreshing gives new tokens with the groups, no nonce, and no new refresh token."""
    tokens = walk.tokens()
    clock.advance(10)
    fresh = walk.refresh(tokens["refresh_token"]).json()
    assert "refresh_token" not in fresh
    before, after = decode(tokens["id_token"])[1], decode(fresh["id_token"])[1]
    assert after["iat"] == before["iat"] + 10
    assert after["origin_jti"] == before["origin_jti"]
    assert after["cognito:groups"] == ["Admin"]
    assert "nonce" not in after


def test_rotation_with_grace(cognito: Cognito, walk: Walk, clock: Clock) -> None:
    """The old refresh token works within the grace, and is refused after it; the new one lives."""
    cognito.issuer.pool.rotation = True
    cognito.issuer.pool.rotation_grace = 30
    old = walk.tokens()["refresh_token"]
    new = walk.refresh(old).json()["refresh_token"]
    clock.advance(29)
    assert walk.refresh(old).status_code == 200
    clock.advance(1)
    assert refused(walk.refresh(old))
    assert walk.refresh(new).status_code == 200
    assert len(cognito.issuer.grants("refresh_token")) == 4


def test_revoked_family_is_over(cognito: Cognito, walk: Walk) -> None:
    """Revoking ends refresh and userInfo; an access token cannot be revoked by itself."""
    tokens = walk.tokens()
    wrong = walk.post("/oauth2/revoke", {"token": tokens["access_token"]})
    assert refused(wrong, "unsupported_token_type")
    assert walk.post("/oauth2/revoke", {"token": "unknown"}).status_code == 200
    assert walk.post("/oauth2/revoke", {"token": tokens["refresh_token"]}).status_code == 200
    assert refused(walk.refresh(tokens["refresh_token"]))
    assert user_info(cognito, tokens["access_token"]).status_code == 401


def test_user_info_says_who(cognito: Cognito, walk: Walk) -> None:
    """An access token with openid gives sub and mail; an ID token gives 401."""
    tokens = walk.tokens()
    document = user_info(cognito, tokens["access_token"]).json()
    assert document["sub"] == cognito.user("admin").sub
    assert document["email_verified"] == "true"
    assert user_info(cognito, tokens["id_token"]).status_code == 401


def test_global_sign_out_ends_every_family(cognito: Cognito, walk: Walk) -> None:
    """GlobalSignOut by one sign-in ends the other one of the same person, and nobody else's."""
    here, there = walk.tokens(), walk.tokens()
    other = walk.tokens(cognito.user("viewer"))
    origin = cognito.issuer.server.origin
    call = {"AccessToken": here["access_token"]}
    assert aws(origin, f"{IDP}.GetUser", call).json()["Username"] == cognito.user("admin").username
    assert aws(origin, f"{IDP}.GlobalSignOut", call).status_code == 200
    again = aws(origin, f"{IDP}.GlobalSignOut", call)
    assert again.json()["__type"] == "NotAuthorizedException"
    assert refused(walk.refresh(there["refresh_token"]))
    assert walk.refresh(other["refresh_token"]).status_code == 200


def test_disabled_person_cannot_refresh(cognito: Cognito, walk: Walk) -> None:
    """Disabling a person ends the refreshing."""
    tokens = walk.tokens()
    cognito.user("admin").enabled = False
    assert refused(walk.refresh(tokens["refresh_token"]))


def test_leaving_takes_registered_addresses_only(cognito: Cognito, walk: Walk) -> None:
    """Both forms of /logout lead where they should, and a foreign address is loud."""
    issuer = cognito.issuer
    base = f"{issuer.server.origin}/logout?client_id={issuer.pool.client.client_id}"
    assert issuer.leave(f"{base}&logout_uri={APP}/") == f"{APP}/"
    again = walk.location().replace("/oauth2/authorize", "/logout")
    assert issuer.leave(again) == walk.location()
    with pytest.raises(Complaint, match="not registered"):
        issuer.leave(f"{base}&logout_uri=http://evil.example/")


def user_info(cognito: Cognito, token: str) -> requests.Response:
    """Call userInfo with a bearer token."""
    return requests.get(
        f"{cognito.issuer.server.origin}/oauth2/userInfo",
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )

"""/oauth2/revoke and discovery: what the mends do, and that the pinned release still needs them."""

from typing import Any

import requests

from tests.stack.sign_in import code_sign_in, refresh, revoke, user_info
from tests.stack.world import World, error_code


def discovery(world: World) -> dict[str, Any]:
    """Return the discovery document of the world's pool."""
    url = f"{world.aws.endpoint}/{world.pool_id}/.well-known/openid-configuration"
    found: dict[str, Any] = requests.get(url, timeout=20).json()
    return found


def test_discovery_names_the_revocation_endpoint(mended: World) -> None:
    """It stands beside the token endpoint, under the name of RFC 8414."""
    assert discovery(mended)["revocation_endpoint"] == f"{mended.aws.endpoint}/oauth2/revoke"


def test_discovery_is_still_a_gap(plain: World) -> None:
    """The pinned release names no revocation endpoint."""
    assert "revocation_endpoint" not in discovery(plain)


def test_revocation_is_still_a_gap(plain: World) -> None:
    """The pinned release does not answer /oauth2/revoke with 200."""
    plain.add_user()
    assert revoke(plain, code_sign_in(plain).refresh).status_code >= 400


def test_revocation_takes_the_whole_family(mended: World) -> None:
    """Refresh, userInfo and the user pool API refuse what came from the revoked token."""
    mended.add_user()
    tokens = code_sign_in(mended)
    renewed = refresh(mended, tokens.refresh).json()["access_token"]
    other = code_sign_in(mended)
    answer = revoke(mended, tokens.refresh)
    assert (answer.status_code, answer.content) == (200, b"")
    assert refresh(mended, tokens.refresh).json()["error"] == "invalid_grant"
    public = mended.aws.public("cognito-idp")
    for access in (tokens.access, renewed):
        assert user_info(mended, access).status_code == 401
        assert error_code(public.get_user, AccessToken=access) == "NotAuthorizedException"
    assert user_info(mended, other.access).status_code == 200


def test_revoking_a_successor_takes_its_ancestors(mended: World) -> None:
    """With rotation the family is one, whichever member is revoked."""
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}
    client = mended.add_client(RefreshTokenRotation=rotation)
    mended.add_user()
    first = code_sign_in(mended, client_id=client).refresh
    second = refresh(mended, first, client_id=client).json()["refresh_token"]
    assert revoke(mended, second, client).status_code == 200
    for token in (first, second):
        assert refresh(mended, token, client_id=client).json()["error"] == "invalid_grant"


def test_only_refresh_tokens_can_be_revoked(mended: World) -> None:
    """An access or ID token gives unsupported_token_type and stays good."""
    mended.add_user()
    tokens = code_sign_in(mended)
    for token in (tokens.access, tokens.id):
        answer = revoke(mended, token)
        assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_token_type"})
    assert user_info(mended, tokens.access).status_code == 200


def test_an_unknown_token_is_no_error(mended: World) -> None:
    """RFC 7009 section 2.2: the client could not act on it anyway."""
    assert revoke(mended, "never-issued").status_code == 200


def test_a_missing_token_is_an_error(mended: World) -> None:
    """Without a token there is nothing to answer."""
    assert revoke(mended, "").json() == {"error": "invalid_request"}


def test_a_client_revokes_only_its_own(mended: World) -> None:
    """Unknown clients, wrong secrets and other clients' tokens are refused, and nothing dies."""
    mended.add_user()
    tokens = code_sign_in(mended)
    confidential = mended.add_client(GenerateSecret=True)
    assert revoke(mended, tokens.refresh, "nobody").json() == {"error": "invalid_client"}
    assert revoke(mended, tokens.refresh, confidential).json() == {"error": "invalid_client"}
    foreign = revoke(mended, tokens.refresh, mended.add_client())
    assert foreign.json() == {"error": "unauthorized_client"}
    assert refresh(mended, tokens.refresh).status_code == 200


def revoke_api_without_secret(world: World) -> str:
    """Return the outcome of RevokeToken by a confidential client that sends no secret."""
    client = world.add_client(GenerateSecret=True)
    world.add_user()
    call = world.aws.public("cognito-idp").revoke_token
    return error_code(call, ClientId=client, Token="anything")


def test_revoke_api_asks_for_the_secret(mended: World) -> None:
    """RevokeToken authenticates a confidential client."""
    assert revoke_api_without_secret(mended) == "UnauthorizedException"


def test_revoke_api_secret_is_still_a_gap(plain: World) -> None:
    """The pinned release revokes for anybody."""
    assert revoke_api_without_secret(plain) == ""

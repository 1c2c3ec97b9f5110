"""Refreshing: rotation, its grace, and who may refresh; and that the gaps are still there."""

from typing import Any

import pytest

from tests.stack.sign_in import code_sign_in, refresh
from tests.stack.world import World, claims_of, error_code

ROTATION = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}
NO_GRACE = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}


def kept_rotation(world: World) -> Any:
    """Return what DescribeUserPoolClient says after a create and an update."""
    client = world.add_client(RefreshTokenRotation=NO_GRACE)
    world.idp.update_user_pool_client(
        UserPoolId=world.pool_id, ClientId=client, RefreshTokenRotation=ROTATION
    )
    answer = world.idp.describe_user_pool_client(UserPoolId=world.pool_id, ClientId=client)
    return answer["UserPoolClient"].get("RefreshTokenRotation")


def test_the_client_keeps_its_rotation(mended: World) -> None:
    """Create and update keep RefreshTokenRotation, describe tells it."""
    assert kept_rotation(mended) == ROTATION


def test_rotation_setting_is_still_a_gap(plain: World) -> None:
    """The pinned release drops RefreshTokenRotation."""
    assert kept_rotation(plain) is None


@pytest.mark.parametrize("seconds", [61, 86400])
def test_grace_is_at_most_a_minute(mended: World, seconds: int) -> None:
    """A longer grace than 60 seconds is refused, as on AWS."""
    wrong = {"Feature": "ENABLED", "RetryGracePeriodSeconds": seconds}
    assert error_code(mended.add_client, RefreshTokenRotation=wrong) == "InvalidParameterException"


def test_rotation_returns_a_successor_with_the_old_end(mended: World) -> None:
    """The new refresh token differs, works, and ends when the first one would have."""
    client = mended.add_client(RefreshTokenRotation=NO_GRACE)
    mended.add_user()
    first = code_sign_in(mended, client_id=client).refresh
    second = refresh(mended, first, client_id=client).json()["refresh_token"]
    assert second != first
    assert claims_of(second)["exp"] == claims_of(first)["exp"]
    third = refresh(mended, second, client_id=client).json()["refresh_token"]
    assert claims_of(third)["exp"] == claims_of(first)["exp"]


def test_without_grace_the_old_token_is_dead_at_once(mended: World) -> None:
    """A rotated token gives invalid_grant, while its successor lives on."""
    client = mended.add_client(RefreshTokenRotation=NO_GRACE)
    mended.add_user()
    old = code_sign_in(mended, client_id=client).refresh
    new = refresh(mended, old, client_id=client).json()["refresh_token"]
    again = refresh(mended, old, client_id=client)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    assert refresh(mended, new, client_id=client).status_code == 200


def test_within_the_grace_the_old_token_still_works(mended: World) -> None:
    """A repeat after a lost answer succeeds within RetryGracePeriodSeconds."""
    client = mended.add_client(RefreshTokenRotation=ROTATION)
    mended.add_user()
    old = code_sign_in(mended, client_id=client).refresh
    answers = [refresh(mended, old, client_id=client) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]


def test_the_api_rotates_too(mended: World) -> None:
    """GetTokensFromRefreshToken returns a successor and refuses the spent one by name."""
    client = mended.add_client(RefreshTokenRotation=NO_GRACE)
    mended.add_user()
    old = mended.sign_in(client_id=client).refresh
    call = mended.aws.public("cognito-idp").get_tokens_from_refresh_token
    result = call(ClientId=client, RefreshToken=old)["AuthenticationResult"]
    assert result["RefreshToken"] != old
    reused = error_code(call, ClientId=client, RefreshToken=old)
    assert reused == "RefreshTokenReuseException"


def test_rotation_closes_the_old_refresh_flow(mended: World) -> None:
    """REFRESH_TOKEN_AUTH is refused where rotation is on."""
    client = mended.add_client(RefreshTokenRotation=NO_GRACE)
    mended.add_user()
    token = mended.sign_in(client_id=client).refresh
    code = error_code(
        mended.aws.public("cognito-idp").initiate_auth,
        ClientId=client,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": token},
    )
    assert code == "InvalidParameterException"


def test_without_rotation_no_refresh_token_comes_back(mended: World) -> None:
    """A client that does not rotate keeps its one refresh token."""
    mended.add_user()
    token = code_sign_in(mended).refresh
    assert "refresh_token" not in refresh(mended, token).json()
    assert refresh(mended, token).status_code == 200


def test_rotation_is_still_a_gap(plain: World) -> None:
    """The pinned release returns no new refresh token where rotation was asked for."""
    client = plain.add_client(RefreshTokenRotation=NO_GRACE)
    plain.add_user()
    token = code_sign_in(plain, client_id=client).refresh
    assert "refresh_token" not in refresh(plain, token, client_id=client).json()


def refresh_without_secret(world: World) -> tuple[int, int]:
    """Return the status with the client's secret and without it."""
    client = world.add_client(GenerateSecret=True)
    secret = world.idp.describe_user_pool_client(UserPoolId=world.pool_id, ClientId=client)[
        "UserPoolClient"
    ]["ClientSecret"]
    world.add_user()
    token = code_sign_in(world, client_id=client, secret=secret).refresh
    right = refresh(world, token, client_id=client, secret=secret)
    return right.status_code, refresh(world, token, client_id=client).status_code


def test_a_confidential_client_refreshes_with_its_secret_only(mended: World) -> None:
    """No secret is as wrong as a wrong secret."""
    assert refresh_without_secret(mended) == (200, 400)


def test_client_secret_at_refresh_is_still_a_gap(plain: World) -> None:
    """The pinned release refreshes for a confidential client that sends no secret."""
    assert refresh_without_secret(plain) == (200, 200)


def refresh_by_another_client(world: World) -> int:
    """Return the status when a second client of the pool refreshes the first one's token."""
    world.add_user()
    other = world.add_client()
    return refresh(world, code_sign_in(world).refresh, client_id=other).status_code


def test_a_refresh_token_belongs_to_its_client(mended: World) -> None:
    """Another client of the same pool cannot refresh with it."""
    assert refresh_by_another_client(mended) == 400


def test_foreign_refresh_token_is_still_a_gap(plain: World) -> None:
    """The pinned release refreshes for any client of the pool."""
    assert refresh_by_another_client(plain) == 200

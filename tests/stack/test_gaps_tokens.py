"""Claims of tokens: what the mends put in, and that the pinned release still leaves it out."""

import base64
import hashlib
import time

from tests.stack.sign_in import code_sign_in, refresh
from tests.stack.world import Tokens, World, claims_of


def signed_in_admin(world: World) -> Tokens:
    """Sign in a member of two groups through Managed Login."""
    world.add_group("Admin", world.add_role("admin"), Precedence=0)
    world.add_group("Viewer", world.add_role("viewer"), Precedence=99)
    world.add_user(groups=("Viewer", "Admin"))
    return code_sign_in(world)


def test_id_token_names_the_roles(mended: World) -> None:
    """cognito:roles lists every group's role, cognito:preferred_role the lowest precedence's."""
    claims = claims_of(signed_in_admin(mended).id)
    names = {role.rpartition("/")[2] for role in claims["cognito:roles"]}
    assert names == {f"admin-{mended.tag}", f"viewer-{mended.tag}"}
    assert claims["cognito:preferred_role"].endswith(f"/admin-{mended.tag}")


def test_access_token_names_no_roles(mended: World) -> None:
    """The access token carries the groups alone."""
    claims = claims_of(signed_in_admin(mended).access)
    assert set(claims["cognito:groups"]) == {"Admin", "Viewer"}
    assert "cognito:roles" not in claims


def test_equal_precedence_prefers_nobody(mended: World) -> None:
    """Two groups that tie leave cognito:preferred_role out."""
    mended.add_group("A", mended.add_role("a"), Precedence=20)
    mended.add_group("B", mended.add_role("b"), Precedence=20)
    mended.add_user(groups=("A", "B"))
    claims = claims_of(mended.sign_in().id)
    assert len(claims["cognito:roles"]) == 2
    assert "cognito:preferred_role" not in claims


def test_role_claims_are_still_a_gap(plain: World) -> None:
    """The pinned release names no role in the ID token."""
    claims = claims_of(signed_in_admin(plain).id)
    assert not {"cognito:roles", "cognito:preferred_role"} & set(claims)


def test_at_hash_binds_the_access_token(mended: World) -> None:
    """at_hash is the left half of the access token's SHA-256, at sign-in and at refresh."""
    tokens = signed_in_admin(mended)
    renewed = Tokens.of(refresh(mended, tokens.refresh).json())
    for pair in (tokens, renewed):
        half = hashlib.sha256(pair.access.encode()).digest()[:16]
        expected = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        assert claims_of(pair.id)["at_hash"] == expected


def test_at_hash_is_still_a_gap(plain: World) -> None:
    """The pinned release leaves at_hash out."""
    assert "at_hash" not in claims_of(signed_in_admin(plain).id)


def test_refreshed_tokens_keep_the_groups(mended: World) -> None:
    """Both new tokens carry the groups of now, the ID token their roles."""
    tokens = signed_in_admin(mended)
    mended.idp.admin_remove_user_from_group(
        UserPoolId=mended.pool_id, Username="ada", GroupName="Viewer"
    )
    renewed = Tokens.of(refresh(mended, tokens.refresh).json())
    assert claims_of(renewed.access)["cognito:groups"] == ["Admin"]
    assert claims_of(renewed.id)["cognito:groups"] == ["Admin"]
    assert len(claims_of(renewed.id)["cognito:roles"]) == 1


def test_groups_at_refresh_are_still_a_gap(plain: World) -> None:
    """The pinned release drops the groups at the token endpoint's refresh."""
    renewed = Tokens.of(refresh(plain, signed_in_admin(plain).refresh).json())
    assert "cognito:groups" not in claims_of(renewed.access)
    assert "cognito:groups" not in claims_of(renewed.id)


def auth_time_after_refresh(world: World) -> tuple[int, int]:
    """Return auth_time at sign-in, and after a refresh in a later second."""
    tokens = signed_in_admin(world)
    first = claims_of(tokens.id)
    while int(time.time()) == first["iat"]:
        pass  # less than a second; the server's clock is the real one
    renewed = claims_of(refresh(world, tokens.refresh).json()["id_token"])
    assert renewed["iat"] > first["iat"]
    return first["auth_time"], renewed["auth_time"]


def test_auth_time_stays_at_refresh(mended: World) -> None:
    """A refresh is no new proof of who the person is."""
    at_sign_in, at_refresh = auth_time_after_refresh(mended)
    assert at_refresh == at_sign_in


def test_auth_time_is_still_a_gap(plain: World) -> None:
    """The pinned release moves auth_time at each refresh."""
    at_sign_in, at_refresh = auth_time_after_refresh(plain)
    assert at_refresh > at_sign_in

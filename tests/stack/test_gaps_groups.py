"""Groups: what the mends do, and that the pinned release still needs them."""

from tests.stack.world import World, error_code


def test_update_group_changes_what_is_given(mended: World) -> None:
    """UpdateGroup sets the named settings and leaves the others."""
    mended.add_group("Team", Precedence=5, Description="first")
    mended.idp.update_group(UserPoolId=mended.pool_id, GroupName="Team", Precedence=7)
    group = mended.idp.get_group(UserPoolId=mended.pool_id, GroupName="Team")["Group"]
    assert (group["Precedence"], group["Description"]) == (7, "first")


def test_update_group_needs_the_group(mended: World) -> None:
    """An unknown group is not found."""
    code = error_code(
        mended.idp.update_group, UserPoolId=mended.pool_id, GroupName="None", Precedence=7
    )
    assert code == "ResourceNotFoundException"


def test_update_group_is_still_a_gap(plain: World) -> None:
    """The pinned release does not know the action."""
    plain.add_group("Team")
    code = error_code(plain.idp.update_group, UserPoolId=plain.pool_id, GroupName="Team")
    assert code == "InvalidAction"


def precedence_of_a_group_without_one(world: World) -> object:
    """Return what GetGroup says about a group that was created without Precedence."""
    world.add_group("Team")
    group = world.idp.get_group(UserPoolId=world.pool_id, GroupName="Team")["Group"]
    return group.get("Precedence")


def test_no_precedence_stays_none(mended: World) -> None:
    """A group without Precedence has none, and so comes last."""
    assert precedence_of_a_group_without_one(mended) is None


def test_precedence_is_still_a_gap(plain: World) -> None:
    """The pinned release gives such a group 0, the highest."""
    assert precedence_of_a_group_without_one(plain) == 0

"""Groups that a trigger brings: what the mends do, and that the pinned release still needs them."""

from tests.stack.sign_in import code_sign_in
from tests.stack.world import World, claims_of

_BRINGS_A_GROUP = """
def handle(event, context):
    event["response"]["claimsAndScopeOverrideDetails"] = {
        "idTokenGeneration": {"claimsToAddOrOverride": {"seen": "yes"}},
        "groupOverrideDetails": {"groupsToOverride": ["Brought"]},
    }
    return event
"""


def _signed_in(world: World) -> tuple[dict[str, object], dict[str, object]]:
    world.add_group("Brought", world.add_role("brought"), Precedence=5)
    config = {"LambdaArn": world.add_function("brings", _BRINGS_A_GROUP), "LambdaVersion": "V2_0"}
    world.idp.update_user_pool(
        UserPoolId=world.pool_id, LambdaConfig={"PreTokenGenerationConfig": config}
    )
    world.add_user()
    tokens = code_sign_in(world)
    return claims_of(tokens.id), claims_of(tokens.access)


def test_a_brought_group_is_in_both_tokens_with_its_role(mended: World) -> None:
    """The override of groups counts for both tokens, and the group's role comes along."""
    id_claims, access_claims = _signed_in(mended)
    assert id_claims["cognito:groups"] == ["Brought"]
    assert access_claims["cognito:groups"] == ["Brought"]
    assert str(id_claims["cognito:preferred_role"]).endswith(f"/brought-{mended.tag}")
    assert id_claims["seen"] == "yes"


def test_group_overrides_are_still_a_gap(plain: World) -> None:
    """The pinned release passes over an override that stands where Cognito wants it."""
    id_claims, access_claims = _signed_in(plain)
    assert id_claims["seen"] == "yes"
    assert "cognito:groups" not in id_claims
    assert "cognito:groups" not in access_claims

"""Identity pool roles: what the mends do, and that the pinned release still needs them."""

import pytest

from tests.stack.sign_in import revoke
from tests.stack.world import World, claims_of, error_code, signed_get


class Mapped:
    """A world with two roles of groups, a guest role and a plain signed-in role."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.admin = world.add_role("admin")
        self.viewer = world.add_role("viewer")
        self.plain = world.add_role("signed-in")
        self.guest = world.add_role("guest", trust="unauthenticated")
        world.add_group("Admin", self.admin, Precedence=0)
        world.add_group("Viewer", self.viewer, Precedence=99)
        world.add_group("Peer", self.viewer, Precedence=0)

    def pool(self, **mapping: object) -> str:
        """Return an identity pool; without a mapping when none is given."""
        roles = {"authenticated": self.plain, "unauthenticated": self.guest}
        return self.world.add_identity_pool(
            roles, mappings=self.world.mapping(**mapping) if mapping else None
        )

    def role_of(self, groups: tuple[str, ...], pool_id: str, **extra: str) -> str:
        """Return the role that a new person in these groups gets, as STS names it."""
        name = self.world.add_user(f"u{len(groups)}-{'-'.join(groups) or 'none'}", groups)
        keys = self.world.credentials(pool_id, self.world.sign_in(name).id, **extra)
        return self.world.role_name(keys)


def token_mapping(ambiguous: str = "Deny") -> dict[str, object]:
    """Return a mapping of type Token."""
    return {"Type": "Token", "AmbiguousRoleResolution": ambiguous}


def rules_mapping(*rules: tuple[str, str, str, str], ambiguous: str = "Deny") -> dict[str, object]:
    """Return a mapping of type Rules from (claim, match, value, role ARN)."""
    names = ("Claim", "MatchType", "Value", "RoleARN")
    listed = [dict(zip(names, rule, strict=True)) for rule in rules]
    return {
        "Type": "Rules",
        "AmbiguousRoleResolution": ambiguous,
        "RulesConfiguration": {"Rules": listed},
    }


def test_token_mapping_gives_the_group_with_the_lowest_precedence(mended: World) -> None:
    """A member of two groups gets the role of the one with the lower number."""
    mapped = Mapped(mended)
    assert mapped.role_of(("Viewer", "Admin"), mapped.pool(**token_mapping())) == "admin"


def test_token_mapping_is_still_a_gap(plain: World) -> None:
    """The pinned release gives a mapped Admin the plain signed-in role."""
    mapped = Mapped(plain)
    assert mapped.role_of(("Admin",), mapped.pool(**token_mapping())) == "signed-in"


@pytest.mark.parametrize("groups", [(), ("Admin", "Peer")], ids=["no group", "a tie"])
def test_ambiguous_case_follows_the_pools_resolution(
    mended: World, groups: tuple[str, ...]
) -> None:
    """Without a preferred role the pool's AmbiguousRoleResolution decides."""
    mapped = Mapped(mended)
    name = mended.add_user("bo", groups)
    token = mended.sign_in(name).id
    lenient = mapped.pool(**token_mapping("AuthenticatedRole"))
    assert mended.role_name(mended.credentials(lenient, token)) == "signed-in"
    strict = mapped.pool(**token_mapping("Deny"))
    assert error_code(mended.credentials, strict, token) == "NotAuthorizedException"


def test_custom_role_must_be_among_the_tokens_roles(mended: World) -> None:
    """CustomRoleArn picks any of cognito:roles, and no other role."""
    mapped = Mapped(mended)
    name = mended.add_user("bo", ("Admin", "Viewer"))
    token, pool = mended.sign_in(name).id, mapped.pool(**token_mapping())
    picked = mended.credentials(pool, token, CustomRoleArn=mapped.viewer)
    assert mended.role_name(picked) == "viewer"
    foreign = error_code(mended.credentials, pool, token, CustomRoleArn=mapped.plain)
    assert foreign == "NotAuthorizedException"


def test_custom_role_is_still_a_gap(plain: World) -> None:
    """The pinned release ignores CustomRoleArn, even a foreign one."""
    mapped = Mapped(plain)
    pool = mapped.pool(**token_mapping())
    assert mapped.role_of(("Admin",), pool, CustomRoleArn=mapped.viewer) == "signed-in"


def test_rules_mapping_takes_the_first_match(mended: World) -> None:
    """Of two rules that match, the first gives the role."""
    mapped = Mapped(mended)
    pool = mapped.pool(
        **rules_mapping(
            ("email", "StartsWith", "nobody", mapped.plain),
            ("email", "Contains", "@example", mapped.viewer),
            ("email", "Equals", "u0-none@example.com", mapped.admin),
        )
    )
    assert mapped.role_of((), pool) == "viewer"


def test_rules_mapping_is_still_a_gap(plain: World) -> None:
    """The pinned release ignores a matching rule."""
    mapped = Mapped(plain)
    pool = mapped.pool(**rules_mapping(("email", "Contains", "@", mapped.viewer)))
    assert mapped.role_of((), pool) == "signed-in"


def test_no_mapping_gives_the_authenticated_role(mended: World) -> None:
    """Without a mapping the groups do not matter."""
    mapped = Mapped(mended)
    assert mapped.role_of(("Admin",), mapped.pool()) == "signed-in"


def guest_answers(world: World) -> tuple[str, str]:
    """Return what a guest gets from a pool that lets guests in, and one that does not."""
    roles = {"unauthenticated": world.add_role("guest", trust="unauthenticated")}
    closed = world.add_identity_pool(roles, guests=False)
    welcome = world.role_name(world.credentials(world.add_identity_pool(roles)))
    return welcome, error_code(world.credentials, closed)


def test_guests_get_in_only_where_the_pool_says_so(mended: World) -> None:
    """A closed pool refuses the guest at GetId already."""
    assert guest_answers(mended) == ("guest", "NotAuthorizedException")


def test_guests_are_still_a_gap(plain: World) -> None:
    """The pinned release lets guests into a closed pool."""
    assert guest_answers(plain) == ("guest", "")


def untrusting_role(world: World) -> str:
    """Return the outcome for a role whose trust policy names another identity pool."""
    world.add_user()
    role = world.add_role("foreign", audience="us-east-1:somewhere-else")
    pool = world.add_identity_pool({"authenticated": role})
    return error_code(world.credentials, pool, world.sign_in().id)


def test_a_role_must_trust_the_identity_pool(mended: World) -> None:
    """The role's trust policy is evaluated with aud and amr."""
    assert untrusting_role(mended) == "InvalidIdentityPoolConfigurationException"


def test_trust_is_still_a_gap(plain: World) -> None:
    """The pinned release hands out a role that does not trust the pool."""
    assert untrusting_role(plain) == ""


def unknown_identity(world: World) -> str:
    """Return the outcome for an identity id that nobody created."""
    call = world.aws.public("cognito-identity").get_credentials_for_identity
    return error_code(call, IdentityId="us-east-1:00000000-0000-0000-0000-000000000000")


def test_an_unknown_identity_gets_nothing(mended: World) -> None:
    """An invented identity id is not found."""
    assert unknown_identity(mended) == "ResourceNotFoundException"


def test_unknown_identity_is_still_a_gap(plain: World) -> None:
    """The pinned release gives credentials to an invented identity."""
    assert unknown_identity(plain) == ""


def signed_out_everywhere(world: World) -> str:
    """Return the outcome of the exchange after GlobalSignOut in a pool that checks tokens."""
    world.add_user()
    pool = world.add_identity_pool({"authenticated": world.add_role("signed-in")}, check=True)
    tokens = world.sign_in()
    world.credentials(pool, tokens.id)
    world.aws.public("cognito-idp").global_sign_out(AccessToken=tokens.access)
    return error_code(world.credentials, pool, tokens.id)


def test_global_sign_out_ends_new_credentials(mended: World) -> None:
    """ServerSideTokenCheck refuses the ID token of a person who signed out everywhere."""
    assert signed_out_everywhere(mended) == "NotAuthorizedException"


def test_token_check_is_still_a_gap(plain: World) -> None:
    """The pinned release takes the ID token of a person who signed out everywhere."""
    assert signed_out_everywhere(plain) == ""


def test_the_mapped_role_is_what_the_api_sees(mended: World) -> None:
    """IAM at API Gateway decides by the mapped role, and the Lambda is told who calls."""
    mapped = Mapped(mended)
    base, arn = mended.add_api()
    mended.allow(mapped.admin, f"{arn}/*/GET/echo")
    pool = mapped.pool(**token_mapping())
    ada = mended.sign_in(mended.add_user("ada", ("Admin",)))
    vera = mended.sign_in(mended.add_user("vera", ("Viewer",)))
    allowed = signed_get(f"{base}/echo", mended.credentials(pool, ada.id))
    assert allowed.status_code == 200
    caller = allowed.json()["authorizer"]["iam"]
    assert caller["userArn"].endswith(f"/admin-{mended.tag}/CognitoIdentityCredentials")
    assert caller["accountId"] == "000000000000"
    assert caller["cognitoIdentity"]["identityPoolId"] == pool
    assert caller["cognitoIdentity"]["amr"] == [
        "authenticated",
        mended.provider,
        f"{mended.provider}:CognitoSignIn:{claims_of(ada.id)['sub']}",
    ]
    assert signed_get(f"{base}/echo", mended.credentials(pool, vera.id)).status_code == 403


def test_a_guest_reaches_the_lambda_as_unauthenticated(mended: World) -> None:
    """The IAM context of a guest's call carries no person."""
    mapped = Mapped(mended)
    base, arn = mended.add_api()
    mended.allow(mapped.guest, f"{arn}/*/GET/echo")
    answer = signed_get(f"{base}/echo", mended.credentials(mapped.pool()))
    identity = answer.json()["authorizer"]["iam"]["cognitoIdentity"]
    assert identity["amr"] == ["unauthenticated"]


def test_revoked_sign_in_gets_no_new_credentials(mended: World) -> None:
    """A revoked refresh token takes its ID token out of a pool that checks tokens."""
    mended.add_user()
    pool = mended.add_identity_pool({"authenticated": mended.add_role("in")}, check=True)
    tokens = mended.sign_in()
    assert revoke(mended, tokens.refresh).status_code == 200
    assert error_code(mended.credentials, pool, tokens.id) == "NotAuthorizedException"

"""AWS_IAM routes: what the mend does, and that the pinned release still needs it."""

import requests

from tests.stack.world import World, signed_get


class Route:
    """An AWS_IAM route and a person who may call it."""

    def __init__(self, world: World) -> None:
        role = world.add_role("caller")
        base, arn = world.add_api()
        world.allow(role, f"{arn}/*/GET/echo")
        world.add_user()
        self.tokens = world.sign_in()
        self.url = f"{base}/echo"
        pool = world.add_identity_pool({"authenticated": role})
        self.keys = world.credentials(pool, self.tokens.id)
        nobody = world.add_role("nobody")
        other = world.add_identity_pool({"authenticated": nobody})
        self.powerless = world.credentials(other, self.tokens.id)

    def bearer(self, token: str) -> requests.Response:
        """Call with a bearer token and no signature."""
        return requests.get(self.url, headers={"Authorization": f"Bearer {token}"}, timeout=20)


def test_a_bearer_token_opens_no_iam_route(mended: World) -> None:
    """Neither the access token nor the ID token replaces a signature."""
    route = Route(mended)
    for token in (route.tokens.access, route.tokens.id):
        answer = route.bearer(token)
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_bearer_is_still_a_gap(plain: World) -> None:
    """The pinned release runs the Lambda for any Authorization header."""
    route = Route(plain)
    assert route.bearer(route.tokens.access).status_code == 200


def test_every_refusal_is_the_bare_word_of_an_http_api(mended: World) -> None:
    """Unsigned, wrongly signed and not allowed: 403 and Forbidden, with a request id."""
    route = Route(mended)
    refused = [
        requests.get(route.url, timeout=20),
        signed_get(route.url, route.keys, spoil=True),
        signed_get(route.url, {**route.keys, "SessionToken": "made-up"}),
        signed_get(route.url, route.powerless),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
        assert answer.headers["apigw-requestid"]
    assert signed_get(route.url, route.keys).status_code == 200


def test_wording_is_still_a_gap(plain: World) -> None:
    """The pinned release explains a refused IAM call, which an HTTP API does not."""
    route = Route(plain)
    answer = signed_get(route.url, route.powerless)
    assert answer.status_code == 403
    assert answer.text != '{"message": "Forbidden"}'

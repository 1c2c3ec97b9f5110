"""The demo's own people at the offline Managed Login."""

import pytest

from tests.stack.login_site import Visitor, callback_of, path_of
from tests.stack.offline import OfflineAws


@pytest.mark.parametrize("name", ["admin", "manager", "viewer", "nobody", "both"])
def test_demo_user_signs_in(offline_aws: OfflineAws, name: str) -> None:
    """Each of the demo's people gets in with the demo's password."""
    user = offline_aws.demo_user(f"{name}@example.com")
    answer = _visitor(offline_aws).enter(user.email, user.password)
    assert "code" in callback_of(answer)


def test_new_demo_user_chooses_a_password(offline_aws: OfflineAws) -> None:
    """The one with a temporary password is asked for one of their own."""
    user = offline_aws.demo_user("new@example.com")
    assert path_of(_visitor(offline_aws).enter(user.email, user.password)) == "/newPassword"


def _visitor(offline_aws: OfflineAws) -> Visitor:
    return Visitor(offline_aws.aws, offline_aws.environment["COGNITO_CLIENT_ID"])

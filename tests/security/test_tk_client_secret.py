"""TK-01 (client_secret_basic): secrets with signs that a form would encode."""

from pathlib import Path

import pytest

from tests.rig import rigged

ODD = "ab/cd+ef==%41"


@pytest.mark.parametrize("literal", [False, True], ids=["encoded", "to-the-letter"])
def test_TK_01_client_secret_basic(tmp_path: Path, literal: bool) -> None:
    """A pool that decodes the secret (RFC 6749) and one that takes it to the letter both work."""
    with rigged(tmp_path, client_secret=ODD) as rig:
        rig.cognito.issuer.pool.client.literal_basic = literal
        assert rig.signed_in("admin").me()["email"] == "admin@example.com"
        asked = rig.cognito.issuer.token.count
        assert asked == (2 if literal else 1)
        rig.signed_in("viewer")
        assert rig.cognito.issuer.token.count == asked + 1


def test_TK_01_wrong_client_secret(tmp_path: Path) -> None:
    """A wrong secret is tried in both forms once, then the operator is named, and nobody is in."""
    with rigged(tmp_path, client_secret=ODD) as rig:
        rig.cognito.issuer.pool.client.secret = "another"
        browser = rig.browser()
        callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
        assert browser.finish(callback).status == 400
        assert rig.cognito.issuer.token.count == 2
        assert browser.get("/me").status == 401

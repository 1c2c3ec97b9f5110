"""The shortest walk: nobody, somebody, gone."""

from tests.rig import Rig


def test_a_person_signs_in_and_out(rig: Rig) -> None:
    """Signing in makes /me answer who it is; signing out makes it answer 401."""
    browser = rig.signed_in("admin")
    assert browser.me()["email"] == "admin@example.com"
    browser.post("/logout", {"csrf_token": browser.csrf(), "depth": "app"})
    assert browser.get("/me").status == 401

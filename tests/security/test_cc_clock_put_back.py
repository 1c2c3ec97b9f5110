"""CC-11 inside one process: a clock that is put back by an hour makes no pause an hour long."""

import pytest

from tests.rig import Rig
from tests.security.signing_in import arrive

HOUR = 3600


def _signs_in(rig: Rig) -> bool:
    return arrive(rig).status == 303


@pytest.mark.parametrize("part", ["discovery", "jwks"])
def test_CC_11_after_an_outage_at_the_start(rig: Rig, part: str) -> None:
    """A start into an outage, and then the clock is set right: the pool is asked again at once."""
    endpoint = getattr(rig.cognito.issuer, part)
    endpoint.answer(503)
    browser = rig.browser()
    if part == "discovery":
        assert browser.get("/login").status == 503
    else:
        assert arrive(rig).status == 503
    endpoint.heal()
    rig.clock.advance(-HOUR)
    assert _signs_in(rig)


def test_CC_11_new_keys_after_new_keys(rig: Rig) -> None:
    """Keys that the pool changes again are found, though the last look lies in the future."""
    assert _signs_in(rig)
    rig.cognito.issuer.pool.rotate_keys()
    assert _signs_in(rig)
    rig.clock.advance(-HOUR)
    rig.cognito.issuer.pool.rotate_keys()
    assert _signs_in(rig)
    asked = rig.cognito.issuer.jwks.count
    rig.cognito.issuer.pool.rotate_keys()
    assert not _signs_in(rig)
    assert rig.cognito.issuer.jwks.count == asked, "the pause between two looks is kept"

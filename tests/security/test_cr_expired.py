"""CR-06: credentials that AWS calls expired are fetched anew, and the call is made again, once."""

import pytest

from tests.doubles.browser import Browser
from tests.rig import Rig

BODY = {"message": "The security token included in the request is expired"}
HEADER = {"x-amzn-ErrorType": "ExpiredTokenException"}
CALLS = {"user": "secure", "guest": "test-public"}


def _with_keys(rig: Rig, identity: str) -> Browser:
    browser = rig.signed_in("admin")
    assert browser.call(CALLS[identity], identity).json()["status"] == 200
    assert len(rig.cognito.vault.issued) == 1
    return browser


@pytest.mark.parametrize("identity", CALLS)
@pytest.mark.parametrize(("body", "headers"), [(BODY, {}), ({"message": "no"}, HEADER)])
def test_CR_06_expired_at_the_api(
    rig: Rig, identity: str, body: dict[str, str], headers: dict[str, str]
) -> None:
    """Keys that ended before their time are dropped, and the second answer is the one shown."""
    browser = _with_keys(rig, identity)
    endpoint = rig.cognito.api[CALLS[identity]]
    endpoint.once.answer(403, body, headers)
    assert browser.call(CALLS[identity], identity).json()["status"] == 200
    assert endpoint.count == 3
    first, refused, again = [call.verdict for call in rig.cognito.api.calls]
    assert first
    assert refused
    assert again
    assert first.keys == refused.keys
    assert again.keys == rig.cognito.vault.issued[1] != first.keys
    browser.call(CALLS[identity], identity)
    assert len(rig.cognito.vault.issued) == 2


@pytest.mark.parametrize("identity", CALLS)
def test_CR_06_expired_for_ever(rig: Rig, identity: str) -> None:
    """An API that calls all keys expired is asked twice, and its refusal is shown."""
    browser = _with_keys(rig, identity)
    endpoint = rig.cognito.api[CALLS[identity]]
    endpoint.answer(403, BODY)
    assert browser.call(CALLS[identity], identity).json()["status"] == 403
    assert (endpoint.count, len(rig.cognito.vault.issued)) == (3, 2)


def test_CR_06_fresh_keys(rig: Rig) -> None:
    """Keys fetched for this very call are not fetched again: that would help nobody."""
    browser = rig.signed_in("admin")
    rig.cognito.api["secure"].answer(403, BODY)
    assert browser.call("secure", "user").json()["status"] == 403
    assert (rig.cognito.api["secure"].count, len(rig.cognito.vault.issued)) == (1, 1)


def test_CR_06_other_refusals(rig: Rig) -> None:
    """Any other 403, and the same words without keys, are answers as they are."""
    browser = _with_keys(rig, "user")
    rig.cognito.api["secure"].answer(403, {"message": "Forbidden"})
    rig.cognito.api["protected"].answer(403, BODY)
    assert browser.call("secure", "user").json()["status"] == 403
    assert browser.call("protected", "bearer-access").json()["status"] == 403
    assert rig.cognito.api["secure"].count == 2
    assert rig.cognito.api["protected"].count == 1
    assert len(rig.cognito.vault.issued) == 1

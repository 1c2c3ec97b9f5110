"""LG-02: the steps of a session are facts, and none of them is a secret; noting costs no write."""

import pytest

from tests.doubles import Browser
from tests.rig import Rig
from webapp.flow import Hop, hops_of
from webapp.store.vault import Session


def _session(rig: Rig, browser: Browser) -> Session:
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    return session


def _steps(rig: Rig, browser: Browser) -> list[tuple[str, str]]:
    return [(one.kind, one.detail) for one in hops_of(_session(rig, browser).record)]


SIGN_IN = [("left", ""), ("back", ""), ("code", ""), ("keys", "kept"), ("checks", "")]


def test_LG_02_steps_of_a_session(rig: Rig) -> None:
    """Each step from the sign-in to a change of role is noted with its time, and no secret."""
    rig.signed_in("viewer")  # fetches the key set, unless the warm-up was quicker
    browser = rig.signed_in("both")
    assert _steps(rig, browser) == SIGN_IN
    browser.get("/credentials")
    token = browser.csrf()
    role = (_session(rig, browser).record.person or pytest.fail("nobody")).roles[0]
    name = role.rpartition("/")[2]
    browser.post("/credentials/role", {"csrf_token": token, "role": role})
    browser.post("/session/refresh", {"csrf_token": token})
    browser.post("/session/userinfo", {"csrf_token": token})
    browser.call("test-public", "guest")
    assert _steps(rig, browser) == [
        *SIGN_IN,
        ("identity", ""),
        ("credentials", ""),
        ("role", name),
        ("credentials", name),
        ("refresh", "kept"),
        ("userinfo", ""),
        ("identity", "guest"),
        ("credentials", "guest"),
    ]
    session = _session(rig, browser)
    hops = hops_of(session.record)
    assert [one.at for one in hops] == sorted(one.at for one in hops)
    for one in hops:
        assert (one.milliseconds is None) == (one.kind in ("left", "back", "keys", "role"))
        assert one.milliseconds is None or 0 <= one.milliseconds < 10_000
    flow = " ".join(session.record.flow)
    issuer, keys = rig.cognito.issuer, rig.cognito.vault.issued
    secrets = {value for grant in issuer.grants() for value in grant.values() if len(value) > 20}
    secrets |= {one.query_fields()[part] for one in issuer.authorize.requests for part in STARTS}
    secrets |= {*issuer.mint.id_token.minted, *issuer.mint.access_token.minted}
    secrets |= {one.secret_key for one in keys} | {one.session_token for one in keys}
    assert len(secrets) > 10
    assert not [one for one in secrets if one in flow]


STARTS = ("state", "nonce", "code_challenge")


def test_LG_02_fetched_keys_are_told(rig: Rig) -> None:
    """A sign-in that had to fetch the key set says so, and how long that took."""
    rig.signed_in("viewer")
    rig.clock.advance(2 * 3600)
    browser = rig.signed_in("viewer")
    hop = next(one for one in hops_of(_session(rig, browser).record) if one.kind == "keys")
    assert hop.detail == "fetched"
    assert hop.milliseconds
    assert isinstance(hop, Hop)


def test_LG_02_noting_costs_no_write(rig: Rig) -> None:
    """The steps ride along with writes that there are anyway: each leaves one more version."""
    browser = rig.signed_in("admin")
    assert _session(rig, browser).version == 1
    browser.get("/credentials")
    assert _session(rig, browser).version == 2
    browser.post("/session/refresh", {"csrf_token": browser.csrf()})
    assert _session(rig, browser).version == 3
    for path in ("/", "/session", "/api", "/credentials"):
        browser.get(path)
    browser.call("secure", "user")
    assert _session(rig, browser).version == 3

"""SO-06: a sign-out while the session store is out of order is one, and is finished later."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.rig import Rig
from tests.security.outcomes import is_anonymous, living_sessions

RECOVERY = 10.0


@contextmanager
def _locked(rig: Rig) -> Iterator[None]:
    """Somebody else writes and does not end; reading goes on."""
    with closing(sqlite3.connect(rig.store_path, isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")
        yield
        store.execute("ROLLBACK")


@contextmanager
def _gone(rig: Rig) -> Iterator[None]:
    """Neither reading nor writing."""
    with closing(sqlite3.connect(rig.store_path)) as store:
        store.execute("ALTER TABLE sessions RENAME TO hidden")
        yield
        store.execute("ALTER TABLE hidden RENAME TO sessions")


@pytest.mark.parametrize("depth", ["app", "cognito", "everywhere", "switch"])
@pytest.mark.parametrize("outage", [_locked, _gone])
def test_SO_06_store_out_of_order(rig: Rig, outage: object, depth: str) -> None:
    """Cookie gone, ticket refused, the page tells; the record goes once the store is back."""
    assert callable(outage)
    browser = rig.signed_in("admin")
    thief = browser.twin()
    form = {"csrf_token": browser.csrf(), "depth": depth}
    with outage(rig):
        response = browser.post("/logout", form)
        assert response.status == 303
        assert "portico" not in browser.cookies
        assert "server will finish" in browser.get("/").page.text
        assert is_anonymous(rig, thief)
    assert is_anonymous(rig, thief)
    until = time.monotonic() + RECOVERY
    while living_sessions(rig) and time.monotonic() < until:
        time.sleep(0.05)
    assert living_sessions(rig) == 0
    assert is_anonymous(rig, thief)
    if depth != "app":
        rig.cognito.issuer.revoke.wait_for(1)
        assert all(occasion.revoked for occasion in rig.cognito.issuer.pool.occasions)


def test_SO_06_another_sites_form(rig: Rig) -> None:
    """With the store away no other site can sign somebody out."""
    browser = rig.signed_in("admin")
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    with _gone(rig):
        assert browser.post("/logout", {"csrf_token": "x"}, headers=headers).status == 403
    assert browser.me()["email"] == "admin@example.com"

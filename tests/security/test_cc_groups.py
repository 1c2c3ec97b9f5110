"""CC-01 with SE-17: groups that change in the middle of many requests of one browser."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.contract.redis_server import until
from tests.rig import Rig
from webapp.store.base import Store

CROWD = 8


class Reads:
    """A store of which is known which threads want a turn."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.by: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        if name == "claim":
            self.by.add(threading.get_ident())
        return getattr(self._store, name)


def test_CC_01_groups_change_under_parallel_requests(rig: Rig) -> None:
    """One refresh; every request in flight is answered, and all get the same new ticket."""
    browser = rig.signed_in("viewer")
    old = browser.cookies["portico"]
    rig.cognito.user("viewer").groups = ["Manager"]
    for seconds in (1500, 1500, 601):
        assert browser.get("/me").status == 200
        rig.clock.advance(seconds)
    tabs = [browser.twin() for _ in range(CROWD)]
    token = rig.cognito.issuer.token
    rig.services.vault.store = reads = Reads(rig.services.vault.store)
    with token.gate() as gate, ThreadPoolExecutor(CROWD) as pool:
        asked = [pool.submit(tab.get, "/me") for tab in tabs]
        gate.wait(1)
        until(lambda: len(reads.by) == CROWD)  # all are in flight, with the old ticket
        gate.open()
        answers = [one.result(20) for one in asked]
    assert [answer.status for answer in answers] == [200] * CROWD
    assert all(answer.json()["groups"] == ["Manager"] for answer in answers)
    assert len(rig.cognito.issuer.grants("refresh_token")) == 1
    tickets = {tab.cookies["portico"] for tab in tabs}
    assert len(tickets) == 1
    assert old not in tickets
    thief = rig.browser()
    assert thief.get("/me", headers={"Cookie": f"portico={old}"}).status == 401

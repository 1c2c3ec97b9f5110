"""CC-01 with SE-17: groups that change in the middle of many requests of one browser."""

from concurrent.futures import ThreadPoolExecutor

from tests.rig import Rig

CROWD = 8


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
    with token.gate() as gate, ThreadPoolExecutor(CROWD) as pool:
        asked = [pool.submit(tab.get, "/me") for tab in tabs]
        gate.wait(1)
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

"""CC: two hosts of real gunicorn, two workers each, over one store."""

from concurrent.futures import ThreadPoolExecutor

from tests.security.fleet import Fleet

CROWD = 50


def test_CC_01_fifty_requests_over_two_hosts(fleet: Fleet) -> None:
    """Fifty requests with dead tokens on two hosts: one grant and fifty pages."""
    pool = fleet.cognito.issuer.pool
    pool.rotation = True
    tired = fleet.signed_in("viewer", life=0)
    before = fleet.token_requests
    tabs = [fleet.at(tired, number % 2) for number in range(CROWD)]
    with ThreadPoolExecutor(CROWD) as crowd:
        answers = list(crowd.map(lambda tab: tab.get("/session"), tabs))
    assert [answer.status for answer in answers] == [200] * CROWD
    assert len(fleet.refreshes) == 1
    assert fleet.token_requests == before + 1

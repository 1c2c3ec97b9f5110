"""CC-01: two hosts of real gunicorn, two workers each, over one store."""

from concurrent.futures import ThreadPoolExecutor

from tests.security.fleet import Fleet

CROWD = 50
ROUNDS = 2


def test_CC_01_fifty_requests_over_two_hosts(fleet: Fleet) -> None:
    """Fifty requests with dead tokens on two hosts: one grant, fifty pages, the last token kept."""
    pool = fleet.cognito.issuer.pool
    pool.rotation = True  # and no grace: a second grant would end the session
    for number in range(1, ROUNDS + 1):
        tired = fleet.signed_in("viewer", life=0)
        first = list(pool.refresh_tokens)[-1]
        tabs = [fleet.at(tired, tab % 2) for tab in range(CROWD)]
        with ThreadPoolExecutor(CROWD) as crowd:
            answers = list(crowd.map(lambda tab: tab.get("/session"), tabs))
        assert [answer.status for answer in answers] == [200] * CROWD
        assert [form["refresh_token"] for form in fleet.refreshes][number - 1 :] == [first]
        newest = list(pool.refresh_tokens)[-1]
        assert newest != first
        assert tired.sign_out("cognito").status == 303
        assert fleet.cognito.issuer.revoke.last.form()["token"] == newest
    assert fleet.token_requests == 2 * ROUNDS  # a sign-in and a refresh each

"""CC-09: many people at once, clients that break off, a store that resets its connections.

The row asks for 200 people and 60 s; `CC09_USERS=200 CC09_SECONDS=60` has it so, the suite takes
less of both.
"""

import os
import secrets
from collections import Counter

from tests.security.fleet import Fleet
from tests.security.mixing import KINDS, Visitor, crowd, marked_people

USERS = int(os.environ.get("CC09_USERS", "40"))
SECONDS = float(os.environ.get("CC09_SECONDS", "5"))
CLIENTS = 12


def test_CC_09_no_answer_is_mixed_up(fleet: Fleet) -> None:
    """Every answer is the asker's own or says busy; nobody is signed out, no key changes hands."""
    people = marked_people(USERS, secrets.token_hex(4))
    fleet.cognito.issuer.add(*people)
    browsers = [
        # Every other one has to be renewed first.
        fleet.signed_in(user, host=number % 2, life=3600 * (number % 2))
        for number, user in enumerate(people)
    ]
    visitors = [
        Visitor(user, f"portico={browser.cookies['portico']}", browser.csrf())
        for user, browser in zip(people, browsers, strict=True)
    ]
    found = crowd(fleet, visitors, clients=CLIENTS, seconds=SECONDS)
    wrong = [text for one in found for text in one.wrong]
    assert wrong == []
    assert [text for one in found for text in one.broken] == []
    good = sum((one.good for one in found), Counter())
    assert set(good) == set(KINDS), "something was never asked with success"
    assert good.total() > 20 * SECONDS, good
    assert sum(one.aborted for one in found) > 2 * SECONDS
    # Keys and identities that were shown, and what the API was called with, are the person's own.
    issued = fleet.cognito.vault.issued
    owner = {key.access_key: key.sub for key in issued} | {i.identity_id: i.sub for i in issued}
    shown = {pair for one in found for pair in one.given if pair[1] in owner}
    assert len(shown) >= USERS // 2
    assert [(sub, given) for sub, given in shown if owner[given] != sub] == []
    calls = [call.verdict for call in fleet.cognito.api.calls if call.verdict]
    assert [verdict.fault for verdict in calls if verdict.keys is None] == []
    for number, (user, browser) in enumerate(zip(people, browsers, strict=True)):
        assert fleet.at(browser, number % 2).me()["email"] == user.email

"""CC-12: a thousand tokens end together, and Cognito sees a bounded number of renewals a second.

On SQLite and Redis: what Cognito sees does not depend on the store. The bound is that of
webapp/signin/pace.py for each of the four processes.
"""

import http.client
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.security.fleet import Fleet
from tests.security.fleet_stores import REDIS, SQLITE
from webapp.managed_login.tokens import person_of, read_claims
from webapp.records import SessionRecord, TokenSet
from webapp.services import build
from webapp.settings import Settings
from webapp.signin.pace import AT_ONCE, PER_SECOND

PROCESSES = 4
HERD, DEAD_HERD = 1000, 200
CLIENTS = 16
LIFE = 3600
PATIENCE_SECONDS = 60.0
LATE = 1.25
"""A loaded machine lets some arrive late, and so closer to those behind them."""

pytestmark = pytest.mark.parametrize("standing_fleet", [SQLITE, REDIS], indirect=True)


@pytest.fixture
def settings(fleet: Fleet) -> Settings:
    """What the hosts run on."""
    return Settings.load(fleet.hosts[0].environment)


def _herd(fleet: Fleet, settings: Settings, count: int, *, left: int) -> list[str]:
    """The tickets of so many sessions whose tokens, of an hour, end in `left` seconds."""
    vault = build(settings).vault
    tokens = fleet.cognito.issuer.pool.sign_in(fleet.cognito.user("viewer"))
    now = int(time.time())
    kept = TokenSet(
        id_token=tokens["id_token"],
        access_token=tokens["access_token"],
        refresh_token=tokens["refresh_token"],
        issued_at=now + left - LIFE,
        expires_at=now + left,
    )
    person = person_of(read_claims(kept.id_token))
    record = SessionRecord(created_at=now, seen_at=now, person=person, tokens=kept)
    return [vault.create(record).ticket.text for _ in range(count)]


def _ask_all(fleet: Fleet, tickets: Sequence[str], *, again: bool) -> Counter[int]:
    """Ask /me for each, as fast as it goes; `again` and again until it does not say busy."""
    end = time.monotonic() + PATIENCE_SECONDS
    host = urlsplit(fleet.base_url).netloc

    def ask(share: int) -> Iterator[int]:
        port = fleet.hosts[share % len(fleet.hosts)].port
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as line:
            for ticket in tickets[share::CLIENTS]:
                status = 503
                while status == 503 and time.monotonic() < end:
                    line.request(
                        "GET", "/me", headers={"Host": host, "Cookie": f"portico={ticket}"}
                    )
                    answer = line.getresponse()
                    text, status = answer.read(), answer.status
                    assert status != 503 or int(answer.headers["Retry-After"]) > 0, text
                    assert "Set-Cookie" not in answer.headers, text
                    yield status
                    if not again:
                        break

    with ThreadPoolExecutor(CLIENTS) as crowd:
        shares = crowd.map(lambda share: list(ask(share)), range(CLIENTS))
        return Counter(status for share in shares for status in share)


def _most_in_a_second(fleet: Fleet) -> int:
    moments = sorted(request.at for request in fleet.cognito.issuer.token.requests)
    return max(sum(first <= other < first + 1 for other in moments) for first in moments)


def test_CC_12_a_thousand_living_tokens(fleet: Fleet, settings: Settings) -> None:
    """A thousand pages for tokens that are all due: each is served at once, few renew theirs."""
    tickets = _herd(fleet, settings, HERD, left=50)
    before = fleet.token_requests
    began = time.monotonic()
    seen = _ask_all(fleet, tickets, again=False)
    seconds = time.monotonic() - began
    assert seen == {200: HERD}
    assert _most_in_a_second(fleet) <= PROCESSES * (PER_SECOND + AT_ONCE) * LATE
    asked = fleet.token_requests - before
    assert 1 <= asked <= PROCESSES * (PER_SECOND * seconds + AT_ONCE)


def test_CC_12_dead_tokens_all_at_once(fleet: Fleet, settings: Settings) -> None:
    """Hundreds of dead tokens at one moment: busy for some, a grant for each, nobody turned out."""
    tickets = _herd(fleet, settings, DEAD_HERD, left=-1)
    before = fleet.token_requests
    seen = _ask_all(fleet, tickets, again=True)
    assert set(seen) <= {200, 503}
    assert seen[200] == DEAD_HERD
    assert fleet.token_requests - before == DEAD_HERD
    assert _most_in_a_second(fleet) <= PROCESSES * (PER_SECOND + AT_ONCE) * LATE

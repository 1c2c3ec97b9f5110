"""CR-07: under a crowd of people no call is ever signed with another one's keys."""

import http.client
import json
import os
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.doubles import person
from tests.doubles.keys import decode
from tests.security.fleet import Fleet, fleet_of

USERS = int(os.environ.get("CR_07_USERS", "24"))
SECONDS = float(os.environ.get("CR_07_SECONDS", "4"))
"""The row asks for 200 people and 60 seconds."""
THREADS = 8
KEYS_LIVE = 2.0
"""Seconds: so short that everybody's keys are fetched anew again and again, beside the calls."""


@dataclass
class Caller:
    """A person in a browser, as far as a call needs to know."""

    sub: str
    cookie: str = field(repr=False)
    csrf: str = field(repr=False)


@dataclass
class Found:
    """What one thread saw."""

    calls: int = 0
    busy: int = 0
    wrong: list[str] = field(default_factory=list)
    identities: set[tuple[str, str]] = field(default_factory=set)
    guests: set[tuple[str, str]] = field(default_factory=set)


def _sign_in(fleet: Fleet, number: int) -> Caller:
    user = person(
        f"caller{number}@example.com", ("Team", f"arn:aws:iam::000000000000:role/r{number}")
    )
    fleet.cognito.issuer.add(user)
    browser = fleet.signed_in(user)
    cookie = f"portico={browser.cookies['portico']}"
    return Caller(user.sub, cookie, browser.csrf())


def _ask(fleet: Fleet, caller: Caller, identity: str) -> tuple[int, dict[str, object]]:
    line = http.client.HTTPConnection("127.0.0.1", fleet.hosts[0].port, timeout=30)
    try:
        endpoint = "whoami" if identity == "user" else "test-public"
        form = {"csrf_token": caller.csrf, "endpoint": endpoint, "identity": identity}
        headers = {
            "Host": fleet.base_url.partition("//")[2],
            "Cookie": caller.cookie,
            "Origin": fleet.base_url,
            "Sec-Fetch-Site": "same-origin",
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        line.request("POST", "/api/call", urlencode(form), headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def _judge(
    found: Found, caller: Caller, identity: str, status: int, said: dict[str, object]
) -> None:
    if status in (503, 504):
        found.busy += 1
        return
    found.calls += 1
    body = said.get("body")
    echoed = body.get("caller") if isinstance(body, dict) else None
    if status != 200 or not isinstance(echoed, dict):
        found.wrong.append(f"{status}: {str(said)[:200]}")
    elif identity == "guest":
        found.guests.add((caller.sub, str(echoed["identity_id"])))
        if echoed["sub"] is not None:
            found.wrong.append(f"a guest's call came as {echoed['sub']}")
    else:
        found.identities.add((caller.sub, str(echoed["identity_id"])))
        if echoed["sub"] != caller.sub:
            found.wrong.append(f"{caller.sub} called as {echoed['sub']}")


def _crowd(fleet: Fleet, callers: list[Caller]) -> list[Found]:
    until = time.monotonic() + SECONDS

    def run(found: Found, dice: random.Random) -> None:
        while time.monotonic() < until:
            caller = dice.choice(callers)
            identity = dice.choices(("user", "guest"), (4, 1))[0]
            _judge(found, caller, identity, *_ask(fleet, caller, identity))

    all_found = [Found() for _ in range(THREADS)]
    threads = [
        threading.Thread(target=run, args=(found, random.Random(number)), daemon=True)
        for number, found in enumerate(all_found)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + 60)
        assert not thread.is_alive()
    return all_found


@pytest.mark.slow
def test_CR_07_nobody_calls_as_another(tmp_path: Path) -> None:
    """Many people over many threads, keys renewed all the while: each call comes as its caller."""
    with fleet_of(tmp_path, hosts=1, workers=2, threads=8, SESSION_MAX_PER_PERSON="5") as fleet:
        fleet.cognito.pool.lifetime = KEYS_LIVE
        callers = [_sign_in(fleet, number) for number in range(USERS)]
        found = _crowd(fleet, callers)
        assert [wrong for one in found for wrong in one.wrong] == []
        calls = sum(one.calls for one in found)
        assert calls > 3 * USERS
        assert sum(one.busy for one in found) < calls / 4
        # Each person is one identity, whoever asked, and no guest shares one.
        for pairs in ("identities", "guests"):
            seen = set().union(*(getattr(one, pairs) for one in found))
            assert len(seen) >= USERS / 2
            assert len(seen) == len({sub for sub, _ in seen}) == len({who for _, who in seen})
        assert len(fleet.cognito.vault.issued) > 2 * USERS  # renewed under the calls
        # What reached the API: the keys that signed are those of the person in the token.
        for call in fleet.cognito.api.calls:
            assert call.verdict
            token = call.request.header("X-Cognito-Id-Token")
            signer = fleet.cognito.vault.find(_access_key(call.request.header("Authorization")))
            assert signer
            assert signer.sub == (decode(token)[1]["sub"] if token else None)


def _access_key(authorization: str | None) -> str:
    return (authorization or "").partition("Credential=")[2].partition("/")[0]

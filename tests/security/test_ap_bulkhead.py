"""AP-16: an API that hangs keeps its own callers waiting, and nobody else."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.doubles.response import Response
from tests.rig import Rig, rigged
from webapp.breaker import FAILURES
from webapp.services.parts import half

QUICK = 0.5
THREADS = 32
"""As many as infra/container gives a process."""
AT_ONCE = half(THREADS)
CALLERS = 40
FORM = {"endpoint": "test-plain", "identity": "nobody"}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """An application that knows how many threads serve it."""
    with rigged(tmp_path, threads=THREADS) as made:
        yield made


def test_AP_16_bulkhead(rig: Rig) -> None:
    """With forty callers at a hung API, sixteen wait, the rest hear 503, and pages are quick."""
    endpoint = rig.cognito.api["test-plain"]
    endpoint.hang()
    callers = [rig.browser() for _ in range(CALLERS)]
    form = FORM | {"csrf_token": callers[0].csrf()}
    answers: list[tuple[Response, float]] = []

    def call(number: int) -> None:
        began = time.monotonic()
        answer = callers[number].post("/api/call", form, json=True)
        answers.append((answer, time.monotonic() - began))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
    for thread in threads[:AT_ONCE]:
        thread.start()
    endpoint.wait_for(AT_ONCE)
    for thread in threads[AT_ONCE:]:
        thread.start()
    for thread in threads[AT_ONCE:]:
        thread.join()
    refused = list(answers)
    assert len(refused) == CALLERS - AT_ONCE
    for answer, _ in refused:
        assert (answer.status, answer.json()["error"]) == (503, "api_busy")
        assert int(answer.header("Retry-After") or 0) > 0
    assert sorted(seconds for _, seconds in refused)[len(refused) // 2] < QUICK
    began = time.monotonic()
    assert rig.browser().get("/healthz").status == 200
    assert time.monotonic() - began < QUICK
    assert rig.signed_in("admin").me()["email"] == "admin@example.com"
    assert time.monotonic() - began < 2 * QUICK
    rig.cognito.heal()
    for thread in threads:
        thread.join()
    assert endpoint.most_in_flight == AT_ONCE
    until(lambda: rig.browser().call("test-plain", "nobody").status == 200)


def test_AP_16_places_come_back(rig: Rig) -> None:
    """A call that fails gives its place back: after many failures there is room as before."""
    endpoint = rig.cognito.api["test-plain"]
    browser = rig.browser()
    form = FORM | {"csrf_token": browser.csrf()}
    for _ in range(AT_ONCE):
        endpoint.reset()
        for _ in range(FAILURES - 1):  # one more would open the breaker
            assert browser.post("/api/call", form, json=True).status == 502
        endpoint.heal()
        assert browser.post("/api/call", form, json=True).json()["status"] == 200

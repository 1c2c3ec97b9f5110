"""AP-16, AP-18: an API that hangs or is long away takes nothing else along, and is found again."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.doubles.way_out import Leaving, WayOut
from tests.rig import Rig
from tests.security.served import Served, served_by_gunicorn
from webapp.api.catalogue import endpoint_named
from webapp.api.client import ApiClient
from webapp.breaker import Breaker
from webapp.deadlines import API_SECONDS
from webapp.errors import ApiBusy, ApiUnavailable
from webapp.outbound import OutboundFailed, Part, Reply, no_sign_of_life

RATE = 20
OUTAGE_SECONDS = 300
OPENS_WITHIN, CLOSES_WITHIN = 3.0, 5.0
CALLS = 200
PLACES = 2 * 16  # in two workers of 32 threads
QUICK = 0.5
FORM = {"endpoint": "test-plain", "identity": "nobody"}


class Api:
    """An API as its clients meet it, by a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.down = False
        self.asked: list[float] = []

    def answer(self, _: Leaving) -> Reply:
        """An answer, or a refused connection."""
        self.asked.append(self.now)
        if self.down:
            raise OutboundFailed("No.", reason="ConnectionRefusedError", silent=True)
        return Reply(200, "OK", (), b"{}", cut=False, seconds=0.0)


def test_AP_18_five_minutes_away() -> None:
    """Through 300 s at 20 calls a second the API is asked some eighty times, and found at once."""
    api = Api()
    said: list[tuple[float, str]] = []
    breaker = Breaker(
        no_sign_of_life, clock=lambda: api.now, report=lambda state: said.append((api.now, state))
    )
    client = ApiClient(
        Part(WayOut(api.answer), breaker), base="https://api.example", region="us-east-1"
    )
    endpoint = endpoint_named("test-plain")
    heard: list[tuple[float, str]] = []
    waits: list[int] = []

    def call() -> None:
        api.now += 1 / RATE
        try:
            client.call(endpoint, "nobody", endpoint.address({}))
            heard.append((api.now, "answer"))
        except (ApiBusy, ApiUnavailable) as error:
            waits.append(error.retry_after)
            heard.append((api.now, error.code))

    for _ in range(10 * RATE):
        call()
    api.down, cut_at, before = True, api.now, len(api.asked)
    for _ in range(OUTAGE_SECONDS * RATE):
        call()
    asked = len(api.asked) - before
    api.down, back_at = False, api.now
    for _ in range(10 * RATE):
        call()
    (opened, _), (closed, _) = said
    assert [state for _, state in said] == ["opened", "closed"]
    assert opened - cut_at <= OPENS_WITHIN
    assert closed - back_at <= CLOSES_WITHIN
    assert OUTAGE_SECONDS / 4 <= asked <= OUTAGE_SECONDS / 4 + 10
    assert Counter(word for at, word in heard if opened < at <= back_at)["api_resting"] > 5800
    assert set(waits) <= {1, 2, 3, 4, 5}
    assert {word for at, word in heard if at <= cut_at or at >= closed} == {"answer"}


def _code(rig: Rig, form: dict[str, str]) -> str:
    answer = rig.browser().post("/api/call", form, json=True)
    if answer.status == 200:
        return "answer"
    assert int(answer.header("Retry-After") or 0) > 0
    return str(answer.json()["error"])


def test_AP_18_other_pages_go_on(rig: Rig) -> None:
    """While the API is away people see their pages and sign in; it is told once, and heals."""
    somebody = rig.signed_in("viewer")
    form = FORM | {"csrf_token": rig.browser().csrf()}
    api = rig.cognito.api.server
    api.stop()
    began, heard = time.monotonic(), []
    while "api_resting" not in heard and time.monotonic() < began + 2 * OPENS_WITHIN:
        heard.append(_code(rig, form))
        time.sleep(1 / RATE)
    assert heard[-1] == "api_resting"
    assert set(heard[:-1]) == {"api_unavailable"}
    assert time.monotonic() - began < OPENS_WITHIN
    page = rig.browser().post("/api/call", form)
    assert page.status == 503
    assert "not answered for a while" in page.page.text
    assert somebody.get("/session").status == 200
    assert rig.signed_in("admin").me()["email"] == "admin@example.com"
    assert rig.browser().get("/readyz").status == 200
    api.start()
    began = time.monotonic()
    while _code(rig, form) != "answer":
        assert time.monotonic() - began < CLOSES_WITHIN
        time.sleep(1 / RATE)
    parts = [json.loads(line) for line in rig.log.splitlines() if '"part_' in line]
    told = [(line["event"], line["level"], line["part"]) for line in parts]
    assert told == [("part_opened", "warning", "api"), ("part_closed", "info", "api")]


def test_RT_14_a_request_ends_in_its_time(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a request waits for outside ends with the request's time, whatever its own deadline."""
    monkeypatch.setattr("webapp.app.REQUEST_SECONDS", QUICK)
    browser = rig.browser()
    form = FORM | {"csrf_token": browser.csrf()}
    rig.cognito.api["test-plain"].hang()
    began = time.monotonic()
    assert browser.post("/api/call", form, json=True).status == 504
    assert QUICK <= time.monotonic() - began < API_SECONDS / 2
    rig.cognito.heal()
    # The next request has all its time again.
    assert browser.post("/api/call", form, json=True).json()["status"] == 200


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """Real gunicorn with our settings: two workers of 32 threads."""
    with served_by_gunicorn(tmp_path, with_conf=True) as made:
        yield made


def _worst(server: Served, rounds: int) -> list[float]:
    """How long /healthz and whole sign-ins took, the longest last."""
    took = []
    for _ in range(rounds):
        began = time.monotonic()
        assert server.ask(b"/healthz").status == 200
        took.append(time.monotonic() - began)
        began = time.monotonic()
        browser = server.browser()
        assert browser.sign_in(server.cognito.user("viewer")).status == 200
        took.append(time.monotonic() - began)
    return sorted(took)


def test_AP_16_two_hundred_calls_of_a_hung_api(server: Served) -> None:
    """Of 200 calls 32 wait, the others are refused, and health and sign-ins do not notice."""
    body = urlencode(FORM | {"csrf_token": server.browser().csrf()}).encode()
    head = (
        f"POST /api/call HTTP/1.1\r\nHost: {server.host}\r\nOrigin: {server.base_url}\r\n"
        f"Accept: application/json\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    calm = _worst(server, 10)
    endpoint = server.cognito.api["test-plain"]
    endpoint.hang()
    heard: Counter[int] = Counter()
    with ExitStack() as held:
        lines = [
            held.enter_context(socket.create_connection(("127.0.0.1", server.port), 30))
            for _ in range(CALLS)
        ]
        for line in lines:
            line.sendall(head + body)
        endpoint.wait_for(PLACES, 20)
        meanwhile = _worst(server, 20)

        def hear(line: socket.socket) -> None:
            heard[int(line.recv(4096).split(b" ")[1])] += 1

        assert endpoint.count == PLACES
        server.cognito.heal()
        readers = [threading.Thread(target=hear, args=(line,)) for line in lines]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(30)
    assert heard == {503: CALLS - PLACES, 502: PLACES}
    # A machine that is busy with other things is slow when it is calm, too.
    assert meanwhile[-2] < max(QUICK, 3 * calm[-1]), (calm, meanwhile)

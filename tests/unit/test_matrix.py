"""How a matrix is run: all at once but bounded, within its time, and patiently."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import pytest

from webapp import budget
from webapp.api.client import ApiClient
from webapp.api.identities import GUEST, NOBODY, USER, Caller, callers_of
from webapp.api.matrix import Matrix
from webapp.api.standing import Standing
from webapp.credentials.wallet import Wallet
from webapp.errors import ApiBusy, PoolUnavailable
from webapp.outbound import OutboundTimedOut, Reply
from webapp.records import AwsKeys, TokenSet
from webapp.services.parts import FEWEST_THREADS, half, matrices
from webapp.signin.calling import Calling, Proof
from webapp.signin.matrix import AccessMatrix

ROLES = [f"arn:aws:iam::1:role/portico-{name}" for name in ("team-a", "team-b")]
EVERYBODY = callers_of(ROLES)
KEYS = AwsKeys("us-east-1:id", "ASIAEXAMPLE", "secret/of+keys", "session/of+keys", 0, 2_000_000_000)
TOKENS = TokenSet("eyJ.id.token", "eyJ.access.token", None, 0, 2_000_000_000)
BOTH = Standing(email="both@example.com", groups=("TeamA", "TeamB"), demo=True)
SLOW = 0.15


class SlowApi:
    """Answers every call after `seconds`; `says` gives the status of the nth call of an address."""

    def __init__(self, seconds: float = SLOW) -> None:
        self.seconds = seconds
        self.says: Callable[[str, int], int] = lambda address, times: 200
        self.most = 0
        self.asked: Counter[str] = Counter()
        self._now = 0
        self._lock = threading.Lock()

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str], deadline: float, **_: Any
    ) -> Reply:
        """As Sender.send, within the time that the thread has."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.asked[f"{method} {url}"] += 1
            times = self.asked[f"{method} {url}"]
        left = min(deadline, budget.left())
        time.sleep(min(self.seconds, left))
        with self._lock:
            self._now -= 1
        if left < self.seconds:
            raise OutboundTimedOut("late", reason="TimeoutError")
        return Reply(self.says(url, times), "", (), b"", False, self.seconds)


def _matrix(api: SlowApi, **bounds: int) -> AccessMatrix:
    client = ApiClient(api, base="https://api.example.com", region="us-east-1")
    return AccessMatrix(Calling(cast("Wallet", None), client, demo=True), demo=True, **bounds)


def _proof(caller: Caller) -> Proof:
    return Proof(caller, KEYS if caller.signs else None, TOKENS if caller.needs_person else None)


def _measured(
    matrix: AccessMatrix,
    gather: Callable[[Caller], Proof] = _proof,
    callers: tuple[Caller, ...] = EVERYBODY,
) -> Matrix:
    return matrix.measured(callers, gather, lambda proof: proof, lambda: BOTH)


def test_the_wall_time_is_that_of_a_few_calls() -> None:
    """All cells of seven callers take at most three times the slowest single one."""
    api = SlowApi()
    matrix = _matrix(api)
    ratios = []
    for _ in range(3):
        found = _measured(matrix)
        cells = list(found)
        assert len(cells) > 100
        slowest = max(cell.milliseconds or 0.0 for cell in cells) / 1000
        ratios.append((found.seconds or 0.0) / slowest)
    assert min(ratios) <= 3.0, ratios
    print(f"wall time / slowest cell: {', '.join(f'{one:.2f}' for one in ratios)}")


def test_threads_are_bounded() -> None:
    """Never more calls at a time than allowed, over two matrices at a time; a third is refused."""
    api = SlowApi(0.02)
    matrix = _matrix(api, at_a_time=5, runs=2)
    started = threading.Barrier(3)

    def run() -> None:
        started.wait()
        _measured(matrix)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    started.wait()
    while not api.most:
        time.sleep(0.001)
    time.sleep(0.05)
    with pytest.raises(ApiBusy):
        _measured(matrix)
    for thread in threads:
        thread.join()
    assert api.most == 5
    assert _measured(matrix).seconds


def test_AB_03_strangers_leave_a_place() -> None:
    """While a stranger's matrix runs another stranger waits, and somebody signed in does not."""
    api, strangers = SlowApi(0.2), (NOBODY, GUEST)
    matrix = _matrix(api)
    first = threading.Thread(target=partial(_measured, matrix, callers=strangers))
    first.start()
    while not api.most:
        time.sleep(0.001)
    with pytest.raises(ApiBusy):
        _measured(matrix, callers=strangers)
    assert _measured(matrix).seconds
    first.join()
    assert _measured(matrix, callers=strangers).seconds


@pytest.mark.parametrize(("threads", "runs"), [(None, 1), (4, 1), (8, 1), (9, 2), (32, 2)])
def test_AP_16_matrices_leave_threads(threads: int | None, runs: int) -> None:
    """With the API's own seats, those that an API that hangs can hold are not all threads."""
    count = threads or FEWEST_THREADS
    assert matrices(threads) == runs
    assert matrices(threads) + half(count) < count


def test_the_end_of_the_request_goes_along() -> None:
    """Calls in other threads end with the request that asked; what had no time says so."""
    api = SlowApi(1.0)
    began = time.monotonic()
    with budget.Within(0.2):
        found = _measured(_matrix(api, at_a_time=8))
    assert time.monotonic() - began < 1.0
    assert {cell.verdict for cell in found} == {"no answer"}
    assert {cell.trouble.code for cell in found if cell.trouble} == {"api_timed_out"}
    assert not found.all_as_expected


def test_trouble_with_one_callers_keys_is_that_callers() -> None:
    """Keys that cannot be had spoil one column, and its sentence stands there."""

    def gather(caller: Caller) -> Proof:
        if caller in (GUEST, Caller("role", ROLES[0])):
            raise PoolUnavailable("The identity pool does not answer.")
        return _proof(caller)

    found = _measured(_matrix(SlowApi(0.001)), gather)
    without = {str(cell.caller) for cell in found if cell.verdict == "no answer"}
    assert without == {"guest", "role:portico-team-a"}


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_for_patience_is_asked_again(status: int) -> None:
    """A call that came too much at once is made once more, and the second answer counts."""
    api = SlowApi(0.001)
    api.says = lambda url, times: status if "/vip" in url and times <= len(EVERYBODY) else 403
    found = _measured(_matrix(api))
    vip = [cell.status for cell in found if cell.row.endpoint.name == "vip"]
    assert vip == [403] * len(EVERYBODY)
    assert api.asked["GET https://api.example.com/vip"] == 2 * len(EVERYBODY)
    assert api.asked["GET https://api.example.com/secure"] == len(EVERYBODY)


def test_kept_keys_that_ended_early_are_replaced_once() -> None:
    """A caller whose kept keys AWS takes for expired calls again with new ones."""
    expired = b'{"message":"The security token included in the request is expired"}'
    renewed: list[Caller] = []

    class Expiring(SlowApi):
        def send(self, method: str, url: str, **given: Any) -> Reply:
            fresh = bool(renewed) or "ASIAEXAMPLE" not in str(given["headers"])
            return Reply(200 if fresh else 403, "", (), b"" if fresh else expired, False, 0.001)

    def renew(spent: Proof) -> Proof:
        renewed.append(spent.caller)
        return _proof(spent.caller)

    def gather(caller: Caller) -> Proof:
        plain = _proof(caller)
        return Proof(caller, plain.keys, plain.tokens, kept=caller == USER)

    found = _matrix(Expiring()).measured((NOBODY, USER), gather, renew, lambda: BOTH)
    assert renewed == [USER]
    assert {cell.status for cell in found} == {200}

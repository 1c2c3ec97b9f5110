"""Runs the access matrix: every endpoint as everybody, at the same time.

Pages and the command line run the same. The calls go out from threads of the matrix's own, so many
at a time and no more, within what is left of the work that asked for them.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from webapp import budget
from webapp.api.client import keys_expired
from webapp.api.identities import Caller, callers_of
from webapp.api.matrix import Cell, Matrix, Trouble, planned
from webapp.api.rows import Row, rows
from webapp.api.standing import Standing
from webapp.errors import ApiBusy, Forbidden, OperatorFault, Unavailable
from webapp.records import ApiAnswer, SessionRecord
from webapp.signin.calling import Calling, Keep, Proof
from webapp.store.vault import Session

R = TypeVar("R")
Gather = Callable[[Caller], Proof]

AT_A_TIME = 64
"""Calls of all matrices of this process together: seven callers make twice as many at most."""
PATIENT_STATUSES, PATIENCE_SECONDS, PATIENT_AT_A_TIME = (429, 503), 0.5, 4
"""What an API says to so many calls at a time is asked once more, slowly. No call changes anything,
and an account that is new lets ten functions run at a time."""
RUNS = 2
"""Matrices under way at a time in one process; whoever wants a third is told to come back."""
BUSY_SECONDS = 5
_TOLD = (Unavailable, OperatorFault, Forbidden)
"""What spoils the cells of one caller, and not the whole."""


class AccessMatrix:
    """Runs matrices over one way of calling. `demo` says that there are documents to show."""

    def __init__(
        self, calling: Calling, *, demo: bool, at_a_time: int = AT_A_TIME, runs: int = RUNS
    ) -> None:
        self._calling = calling
        self._rows = rows(demo=demo)
        self._at_a_time = at_a_time
        self._runs = threading.BoundedSemaphore(runs)
        self._strangers = threading.BoundedSemaphore(max(1, runs - 1))
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    def planned(self, record: SessionRecord | None) -> Matrix:
        """What is to be expected for whoever is signed in; nothing is called."""
        return planned(self._rows, _callers(record), self._calling.standing(record))

    def run(self, session: Session | None, keep: Keep) -> tuple[Session | None, Matrix]:
        """Call everything as everybody that this session can be; the session as it is then.

        `keep` is told of every new state of the session. Raises as `measured`.
        """
        now = session

        def gather(caller: Caller) -> Proof:
            nonlocal now
            if caller.kind == "role":  # in a thread of its own, and changes no session
                return self._calling.proof(session, caller, keep)[1]
            now, proof = self._calling.proof(now, caller, keep)
            return proof

        def renew(spent: Proof) -> Proof:
            nonlocal now
            now, proof = self._calling.renewed(now, spent, keep)
            return proof

        def person() -> Standing | None:
            return self._calling.standing(now.record if now else None)

        callers = _callers(session.record if session else None)
        return now, self.measured(callers, gather, renew, person)

    def measured(
        self,
        callers: Sequence[Caller],
        gather: Gather,
        renew: Callable[[Proof], Proof],
        person: Callable[[], Standing | None],
    ) -> Matrix:
        """Call everything as these callers.

        `gather` fetches what a caller needs: for roles in threads of the matrix, for the others one
        after the other in this one. `renew` replaces kept keys that AWS took for expired; `person`
        is asked at the end what the expectations go by. What goes wrong with one caller or one call
        stands in its cells. Raises ApiBusy when enough matrices are under way, and SessionEnded.
        """
        with self._turn(callers):
            began = time.monotonic()
            run = _Run(self._pool(), self._calling, self._rows)
            columns = run.of_all(callers, gather, renew)
            plan = planned(self._rows, callers, person())
            return _filled(plan, columns, time.monotonic() - began)

    @contextmanager
    def _turn(self, callers: Sequence[Caller]) -> Iterator[None]:
        """One of the places for matrices; strangers leave one to whoever is signed in."""
        stranger = not any(one.needs_person for one in callers)
        with ExitStack() as held:
            for places in (self._strangers, self._runs) if stranger else (self._runs,):
                if not places.acquire(blocking=False):
                    raise ApiBusy(
                        "Enough access matrices are under way; try again in a moment.",
                        retry_after=BUSY_SECONDS,
                    )
                held.callback(places.release)
            yield

    def _pool(self) -> ThreadPoolExecutor:
        # Made when first needed: threads do not survive a fork, and most processes need none.
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._at_a_time, "matrix")
            return self._threads


@dataclass(frozen=True, slots=True)
class _Got:
    """What came of one call, without its body: there are many."""

    answer: ApiAnswer | None = None
    trouble: Trouble | None = None
    expired: bool = False


class _Run:
    """One run over the threads; what is left of the time goes with the work into each of them."""

    def __init__(self, pool: ThreadPoolExecutor, calling: Calling, lines: Sequence[Row]) -> None:
        self._pool = pool
        self._calling = calling
        self._rows = lines
        self._ends = time.monotonic() + budget.left()

    def of_all(
        self, callers: Sequence[Caller], gather: Gather, renew: Callable[[Proof], Proof]
    ) -> dict[Caller, list[_Got]]:
        """The column of each caller."""
        roles = [one for one in callers if one.kind == "role"]
        proofs = {one: self._later(partial(gather, one)).result for one in roles}
        # Who needs no keys first: their calls are under way while keys are fetched.
        others = sorted((one for one in callers if one.kind != "role"), key=lambda one: one.signs)
        columns = [self._column(one, partial(gather, one)) for one in others]
        columns += [self._column(one, proofs[one]) for one in roles]
        found = {one.caller: one.all() for one in columns}
        for one in columns:
            if one.proof and one.proof.kept and any(got.expired for got in found[one.caller]):
                again = self._column(one.caller, partial(renew, one.proof))
                found[one.caller] = again.all()
        self._ask_again(columns, found)
        return found

    def _ask_again(self, columns: Sequence["_Column"], found: dict[Caller, list[_Got]]) -> None:
        """Put the second answer in the place of one that asked for patience."""
        turned_away = [
            (one.proof, at)
            for one in columns
            for at, got in enumerate(found[one.caller])
            if one.proof and got.answer and got.answer.status in PATIENT_STATUSES
        ]
        if not turned_away or len(turned_away) > len(columns) * len(self._rows) // 2:
            return
        time.sleep(min(PATIENCE_SECONDS, max(0.0, self._ends - time.monotonic())))
        for few in range(0, len(turned_away), PATIENT_AT_A_TIME):
            asked = [
                (proof, at, self._later(partial(self._sent, self._rows[at], proof)))
                for proof, at in turned_away[few : few + PATIENT_AT_A_TIME]
            ]
            for proof, at, answer in asked:
                found[proof.caller][at] = answer.result()

    def _column(self, caller: Caller, proof: Callable[[], Proof]) -> "_Column":
        try:
            found = proof()
        except _TOLD as fault:
            nothing = _Got(trouble=Trouble(fault.code, fault.sentence))
            return _Column(caller, None, [partial(_the_same, nothing)] * len(self._rows))
        calls = (self._later(partial(self._sent, row, found)) for row in self._rows)
        return _Column(caller, found, [call.result for call in calls])

    def _sent(self, row: Row, proof: Proof) -> _Got:
        try:
            body = row.endpoint.body(row.values)
            answer = self._calling.send(row.endpoint, proof, row.address, body)
        except Unavailable as fault:
            return _Got(trouble=Trouble(fault.code, fault.sentence))
        return _Got(replace(answer, body=b"", headers=()), expired=keys_expired(answer))

    def _later(self, work: Callable[[], R]) -> "Future[R]":
        def within() -> R:
            with budget.Within(max(0.0, self._ends - time.monotonic())):
                return work()

        return self._pool.submit(within)


@dataclass(frozen=True, slots=True)
class _Column:
    """The calls of one caller, under way."""

    caller: Caller
    proof: Proof | None
    """As gathered at first."""
    calls: Sequence[Callable[[], _Got]]

    def all(self) -> list[_Got]:
        """What came of each, waited for."""
        return [call() for call in self.calls]


def _the_same(got: _Got) -> _Got:
    return got


def _callers(record: SessionRecord | None) -> tuple[Caller, ...]:
    person = record.person if record else None
    return callers_of(person.roles if person else None)


def _filled(plan: Matrix, columns: dict[Caller, list[_Got]], seconds: float) -> Matrix:
    lines = tuple(
        tuple(_cell(cell, columns[cell.caller][at]) for cell in line)
        for at, line in enumerate(plan.lines)
    )
    return Matrix(plan.callers, lines, seconds)


def _cell(cell: Cell, got: _Got) -> Cell:
    answer = got.answer
    if answer is None:
        return replace(cell, trouble=got.trouble)
    return replace(
        cell,
        status=answer.status,
        milliseconds=answer.milliseconds,
        role_arn=answer.role_arn,
        request_id=answer.request_id,
    )

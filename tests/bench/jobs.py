"""What the load driver is told to do; each job runs in the driver's own process."""

import functools
import itertools
import os
import time
from collections.abc import Iterator, Sequence

from tests.bench import operations
from tests.bench.client import Operation, Sample, drive, drive_many
from tests.bench.operations import Target, Visit

JSON, HTML = "application/json", "text/html"
# A person has only so many sessions, so the people take turns over all jobs of a driver process.
_people = itertools.count(os.getpid() * 777)


def pages(target: Target, path: str, accept: str, cookies: Sequence[str], count: int) -> Sample:
    """That many pages one after another, the browsers taking turns."""
    turns = itertools.islice(itertools.cycle(cookies), count)
    return drive(target.port, (operations.page(target, path, c, accept) for c in turns))


def calls(target: Target, visit: Visit, count: int) -> Sample:
    """That many signed API calls of one browser, one after another."""
    return drive(target.port, (operations.call(target, visit) for _ in range(count)))


def sign_ins(target: Target, start: str, count: int) -> Sample:
    """That many sign-ins of different people one after another; their cookies too."""
    kept: list[str] = []
    sample = drive(
        target.port,
        (operations.sign_in(target, next(_people), kept.append, start) for _ in range(count)),
    )
    return sample._replace(cookies=tuple(kept))


def visit(target: Target, person: int) -> Visit:
    """One signed-in browser."""
    return operations.visit(target, person)


def access_matrix(target: Target, visit: Visit) -> operations.MatrixRun:
    """The access matrix once."""
    return operations.access_matrix(target, visit)


def busy_pages(
    target: Target, path: str, accept: str, cookie: str, connections: int, seconds: float
) -> Sample:
    """Pages over many connections at once."""
    make = functools.partial(operations.page, target, path, cookie, accept)
    return drive_many(target.port, make, connections, seconds)


def busy_calls(target: Target, visit: Visit, connections: int, seconds: float) -> Sample:
    """Signed API calls over many connections at once."""
    make = functools.partial(operations.call, target, visit)
    return drive_many(target.port, make, connections, seconds)


def busy_sign_ins(target: Target, connections: int, seconds: float) -> Sample:
    """Sign-ins over many connections at once."""

    def make() -> Operation:
        return operations.sign_in(target, next(_people))

    return drive_many(target.port, make, connections, seconds)


def paced_pages(
    target: Target, path: str, accept: str, cookie: str, every: float, seconds: float
) -> Sample:
    """One page at each beat of `every` seconds, as a reader among many; not as fast as can be."""
    began = time.perf_counter()

    def beats() -> Iterator[Operation]:
        for beat in range(int(seconds / every)):
            time.sleep(max(0.0, began + beat * every - time.perf_counter()))
            yield operations.page(target, path, cookie, accept)

    return drive(target.port, beats())

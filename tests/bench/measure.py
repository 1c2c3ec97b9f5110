"""One measurement: run a job against one server and say what an operation cost it."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Concatenate, NamedTuple, ParamSpec

from tests.bench import jobs
from tests.bench.client import Sample
from tests.bench.operations import Target, Visit
from tests.bench.stand import Running, Stand

P = ParamSpec("P")


class Taken(NamedTuple):
    """CPU milliseconds an operation, each operation's wall seconds, provider calls an operation."""

    cpu: float
    sample: Sample
    calls: Mapping[str, float]


def take(
    stand: Stand,
    running: Running,
    job: Callable[Concatenate[Target, P], Sample],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Taken:
    """Run the job; only the server's own processes are charged."""
    calls, cpu = stand.counts(), running.server.cpu()
    sample = stand.drive(running, job, *args, **kwargs)
    cpu, after = running.server.cpu() - cpu, stand.counts()
    count = max(1, len(sample.latencies))
    made = {name: (n - calls.get(name, 0)) / count for name, n in after.items()}
    return Taken(cpu / count * 1000, sample, {name: n for name, n in made.items() if n})


class Field:
    """Everyone who is measured together, each with one signed-in browser."""

    def __init__(self, stand: Stand, runners: list[Running], signed_in: set[str]) -> None:
        self.stand = stand
        self.runners = {running.target.name: running for running in runners}
        self.visits = {
            name: stand.drive(running, jobs.visit, 0) if name in signed_in else Visit("", "")
            for name, running in self.runners.items()
        }

    def take(
        self,
        who: str,
        job: Callable[Concatenate[Target, P], Sample],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Taken:
        """`take` against one of them."""
        return take(self.stand, self.runners[who], job, *args, **kwargs)


class Series:
    """Measurements of the same operation in several rounds."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.latencies: list[float] = []
        self.rate: float | None = None
        self.busy_p99: float | None = None

    def add(self, taken: Taken) -> None:
        """Keep one round."""
        self.cpu.append(taken.cpu)
        self.latencies += taken.sample.latencies


class Table(defaultdict[tuple[str, str], Series]):
    """Series by who and what."""

    def __init__(self) -> None:
        super().__init__(Series)


def ratio(over: Iterable[float], under: Iterable[float]) -> float:
    """The median of the rounds' ratios: what disturbs the machine disturbs both of one round."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def quantile(values: Iterable[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

"""What every test shares: tests whose part is missing are left out, and never silently."""

from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.parts import Part, missing, nothing_may_be_left_out

# Not a test module, but full of what tests inherit.
pytest.register_assert_rewrite("tests.live.proofs")

# Modules whose tests bound a time on the wall, some of them below a second, against programs of
# their own. A shared machine that stands still for a moment breaks such a bound and says nothing of
# the code, so these are tried once more, out loud. No other test is ever tried twice.
ON_THE_CLOCK = frozenset(
    {
        *(f"contract/test_redis_{name}" for name in ("cluster", "outages")),
        *(f"infra/test_{name}" for name in ("gunicorn",)),
        *(f"security/test_ap_{name}" for name in ("breaker", "bulkhead", "upstream")),
        *(f"security/test_id_{name}" for name in ("outage", "transport")),
        *(
            f"security/test_rt_{name}"
            for name in ("drain", "exhaustion", "keepalive", "kills", "probes", "rolling")
        ),
        *(f"security/test_so_{name}" for name in ("fleet", "provider", "store")),
        *(f"security/test_st_{name}" for name in ("breaker", "outage")),
        "stack/test_launcher",
    }
)
SECONDS_BETWEEN_TRIES = 5
_TESTS = Path(__file__).resolve().parent
_TRIED_TWICE = pytest.StashKey[list[str]]()
_LEFT_OUT = pytest.StashKey[Counter[Part]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of missing parts; under ``CI=true`` refuse to run instead."""
    left_out: Counter[Part] = Counter()
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    lacking = missing()
    for item in items:
        lacks = [part for part in lacking if item.get_closest_marker(part.marker)]
        left_out.update(lacks)
        (dropped if lacks else kept).append(item)
    if dropped and nothing_may_be_left_out():
        cures = "; ".join(_sentence(part, count) for part, count in left_out.items())
        raise pytest.UsageError(f"CI=true and nothing may be left out, yet: {cures}")
    config.stash[_LEFT_OUT] = left_out
    config.stash[_TRIED_TWICE] = []
    for item in kept:
        if item.path.relative_to(_TESTS).with_suffix("").as_posix() in ON_THE_CLOCK:
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=SECONDS_BETWEEN_TRIES))
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whose first try failed: the summary names them."""
    report = yield
    if report.failed and item.get_closest_marker("flaky"):
        first_line = str(call.excinfo.value).partition("\n")[0] if call.excinfo else ""
        item.config.stash[_TRIED_TWICE].append(f"{item.nodeid}: {first_line[:200]}")
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say at the end, where it is read, what was left out and how to get it."""
    for part, count in config.stash.get(_LEFT_OUT, Counter()).items():
        terminalreporter.write_line(f"LEFT OUT: {_sentence(part, count)}", yellow=True)
    for failure in config.stash.get(_TRIED_TWICE, []):
        terminalreporter.write_line(f"FAILED ONCE, ON THE CLOCK: {failure}", yellow=True)


def _sentence(part: Part, count: int) -> str:
    return f"{count} {part.marker} tests need {part.programs[0]}: {part.cure}"

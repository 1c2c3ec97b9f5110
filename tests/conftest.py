"""What every test shares: tests whose part is missing are left out, and never silently."""

from collections import Counter

import pytest

from tests.parts import Part, missing, nothing_may_be_left_out

# Not a test module, but full of what tests inherit.
pytest.register_assert_rewrite("tests.live.proofs")

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
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say at the end, where it is read, what was left out and how to get it."""
    for part, count in config.stash.get(_LEFT_OUT, Counter()).items():
        terminalreporter.write_line(f"LEFT OUT: {_sentence(part, count)}", yellow=True)


def _sentence(part: Part, count: int) -> str:
    return f"{count} {part.marker} tests need {part.programs[0]}: {part.cure}"

"""The log as events."""

import json
from typing import Any


def event_lines(log: str) -> list[dict[str, Any]]:
    """Every line as JSON; AssertionError for one that is none."""
    found = []
    for line in log.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            raise AssertionError(f"a line that is no event: {line[:300]!r}") from None
        assert isinstance(value, dict)
        assert value["event"]
        found.append(value)
    return found

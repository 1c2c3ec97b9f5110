"""What a person reads: two tables, and the same as data for programs."""

import os
import platform
import statistics
from collections.abc import Mapping
from typing import Any

from tests.bench.budget import judged
from tests.bench.measure import Table, quantile
from tests.bench.processes import THREADS

MARKS = {"aim": "aim", "must": "ok", "OVER": "OVER", "": ""}


def as_data(
    table: Table, figures: Mapping[str, float | str], *, quick: bool, load: float
) -> dict[str, Any]:
    """Everything that was measured, ready for JSON; `load` is the machine's before the run."""
    return {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "threads": THREADS,
            "load_before": load,
            "quick": quick,
        },
        "operations": [
            {
                "who": who,
                "what": what,
                "cpu_ms": statistics.median(series.cpu),
                "p50_ms": quantile(series.latencies, 0.5) * 1000,
                "p99_ms": quantile(series.latencies, 0.99) * 1000,
                "per_second": series.rate,
                "busy_p99_ms": series.busy_p99 and series.busy_p99 * 1000,
            }
            for (who, what), series in table.items()
        ],
        "budget": judged(figures),
    }


def as_text(data: Mapping[str, Any]) -> str:
    """The tables."""
    machine = data["machine"]
    lines = [
        f"{machine['cores']} cores, Python {machine['python']}, one gthread worker of"
        f" {machine['threads']} threads each, TLS to the stub provider, keep-alive on."
        + (" A quick run: figures are rough." if machine["quick"] else ""),
        *_busy(machine["load_before"], machine["cores"]),
        "",
        "CPU of the server's own processes an operation; wall time on one connection, then on 16.",
        "",
        f"{'':38}{'CPU ms':>8}{'p50 ms':>8}{'p99 ms':>8}{'/s at 16':>10}{'p99 at 16':>11}",
    ]
    for row in data["operations"]:
        busy = f"{row['per_second']:>10.0f}{row['busy_p99_ms']:>11.1f}" if row["per_second"] else ""
        lines.append(
            f"{row['who'] + ', ' + row['what']:38}{row['cpu_ms']:>8.2f}{row['p50_ms']:>8.2f}"
            f"{row['p99_ms']:>8.2f}{busy}"
        )
    if data["budget"]:
        lines += ["", f"{'The budget':58}{'figure':>10}{'':5}{'must':>7}{'aim':>7}  mark"]
    for row in data["budget"]:
        lines.append(
            f"{row['label']:58}{_short(row['value']):>10} {row['unit']:4}"
            f"{_short(row['must']):>7}{_short(row['aim']):>7}  {MARKS[row['mark']]}"
        )
    return "\n".join(lines)


def _busy(load: float, cores: int) -> list[str]:
    if load <= cores / 4:
        return []
    return [
        f"Load {load:.1f} before the run: others use this machine. Believe the CPU ratios, not the",
        "wall times, rates and starts.",
    ]


def _short(value: float | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if value == int(value) or value >= 200 else f"{value:.2f}"

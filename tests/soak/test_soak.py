"""A short soak, so that the long one works when somebody wants it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.security.served import ROOT
from tests.soak.judge import judge
from tests.soak.report import as_text, summary
from tests.soak.run import FINISHING_SECONDS, Plan, Progress, soaked

GOOD = "sessions lost 0, refreshes per expiry 1.000, resurrections 0, foreign answers 0, no 500"
STOP_SECONDS = 90.0


def members(group: int) -> list[str]:
    """The processes of a group that have not ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # gone meanwhile
            state, _, of = entry.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state != "Z":
                found.append((entry.parent / "cmdline").read_text())
    return found


@pytest.mark.slow
def test_a_short_soak_keeps_every_promise(tmp_path: Path) -> None:
    """Six people, a killed worker, a provider that is out: nothing lost, tokens renewed once."""
    plan = Plan(
        "sqlite",
        seconds=8.0 + 1.0 + FINISHING_SECONDS,
        people=6,
        processes=1,
        life=5,
        settling=1.0,
        calm=(0.3, 0.6),
        out=(0.8, 1.2),
        only=("kill a worker", "provider 503"),
    )
    facts = soaked(plan, tmp_path, Progress())
    verdict = judge(facts)
    assert verdict.good, as_text(plan, facts, verdict)
    assert summary(verdict) == GOOD
    assert verdict.expiries > 0
    assert {one.part for one in facts.outages} == {"kill", "provider"}
    counts = facts.diary.counts
    assert counts["sign-ins"] > 0
    assert counts["roll call: signed in"] + counts["roll call: signed out"] > 0


@pytest.mark.slow
def test_ctrl_c_ends_a_soak_with_a_verdict() -> None:
    """Stopped by hand in the middle of the load it still says what it saw, and leaves nobody."""
    command = [sys.executable, "-m", "tests.soak", "--people", "4", "--processes", "1", "--json"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if "load for" in line:
            break
    time.sleep(2)  # some load; nothing is waited for
    os.killpg(process.pid, signal.SIGINT)
    said, progress = process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0, progress
    data = json.loads(said)
    assert data["broken"] == []
    assert data["statuses"]["200"] > 0
    until(lambda: not members(process.pid))

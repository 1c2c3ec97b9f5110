"""`python -m tests.soak`: exits with 1 when a promise was broken, 2 when it could not run."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from infra.local.process import ChildFailedError
from tests.parts import PARTS, program
from tests.soak.judge import judge
from tests.soak.report import as_data, as_text
from tests.soak.run import Plan, Progress, soaked


def main() -> int:
    """Run by command line."""
    usual = Plan("sqlite")
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Mixed load over two hosts with four workers, while everything fails in turn.",
    )
    parser.add_argument("--store", choices=("sqlite", "redis", "dynamodb"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="for the whole run")
    parser.add_argument("--people", type=int, default=usual.people)
    parser.add_argument("--processes", type=int, default=usual.processes, help="of clients")
    parser.add_argument("--seed", type=int, default=usual.seed, help="of all dice")
    parser.add_argument("--json", action="store_true", help="print data instead of tables")
    given = parser.parse_args()
    if given.store == "redis" and not program("redis"):
        cure = next(part.cure for part in PARTS if part.marker == "redis")
        print(f"soak: no Redis server on this machine: {cure}.", file=sys.stderr)
        return 2
    plan = Plan(
        given.store,
        seconds=given.seconds,
        seed=given.seed,
        people=given.people,
        processes=given.processes,
    )
    with tempfile.TemporaryDirectory(prefix="portico-soak-") as folder:
        try:
            facts = soaked(plan, Path(folder), Progress())
        except KeyboardInterrupt:
            print("soak: stopped by hand before there was anything to say", file=sys.stderr)
            return 2
        except (ChildFailedError, RuntimeError, AssertionError) as error:
            print(f"soak: it could not go on: {error}", file=sys.stderr)
            return 2
    verdict = judge(facts)
    if given.json:
        print(json.dumps(as_data(plan, facts, verdict), indent=2))
    else:
        print(as_text(plan, facts, verdict))
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())

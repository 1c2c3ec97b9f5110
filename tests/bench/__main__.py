"""`python -m tests.bench`: measures, prints, judges nothing; a person reads it."""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from tests.bench.client import DriveError
from tests.bench.measure import Table
from tests.bench.plan import FULL, QUICK
from tests.bench.processes import StartError
from tests.bench.report import as_data, as_text
from tests.bench.run import everything
from tests.bench.stand import open_stand
from tests.bench.together import Figures


def main() -> int:
    """Run by command line. 1 when something did not start or answered wrongly, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures Portico against a bare Flask page and a bare relying party.",
    )
    parser.add_argument("--quick", action="store_true", help="about forty seconds, rough figures")
    parser.add_argument("--json", action="store_true", help="print data instead of tables")
    parser.add_argument("--floors", action="store_true", help="measure the two floors alone")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    table, figures, load = Table(), Figures(), os.getloadavg()[0]
    problem = ""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder:
        try:
            with open_stand(Path(folder)) as stand:
                plan = QUICK if given.quick else FULL
                everything(stand, plan, table, figures, floors=given.floors)
        except (StartError, DriveError) as error:
            problem = str(error)
        except KeyboardInterrupt:
            problem = "stopped by hand"
    if table:
        data = as_data(table, figures, quick=given.quick, load=load)
        print(json.dumps(data, indent=2) if given.json else as_text(data))
    if problem:
        print(f"bench: {problem}", file=sys.stderr)
    return 1 if problem else 0


def _leave(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

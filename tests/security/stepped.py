"""The application on a clock that a test steps: `gunicorn tests.security.stepped:app`.

STEP_FILE names a file with the seconds by which all processes' clock is off.
"""

import os
import time
from pathlib import Path

from webapp.app import create_app

_FILE = Path(os.environ["STEP_FILE"])


def now() -> float:
    """Epoch seconds, off as the file says at this moment."""
    return time.time() + float(_FILE.read_text())


app = create_app(now=now)

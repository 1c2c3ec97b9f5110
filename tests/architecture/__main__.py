"""Lists what is longer than the house wishes for: ``python -m tests.architecture``.

Nothing fails on these; they are where to look for the second room.
"""

from pathlib import Path

from tests.architecture.shape import wishes
from tests.architecture.source import read

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    print("\n".join(wishes(read(ROOT, "webapp", "infra", "wsgi.py"))) or "Nothing is too long.")

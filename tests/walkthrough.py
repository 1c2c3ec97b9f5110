"""The written tour: docs/walkthrough/README.md holds the steps of webapp/tour between two marks.

python -m tests.walkthrough            says whether it does
python -m tests.walkthrough --write    puts them there
"""

import re
import sys
from pathlib import Path

from webapp.tour import STEPS, Step
from webapp.words import Saying

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "walkthrough" / "README.md"
BEGIN = "<!-- The steps: made by `python -m tests.walkthrough --write` from webapp/tour. -->"
END = "<!-- The end of the steps. -->"
_VALUE = re.compile(r"%\((\w+)\)s")


def told(saying: Saying) -> str:
    """A sentence in Markdown: names of the page are strong, what is typed or read is code."""
    if not saying.values:
        return str(saying)
    marked = {
        name: f"**{one}**" if isinstance(one, Saying) else f"`{one}`"
        for name, one in saying.values.items()
    }
    return saying.msgid % marked


def written(step: Step) -> str:
    """One step in Markdown."""
    lines = [f"## {step.number}. {step.title}", ""]
    lines += [
        f"{number}. {told(move.do)}\n   *See:* {told(move.see)}"
        for number, move in enumerate(step.moves, 1)
    ]
    return "\n".join([*lines, "", f"> **Say:** {step.tell}", ""])


def renewed(page: str) -> str:
    """The page with the steps as they are now. Raises ValueError when the marks are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} has lost its marks: {BEGIN} and {END}")
    steps = "\n".join(written(step) for step in STEPS)
    return f"{before}{BEGIN}\n\n{steps}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write the page or compare it; 1 when it differs."""
    page = PAGE.read_text(encoding="utf-8")
    new = renewed(page)
    if "--write" in arguments:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    if new != page:
        print(
            f"{PAGE.relative_to(ROOT)} is not as webapp/tour: python -m tests.walkthrough --write"
        )
    return int(new != page)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`doctor`: the settings held against what is really there, and what to change."""

from collections import Counter
from dataclasses import asdict

import click

from webapp.cli.aws_words import spoken
from webapp.cli.house import House
from webapp.cli.outcome import Outcome, ToldCommand
from webapp.cli.output import as_json, counted, tell
from webapp.cli.table import BAD, DOUBTFUL, GOOD, Cell, table
from webapp.doctor.examination import examined
from webapp.doctor.findings import Finding, Verdict
from webapp.services.patient import patient_of

_SIGNS: dict[Verdict, Cell] = {
    "fine": Cell("ok", GOOD),
    "change": Cell("CHANGE", BAD),
    "unknown": Cell("?", DOUBTFUL),
}


@click.command("doctor", cls=ToldCommand, short_help="Hold the settings against what is there.")
@as_json
@click.pass_obj
def doctor(house: House, as_json: bool) -> None:
    """Hold the settings against the live pools and the API, and say what to change.

    Wants AWS credentials that may describe the user pool and the identity pool; without them only
    what can be seen from outside is looked at.
    """
    with spoken():
        patient = patient_of(house.settings, house.rooms)
    found = list(counted("Looked at", examined(patient)))
    count = Counter(finding.verdict for finding in found)
    content = {"findings": [asdict(finding) for finding in found]}
    tell(as_json, content, lambda: f"{_table(found)}\n\n{_summary(count)}")
    click.get_current_context().exit(Outcome.NO if count["change"] else Outcome.DONE)


def _table(found: list[Finding]) -> str:
    rows = [(_SIGNS[one.verdict], one.about, Cell(one.seen, beneath=one.cure)) for one in found]
    return table(("", "WHAT", "SEEN, AND WHAT TO CHANGE"), rows)


def _summary(count: Counter[Verdict]) -> str:
    unknown = f", {count['unknown']} not to be seen from here" if count["unknown"] else ""
    return f"{count.total()} looked at{unknown}, {count['change']} to change."

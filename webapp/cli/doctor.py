"""`doctor`: the settings held against what is really there, and what to change.

Exit statuses: 0 nothing to change, 1 something to change, 2 not a command.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict

import click

from webapp.doctor.examination import Patient, examined
from webapp.doctor.findings import Finding

_SIGNS = {"fine": "ok", "change": "CHANGE", "unknown": "?"}
_COLOURS = {"fine": "green", "change": "red", "unknown": "yellow"}


def make_command(patient: Callable[[], Patient]) -> click.Command:
    """The command; the patient is brought only when it is called."""

    @click.command("doctor", short_help="Hold the settings against what is really there.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
    def doctor(as_json: bool) -> None:
        """Hold the settings against the live pools and the API, and say what to change.

        Wants AWS credentials that may describe the user pool and the identity pool; without them
        only what can be seen from outside is looked at.
        """
        found = []
        for finding in examined(patient()):
            found.append(finding)
            if not as_json:
                click.echo(_line(finding))
        if as_json:
            click.echo(json.dumps({"findings": [asdict(finding) for finding in found]}))
        to_change = sum(finding.verdict == "change" for finding in found)
        if not as_json:
            click.echo(f"\n{len(found)} looked at, {to_change} to change.")
        sys.exit(1 if to_change else 0)

    return doctor


def _line(finding: Finding) -> str:
    # Without colour where nobody sees it, and by NO_COLOR: click does both.
    sign = click.style(f"{_SIGNS[finding.verdict]:<7}", fg=_COLOURS[finding.verdict])
    lines = [f"{sign} {finding.about:<32} {finding.seen}"]
    if finding.cure:
        lines.append(f"{'':<8}{'':<33}{finding.cure}")
    return "\n".join(lines)

"""`users import`: people from a CSV file. Everything is looked at before anything is done."""

from collections import Counter
from pathlib import Path

import click

from webapp.cli.csv_people import Line, read_people
from webapp.cli.directory import Directory, directory_of
from webapp.cli.house import House
from webapp.cli.import_plan import Plan, Step, planned
from webapp.cli.outcome import AnsweredNo, Outcome, ToldCommand
from webapp.cli.output import as_json, ask, counted, note, tell, without_asking
from webapp.cli.passwords import password_given, password_options
from webapp.cli.pool_rules import Problem, rules_of
from webapp.cli.table import BAD, DOUBTFUL, GOOD, Cell, table
from webapp.errors import BadInput, OperatorFault, Unavailable

_COLOURS = {"create": GOOD, "update": DOUBTFUL, "skip": None, "failed": BAD}


@click.command("import", cls=ToldCommand, short_help="Make people from a CSV file.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--existing",
    type=click.Choice(["skip", "update"]),
    default="skip",
    show_default=True,
    help="What to do with people who are there already.",
)
@click.option("--invite", is_flag=True, help="Let Cognito mail each new person an invitation.")
@password_options
@without_asking
@as_json
@click.pass_obj
def import_users(
    house: House,
    file: Path,
    dry_run: bool,
    existing: str,
    invite: bool,
    password_stdin: bool,
    password_file: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Make people from FILE, a CSV file in UTF-8 whose first line names the columns.

    `email` is needed. `groups` holds names with semicolons between them, `temporary_password` a
    first password; every other column is an attribute, such as name or custom:department.

    Nothing is done while a line is wrong. A run that was broken off is taken up again by the same
    command: with --existing update what was half done is finished too.
    """
    password = password_given(password_stdin, password_file)
    directory = directory_of(house)
    lines = read_people(file)
    rules = rules_of(directory.described(), directory.group_names())
    _refuse(rules.problems_of(lines, password))
    plan = planned(counted("Looking", lines), directory, existing, invite=invite, password=password)
    _refuse(plan.problems())
    if dry_run:
        _tell(plan.steps, as_json, dry=True)
        return
    _confirm(plan, yes)
    done = _carried_out(plan, directory)
    _tell(done, as_json, dry=False)
    bad = any(step.action == "failed" for step in done)
    click.get_current_context().exit(Outcome.NO if bad else Outcome.DONE)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        told = "\n".join(f"  line {number}: {what}" for number, what in problems)
        raise BadInput(f"Nothing was done; the file needs attention:\n{told}")


def _confirm(plan: Plan, yes: bool) -> None:
    count = Counter(step.action for step in plan.steps)
    if count["update"]:
        ask(f"Change {count['update']} who are there, and make {count['create']} new?", yes)
    elif not count["create"]:
        note("Everybody is there already.")


def _carried_out(plan: Plan, directory: Directory) -> list[Step]:
    done: list[Step] = []
    for step in counted("Importing", plan.steps):
        try:
            done.append(plan.carry_out(step, directory))
        except (AnsweredNo, OperatorFault) as error:
            done.append(step.failed(error.sentence))
            if error.code in ("aws_credentials", "aws_not_allowed"):
                raise OperatorFault(_stopped(error.sentence, step.line), code=error.code) from error
        except Unavailable as error:
            error.sentence = _stopped(error.sentence, step.line)
            raise
        except KeyboardInterrupt:
            note(_stopped("", step.line).strip())
            raise
    return done


def _stopped(why: str, line: Line) -> str:
    return (
        f"{why}\nThe import stopped at line {line.number}; those before it are done. Run it again"
        " to go on, with --existing update to finish a person who was half made."
    )


def _tell(steps: list[Step], as_json: bool, *, dry: bool) -> None:
    count = Counter[str](step.action for step in steps)
    content = {
        "dry_run": dry,
        "steps": [step.plainly() for step in steps],
        "summary": {name: count[name] for name in _COLOURS},
    }
    tell(as_json, content, lambda: f"{_table(steps)}\n\n{_summary(count, dry)}")


def _table(steps: list[Step]) -> str:
    rows = [
        (step.line.number, step.line.email, Cell(step.action, _COLOURS[step.action]), step.what)
        for step in steps
    ]
    return table(("LINE", "EMAIL", "ACTION", "WHAT"), rows)


def _summary(count: Counter[str], dry: bool) -> str:
    words = (
        f"{count['create']} made, {count['update']} changed, {count['skip']} left as they are,"
        f" {count['failed']} failed."
    )
    return f"Nothing was done. It would be: {words}" if dry else words

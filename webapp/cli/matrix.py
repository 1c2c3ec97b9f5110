"""`matrix`: every endpoint as everybody, expected beside got; its exit status gates a pipeline."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Unpack

import click

from webapp.api.matrix import Cell as Call
from webapp.api.matrix import Matrix, counts, matrix_json
from webapp.cli.house import House
from webapp.cli.outcome import Outcome, ToldCommand
from webapp.cli.output import as_json, progress, tell
from webapp.cli.plain import plain
from webapp.cli.sign_in import Way, sign_in_options, signed_in, wants_somebody
from webapp.cli.table import BAD, DOUBTFUL, GOOD, Cell, Value, table
from webapp.cli.workshop import workshop
from webapp.errors import BadInput
from webapp.records import ApiAnswer
from webapp.services import Services
from webapp.signin.calling import Calling
from webapp.signin.matrix import AccessMatrix

_MARKS = {
    "as expected": ("{got}", GOOD),
    "different": ("{got}, not {expected}", BAD),
    "nothing expected": ("{got} ?", DOUBTFUL),
    "no answer": ("no answer", BAD),
    "not called": ("-", None),
}


@click.command("matrix", cls=ToldCommand, short_help="Call everything as everybody.")
@sign_in_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the JSON to this file as well.",
)
@as_json
@click.pass_obj
def matrix(house: House, out: Path | None, as_json: bool, **way: Unpack[Way]) -> None:
    """Call every endpoint as nobody and guest, and hold what came against what should.

    With --user or --code also as that person, with each of their roles, and with both tokens as
    bearer. Nothing is changed by it. Exit status 0: all as expected; 1: something differs; 3: no
    difference, but something gave no answer.
    """
    if out and not out.parent.is_dir():
        raise BadInput(f"There is no folder {out.parent} for --out.")
    with workshop(house) as rooms, ExitStack() as until_called:
        session = None
        if wants_somebody(way):
            found = until_called.enter_context(signed_in(house, rooms, **way))
            session = rooms.vault.create(found.record(house.now()))
        elif way["srp"] or way["password_stdin"] or way["password_file"]:
            raise BadInput("Say who signs in: --user USER, or --code.")
        demo = house.settings.offline
        planned = len(list(rooms.access.planned(session.record if session else None)))
        with progress("Called", planned) as called:
            calling = _Counted(rooms, demo=demo, called=called)
            _, run = AccessMatrix(calling, demo=demo).run(session, lambda _: None)
    content = matrix_json(run)
    if out:
        _write(out, content)
    tell(as_json, content, lambda: _text(run))
    click.get_current_context().exit(outcome_of(run))


class _Counted(Calling):
    """Calls as the matrix does, and says so after each call."""

    def __init__(self, rooms: Services, *, demo: bool, called: Callable[[], None]) -> None:
        super().__init__(rooms.wallet, rooms.api, demo=demo)
        self._called = called
        self._one_at_a_time = threading.Lock()

    def send(self, *arguments: Any, **named: Any) -> ApiAnswer:
        """One call, counted whatever comes of it."""
        try:
            return super().send(*arguments, **named)
        finally:
            with self._one_at_a_time:
                self._called()


def outcome_of(run: Matrix) -> Outcome:
    """The exit status: a difference weighs more than silence."""
    if any(call.verdict == "different" for call in run):
        return Outcome.NO
    return Outcome.OUT_OF_REACH if run.wrong else Outcome.DONE


def _text(run: Matrix) -> str:
    heads = ("ENDPOINT", *(str(caller) for caller in run.callers))
    rows: list[tuple[Value, ...]] = [
        (line[0].row.name, *(_cell(call) for call in line)) for line in run.lines
    ]
    count = counts(run)
    unknown = f", {count['unknown']} of which nothing is expected" if count["unknown"] else ""
    summary = (
        f"{count['all']} calls in {run.seconds or 0:.1f} s: {count['as_expected']} as expected,"
        f" {count['wrong']} not{unknown}."
    )
    return "\n".join([table(heads, rows), "", *_differences(run), *_silences(run), summary])


def _differences(run: Matrix) -> list[str]:
    return [
        f"{call.row.name} as {call.caller}: expected {call.expected}, got {call.status}"
        f"{f', under {call.role_arn}' if call.role_arn else ''}"
        f" (request {plain(call.request_id or '-')})."
        for call in run
        if call.verdict == "different"
    ]


def _silences(run: Matrix) -> list[str]:
    why = Counter(plain(call.trouble.sentence) for call in run if call.trouble is not None)
    return [f"{count} without an answer: {sentence}" for sentence, count in why.items()]


def _cell(call: Call) -> Cell:
    words, colour = _MARKS[call.verdict]
    return Cell(words.format(got=call.status, expected=call.expected), colour)


def _write(file: Path, content: dict[str, object]) -> None:
    try:
        file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}.") from None

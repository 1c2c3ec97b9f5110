"""How a command ends: one exit status for each kind of end, the same for every command.

    0   done, and all is as it should be
    1   done, and the answer is no: not there, there already, something differs, nothing was done
    2   not a command, or nobody is there to ask
    3   out of reach: a store, a pool, AWS, the API; trying again later may help
    4   the settings need attention
    5   refused by AWS or the user pool, for the reason that is told
    70  a fault of Portico's own
    130 interrupted

No traceback and no library's own words reach a person: what fails is one sentence with the cure,
and with `--json` one line of JSON, both on standard error.
"""

import errno
import json
import sys
from enum import IntEnum
from pathlib import Path
from traceback import extract_tb
from typing import Any, NoReturn

import click

from webapp.cli.plain import plain
from webapp.errors import BadInput, NotOffered, PorticoError, SettingsProblems, Unavailable


class Outcome(IntEnum):
    """The exit statuses."""

    DONE = 0
    NO = 1
    USAGE = 2
    OUT_OF_REACH = 3
    SETTINGS = 4
    REFUSED = 5
    FAULT = 70
    INTERRUPTED = 130


class AnsweredNo(PorticoError):
    """What was named is not there, or is there already; `code` says which."""

    code = "no"


class NothingDone(PorticoError):
    """The person was asked, and said no."""

    code = "nothing_done"


def outcome_of(error: PorticoError) -> Outcome:
    """The exit status for one of our errors; what no row names was refused."""
    for kinds, outcome in (
        ((AnsweredNo, NothingDone), Outcome.NO),
        ((BadInput, NotOffered), Outcome.USAGE),
        ((Unavailable,), Outcome.OUT_OF_REACH),
        ((SettingsProblems,), Outcome.SETTINGS),
    ):
        if isinstance(error, kinds):
            return outcome
    return Outcome.REFUSED


class ToldCommand(click.Command):
    """A command whose failures are told as this module says."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever it raises becomes a sentence and an exit status."""
        try:
            return super().invoke(ctx)
        except PorticoError as error:
            _tell(ctx, error.code, error.sentence, outcome_of(error))
        except (KeyboardInterrupt, click.Abort):
            _tell(ctx, "interrupted", "Interrupted.", Outcome.INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except OSError as error:
            if error.errno == errno.EPIPE:  # nobody reads on, as with `| head`: click knows that
                raise
            _tell(ctx, "fault", _fault(error), Outcome.FAULT)
        except Exception as error:
            _tell(ctx, "fault", _fault(error), Outcome.FAULT)


class ToldGroup(click.Group):
    """A group of such commands."""

    command_class = ToldCommand
    group_class = type


def _tell(ctx: click.Context, code: str, sentence: str, outcome: Outcome) -> NoReturn:
    if ctx.params.get("as_json"):
        told = {"error": {"code": code, "sentence": sentence}}
        click.echo(json.dumps(told), err=True)
    else:
        if outcome is Outcome.INTERRUPTED and sys.stderr.isatty():
            click.echo(err=True)  # the terminal has just shown ^C
        click.echo("\n".join(plain(line) for line in sentence.split("\n")), err=True)
    ctx.exit(outcome)


def _fault(error: Exception) -> str:
    # The type and the place; the text may quote what was typed.
    frames = extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    return (
        f"This is a fault of Portico's own ({type(error).__name__} at {place}), and nothing that"
        " you did; please report it with these words."
    )

"""Where a password comes from: asked for, standard input, a file, or the environment.

Never an argument: everybody on the machine can read those in the list of processes, and the shell
keeps them in its history.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from webapp.errors import BadInput

VARIABLE = "PORTICO_PASSWORD"
LONGEST = 256
"""Cognito takes no longer one."""

F = TypeVar("F", bound=Callable[..., Any])


def password_options(command: F) -> F:
    """The options of a command that takes a password."""
    for option in (
        click.option(
            "--password-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Read the password from the first line of a file.",
        ),
        click.option(
            "--password-stdin",
            is_flag=True,
            help=f"Read the password from standard input. Without either: {VARIABLE}, or a prompt.",
        ),
    ):
        command = option(command)
    return command


def password_from(
    stdin: bool, file: Path | None, *, twice: bool = False, about: str = "Password"
) -> str:
    """The password. Raises BadInput for an empty one, UsageError where nobody can be asked."""
    found = password_given(stdin, file)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"No password was given: use --password-stdin, --password-file or {VARIABLE}."
        )
    return _sound(str(click.prompt(about, hide_input=True, confirmation_prompt=twice, err=True)))


def password_given(stdin: bool, file: Path | None) -> str | None:
    """The password where one was given, without asking. Raises BadInput."""
    if stdin and file:
        raise BadInput("--password-stdin and --password-file are two; keep one of them.")
    if stdin:
        return _sound(sys.stdin.readline())
    if file:
        return _sound(_first_line(file))
    if value := os.environ.get(VARIABLE):
        return _sound(value)
    return None


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as lines:
            return lines.readline()
    except (OSError, UnicodeDecodeError):
        raise BadInput("The password's file cannot be read as text; check it.") from None


def _sound(line: str) -> str:
    password = line.rstrip("\r\n")
    if not password:
        raise BadInput("The password is empty; give one.")
    if len(password) > LONGEST:
        raise BadInput(f"The password is longer than Cognito takes ({LONGEST} characters).")
    return password

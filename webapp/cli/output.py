"""What commands say: a table or sentences for people, one line of JSON for programs.

Results go to standard output. Questions, progress and what is only said on the way go to standard
error, so that a pipe carries nothing else than the result.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import click

from webapp.cli.outcome import NothingDone
from webapp.cli.plain import one_line, plain

as_json = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
without_asking = click.option("--yes", is_flag=True, help="Do not ask.")

T = TypeVar("T")
PROGRESS_SECONDS = 0.1


def tell(as_json: bool, content: Mapping[str, object], text: Callable[[], str] | str) -> None:
    """Print the result: `content` for programs, or `text` for people."""
    if as_json:
        click.echo(one_line(content))
    else:
        click.echo(text if isinstance(text, str) else text())


def note(sentence: str, *, quiet: bool = False) -> None:
    """Say something beside the result, to a person; a program that reads JSON has it there."""
    if not quiet:
        click.echo(plain(sentence), err=True)


def ask(question: str, yes: bool) -> None:
    """Ask before something is lost. Raises NothingDone for a no, UsageError where nobody is."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{plain(question)} Nobody is here to answer; say --yes.")
    if not click.confirm(plain(question), err=True):
        raise NothingDone("Nothing was changed.")


def moment(epoch: float) -> str:
    """A time as people here read it: UTC, to the second."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def span(seconds: float) -> str:
    """A length of time in its two largest units."""
    left = max(0, int(seconds))
    parts = []
    for name, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


@contextmanager
def progress(doing: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Show how far it is, to a person at a terminal only; what is given is called at each step."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    done, shown = 0, 0.0

    def step() -> None:
        nonlocal done, shown
        done += 1
        if time.monotonic() - shown >= PROGRESS_SECONDS:
            shown = time.monotonic()
            _write(f"{doing} {done}{f' of {total}' if total else ''}")

    try:
        yield step
    finally:
        _write("")


def counted(doing: str, things: Iterable[T], total: int | None = None) -> Iterator[T]:
    """Hand on the things and show how far it is, as `progress` does."""
    if total is None and isinstance(things, Sized):
        total = len(things)
    with progress(doing, total) as step:
        for thing in things:
            step()
            yield thing


def _write(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()

"""`python -m webapp.cli`: the same commands as `flask --app wsgi`, without its application."""

from pathlib import Path

import click
from click.core import ParameterSource

from webapp.cli.commands import Commands
from webapp.cli.completion import VARIABLE
from webapp.cli.house import House

PROGRAM = "python -m webapp.cli"


def _choose(ctx: click.Context, _: click.Parameter, value: Path) -> Path:
    named = ctx.get_parameter_source("env_file") is not ParameterSource.DEFAULT
    if named and not value.is_file():
        raise click.BadParameter(f"there is no file {value}.")
    command = ctx.command
    if isinstance(command, Commands):
        command.house = House.of_environment(value)
    return value


def main() -> None:
    """Run the command that the words of this process name."""
    env_file = click.Option(
        ["-e", "--env-file"],
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path(".env"),
        show_default=True,
        is_eager=True,
        expose_value=False,
        callback=_choose,
        help="Settings that the environment does not give.",
    )
    commands = Commands(
        House.of_environment(Path(".env")),
        name="portico",
        params=[env_file],
        help="Portico's commands, for operators. Settings are those of the application.",
        epilog="Exit statuses and examples: docs/reference/commands.md",
    )
    commands.main(prog_name=PROGRAM, complete_var=VARIABLE)


if __name__ == "__main__":
    main()

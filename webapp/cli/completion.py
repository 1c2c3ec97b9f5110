"""What a shell offers after TAB, and the script that teaches a shell to ask.

Names that AWS knows are asked for with the operator's credentials; where they cannot be had,
nothing is offered and nothing is said.
"""

import re
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from webapp.api.catalogue import ENDPOINTS
from webapp.cli.directory import Directory, directory_of
from webapp.cli.house import House
from webapp.cli.outcome import ToldCommand
from webapp.errors import PorticoError

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_PORTICO_COMPLETE"
"""By which a shell asks the commands what may come next."""
_WORD = re.compile(r"[\w@%+=:,./-]*")
_ROOT = Path(__file__).resolve().parents[2]


def known_to(ctx: click.Context, ask: Callable[[Directory], list[str]]) -> list[str]:
    """What the user pool's directory answers, or nothing where it cannot be asked."""
    if isinstance(ctx.obj, House):
        with suppress(PorticoError):
            return ask(directory_of(ctx.obj))
    return []


def fitting(names: list[str], incomplete: str) -> list[CompletionItem[str]]:
    """Those names that begin so; none that a shell would read as more than a word.

    The scripts put names on the command line as they are: one such as `$(id)` would be run.
    """
    words = (name for name in names if _WORD.fullmatch(name))
    return [CompletionItem(name) for name in words if name.startswith(incomplete)]


def complete_groups(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """The groups of the user pool."""
    return fitting(known_to(ctx, lambda one: one.group_names()), incomplete)


def complete_endpoints(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """The endpoints of the catalogue, each with its method and path."""
    return [
        CompletionItem(one.name, help=f"{one.method} {one.path}")
        for one in ENDPOINTS
        if one.name.startswith(incomplete)
    ]


def complete_parameters(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """The parameters of the endpoint that was named before."""
    # While an option waits for its value, click has not yet put arguments in their places.
    named = {ctx.params.get("endpoint"), *ctx.args}
    known = next((one.parameters for one in ENDPOINTS if one.name in named), ())
    return fitting([f"{one.name}={one.default}" for one in known], incomplete)


@click.command("completion", cls=ToldCommand, short_help="Teach a shell the commands.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--as", "name", default="portico", show_default=True, help="The function's name.")
def completion(shell: str, name: str) -> None:
    """Print a function for SHELL that runs these commands, and completes them after TAB.

    \b
    bash, zsh:  eval "$(python -m webapp.cli completion bash)"
    fish:       python -m webapp.cli completion fish | source
    """
    if not name.isidentifier():
        raise click.BadParameter("letters, digits and _ only.", param_hint="--as")
    click.echo(script(shell, name))


def script(shell: str, name: str) -> str:
    """The function `name` and its completion, for this Python and this checkout."""
    kind = get_completion_class(shell)
    if kind is None:
        raise AssertionError("only shells that click knows are offered")
    source = kind(click.Group(name), {}, name, VARIABLE).source()
    python, root = shlex.quote(sys.executable), shlex.quote(str(_ROOT))
    run = f"PYTHONPATH={root} {python} -m webapp.cli"
    if shell == "fish":
        function = f"function {name}\n    env {run} $argv\nend"
    else:
        function = f'{name}() {{ {run} "$@"; }}'
    # click's scripts ask the program by the word that was typed; ours is a function, which `env`
    # does not know.
    asked, asking = {
        "bash": (f"{VARIABLE}=bash_complete $1)", f"{VARIABLE}=bash_complete {run})"),
        "zsh": (f"{VARIABLE}=zsh_complete {name})", f"{VARIABLE}=zsh_complete {run})"),
        "fish": (f"(commandline -t) {name});", f"(commandline -t) {run});"),
    }[shell]
    source = source.replace(asked, asking)
    return f"{function}\n{source.replace('$+commands[', '$+functions[')}"

"""What a server loads of the commands: their names, and nothing behind them."""

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from webapp.cli.commands import COMMANDS, Commands
from webapp.cli.house import House
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LISTING = (
    "import sys, webapp.app; print(*(one for one in sys.modules if one.split('.')[0] in"
    " ('webapp', 'pycognito', 'http', 'webbrowser', 'csv')))"
)


def test_a_server_loads_no_command() -> None:
    """The application brings the names of the commands and their settings, and no command."""
    done = subprocess.run(
        [sys.executable, "-c", LISTING], capture_output=True, text=True, cwd=ROOT, check=True
    )
    loaded = {name for name in done.stdout.split() if name.split(".")[:2] == ["webapp", "cli"]}
    assert loaded == {"webapp.cli", "webapp.cli.commands", "webapp.cli.house"}
    assert "pycognito" not in done.stdout.split()


def test_every_command_is_where_it_is_said_to_be() -> None:
    """Each name leads to a command of that name, with help for it and each of its own."""
    commands = Commands(House(lambda: Settings.load({})), name="portico")
    for name in COMMANDS:
        done = CliRunner().invoke(commands, [name, "--help"])
        assert done.exit_code == 0, name
        assert f"portico {name} " in done.stdout

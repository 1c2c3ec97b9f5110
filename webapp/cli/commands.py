"""All commands by name. A command's module is loaded when somebody asks for it, never by a server.

`flask --app wsgi` and `python -m webapp.cli` have the same ones.
"""

import copy
import importlib
from typing import Any

import click
from flask.cli import AppGroup

from webapp.cli.house import House

COMMANDS = {
    "call": "call:call",
    "completion": "completion:completion",
    "doctor": "doctor:doctor",
    "matrix": "matrix:matrix",
    "sessions": "sessions:sessions",
    "settings": "settings:settings_group",
    "token": "token:token",
    "users": "users:users",
}
"""Where each is: module of this folder, and name in it."""


class Commands(AppGroup):
    """The commands over one house; `others` are further options of click's groups."""

    def __init__(self, house: House, **others: Any) -> None:
        super().__init__(**others)
        self.house = house

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, with the house as its object."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(f"webapp.cli.{module}"), attribute)
        # A copy: two applications in one process each have a house.
        command = copy.copy(found)
        command.context_settings = {**found.context_settings, "obj": self.house}
        return command

"""`settings`: check them, and write a `.env` from what Terraform made."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from webapp.cli.house import House
from webapp.cli.outcome import ToldCommand, ToldGroup
from webapp.cli.output import as_json, tell
from webapp.settings import Settings

_OUTPUTS = ("settings", "secret_settings")
_HOW = "Make it with: terraform -chdir=infra/terraform output -json > outputs.json"


@click.group("settings", cls=ToldGroup)
def settings_group() -> None:
    """The application's settings: check, from-terraform."""


@settings_group.command("check", cls=ToldCommand, short_help="Read the settings as a start would.")
@as_json
@click.pass_obj
def check(house: House, as_json: bool) -> None:
    """Read environment and `.env` as a start would, and say every problem at once."""
    settings = house.settings
    content = {"sound": True, "offline": settings.offline, "issuer": settings.issuer}
    told = "The settings are sound. `doctor` holds them against what is really there."
    tell(as_json, content, told)


@settings_group.command(
    "from-terraform", cls=ToldCommand, short_help="Write a .env from Terraform's outputs."
)
@click.argument("outputs", type=click.File("r"))
@click.option("--to", default=".env", show_default=True, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--store", is_flag=True, help="Keep sessions in the DynamoDB table of the stack.")
@as_json
def from_terraform(outputs: Any, to: Path, force: bool, store: bool, as_json: bool) -> None:
    """Write a .env from OUTPUTS, a file (or - for standard input) of `terraform output -json`.

    It makes a SECRET_KEY of its own, and is for its owner's eyes alone (mode 0600).
    """
    try:
        values = read_outputs(json.load(outputs), with_store=store)
    except (ValueError, TypeError, KeyError) as error:
        raise click.UsageError(f"This is not what Terraform puts out: {error}. {_HOW}") from None
    values["SECRET_KEY"] = secrets.token_hex(32)
    Settings.load(values)
    _write(to, values, force=force)
    content = {"file": str(to), "settings": sorted(values)}
    tell(as_json, content, f"Wrote {len(values)} settings to {to}, for your eyes alone.")


def read_outputs(outputs: Mapping[str, Any], *, with_store: bool) -> dict[str, str]:
    """The settings in Terraform's outputs. Raises KeyError or TypeError for another document."""
    values: dict[str, str] = {}
    for name in _OUTPUTS:
        if name not in outputs:
            raise KeyError(f"no output {name}")
        values |= {key: str(value) for key, value in outputs[name]["value"].items()}
    if with_store:
        values["SESSION_STORE_URL"] = str(outputs["session_store_url"]["value"])
    return values


def _quoted(value: str) -> str:
    # As python-dotenv reads it: in single quotes, where nothing is expanded.
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _write(path: Path, values: Mapping[str, str], *, force: bool) -> None:
    text = "".join(f"{name}={_quoted(value)}\n" for name, value in sorted(values.items()))
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise click.UsageError(f"{path} is there already; say --force to write over it.") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)

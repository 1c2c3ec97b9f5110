"""What the launcher prints: text for people, `export` lines or JSON for programs.

Pure: functions of values that return text. Colour is decided once, by `Style.of`.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from infra.demo_facts import Demo, DemoUser

MAIL_PATH = "/mailbox"


@dataclass(frozen=True)
class Style:
    """How to set words off; without colour all of them stay plain."""

    colour: bool

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str]) -> "Style":
        """Colour for a terminal only, and never against NO_COLOR (no-color.org) or TERM=dumb."""
        wanted = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        return cls(colour=wanted and stream.isatty())

    def strong(self, text: str) -> str:
        """Set a heading off."""
        return self._paint("1", text)

    def faint(self, text: str) -> str:
        """Step back."""
        return self._paint("2", text)

    def link(self, text: str) -> str:
        """Set an address off."""
        return self._paint("36", text)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


@dataclass(frozen=True)
class Addresses:
    """Where everything answers; `application` is None when only the offline AWS runs."""

    offline_aws: str
    application: str | None
    settings_file: str | None = None
    """The application's settings, for its commands."""

    @property
    def mailbox(self) -> str:
        """Where the mails that Cognito would send can be read."""
        return self.offline_aws + MAIL_PATH


def exports(environment: Mapping[str, str]) -> str:
    """Return the application's settings as lines for a POSIX shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())


def as_json(addresses: Addresses, environment: Mapping[str, str], demo: Demo) -> str:
    """Return everything on one line of JSON."""
    users = [
        {"email": user.email, "password": _password(user, demo), "groups": list(user.groups)}
        for user in demo.users
    ]
    found = {
        "endpoint": addresses.offline_aws,
        "application": addresses.application,
        "mailbox": addresses.mailbox,
        "environment": dict(environment),
        "users": users,
    }
    return json.dumps(found) + "\n"


def welcome(addresses: Addresses, demo: Demo, style: Style) -> str:
    """Return the page that a person sees when everything runs."""
    rows = []
    if addresses.application:
        rows.append(("Application", addresses.application))
    rows += [("Offline AWS", addresses.offline_aws), ("Mailbox", addresses.mailbox)]
    title = "Portico is ready" if addresses.application else "The offline AWS is ready"
    lines = ["", f"  {style.strong(title)}", ""]
    lines += [f"  {name:<13}{style.link(address)}" for name, address in rows]
    lines += ["", *_people(demo, style), ""]
    if addresses.settings_file:
        command = f".venv/bin/python -m webapp.cli -e {shlex.quote(addresses.settings_file)}"
        lines += ["  For operators, in another terminal:", f"  {command} --help", ""]
    lines += [f"  {style.faint('Ctrl-C stops everything.')}", ""]
    return "\n".join(lines) + "\n"


def _people(demo: Demo, style: Style) -> list[str]:
    heads = ("Sign in as", "Password", "Groups", "What to see")
    rows = [
        (user.email, _password(user, demo), ", ".join(user.groups) or "none", user.note)
        for user in demo.users
    ]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(3)]
    lines = [f"  {style.strong(_columns(heads, widths))}"]
    return lines + [f"  {_columns(row, widths)}" for row in rows]


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join([*padded, *cells[len(widths) :]])


def _password(user: DemoUser, demo: Demo) -> str:
    return demo.temporary_password if user.must_change_password else demo.password

"""What commands are handed: the settings and the rooms, each made when it is first asked for.

So `users list` needs neither a session store nor SECRET_KEY's hosts, and help needs no settings.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from webapp.observe import configure
from webapp.services import Services, build
from webapp.settings import Settings


class House:
    """The application as its commands see it. `now` gives epoch seconds."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        rooms: Callable[[Settings], Services] = build,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._load = settings
        self._build = rooms
        self.now = now

    @classmethod
    def of_environment(cls, dotenv: Path) -> "House":
        """The house of this process's environment, beneath it of a `.env` file."""

        def load() -> Settings:
            settings = Settings.load(os.environ, dotenv)
            # A person at a terminal is told what happens; events are for a log that is collected.
            level, form = settings.log_level, settings.log_format
            configure(*(("CRITICAL", "console") if sys.stderr.isatty() else (level, form)))
            return settings

        return cls(load)

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises SettingsProblems."""
        return self._load()

    @cached_property
    def rooms(self) -> Services:
        """Every room, joined. Raises StoreUnavailable, SettingsProblems."""
        return self._build(self.settings)

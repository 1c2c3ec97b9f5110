"""The application's settings."""

from webapp.settings.model import Settings
from webapp.settings.shown import shown
from webapp.settings.table import KNOWN

__all__ = ["KNOWN", "Settings", "shown"]

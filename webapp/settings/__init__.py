"""The application's settings."""

from webapp.settings.model import KNOWN, Settings

__all__ = ["KNOWN", "Settings"]

"""The composition root: builds every room from the settings."""

from webapp.services.build import Services, build
from webapp.services.stores import open_store

__all__ = ["Services", "build", "open_store"]

"""Flask as the application begins with it: without what nobody asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from webapp.views.templates import Templates

LARGEST_BODY = 64 * 1024


class _Plain(Flask):
    """Flask without a question that it asks of every function at every request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: none of ours is a coroutine."""
        return func


def bare(root: Path) -> Flask:
    """Flask, with nothing of its own that nobody asked for."""
    app = _Plain("webapp", root_path=str(root), template_folder="templates", static_folder=None)
    app.debug = False  # whatever FLASK_DEBUG says: errors are pages of ours, always
    app.jinja_environment = Templates
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_options = {"auto_reload": False, "trim_blocks": True, "lstrip_blocks": True}
    # OPTIONS is a method like any other: nobody offers it, and no other site may ask.
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # No redirect of the framework's own: each is one that nobody checked. (No rule ends in a slash,
    # which would be the third kind.)
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    return app

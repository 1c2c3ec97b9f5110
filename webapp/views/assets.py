"""GET /static/NAME: files that a browser may keep for a year."""

from flask import Blueprint

from webapp.views.page import Assets


def make_blueprint(assets: Assets) -> Blueprint:
    """The blueprint of the static files."""
    blueprint = Blueprint("assets", __name__)
    blueprint.get("/static/<name>")(assets.asset)
    return blueprint

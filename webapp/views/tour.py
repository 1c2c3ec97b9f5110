"""GET /tour: the nine steps on one page, to print; and what the panel of every page takes."""

import re
from collections.abc import Callable

from flask import Blueprint

from webapp.tour import STEPS, after, steps_at
from webapp.views.page import Pages

_VALUE = re.compile(r"%\((\w+)\)s")


def make_blueprint(pages: Pages) -> Blueprint:
    """The printed tour's blueprint."""
    blueprint = Blueprint("tour", __name__)

    @blueprint.get("/tour")
    def tour() -> str:
        return pages.render("pages/tour.html", steps=STEPS)

    return blueprint


def cut(sentence: str) -> list[tuple[str, str]]:
    """A sentence in pairs: words, and the name of the value behind them, empty at the end."""
    pieces = _VALUE.split(sentence)
    return list(zip(pieces[::2], [*pieces[1::2], ""], strict=True))


FILTERS: dict[str, Callable[..., object]] = {
    "tour_cut": cut,
    "tour_steps": steps_at,
    "tour_after": after,
}

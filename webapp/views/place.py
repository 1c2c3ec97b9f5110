"""Where in the application a page stands, and how the frame's forms come back to it."""

from flask import request

from webapp.addresses import local_path

# The pages that the frame and the tour know by their addresses.
PLACES = frozenset({
    "/", "/access", "/api", "/credentials", "/how-it-works", "/session", "/sessions",
    "/sign-in-options",
})  # fmt: skip

_QUESTIONS = frozenset({"/api/compare", "/sign-in-options"})
"""Pages that show something else with another query. None of the others' goes into a page: a
callback's holds a code."""


def place_of(path: str) -> str:
    """Which of the frame's main ways an address belongs to; empty for none of them."""
    if path in PLACES:
        return path
    return "/api" if path.startswith("/api/") else ""


def way_back(here: str) -> str:
    """The page to come back to from a form of the frame; never an address that nobody made."""
    asked = request.method in ("GET", "HEAD") and request.url_rule is not None
    if asked and request.query_string and request.path in _QUESTIONS:
        whole = local_path(request.full_path)
        return whole if whole != "/" else request.path
    if request.path == here:
        return here
    return local_path(request.path) if asked else here or "/"

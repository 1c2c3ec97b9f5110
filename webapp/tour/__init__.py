"""The guided tour as data: panel, printed page, walkthrough and browser test are made of it."""

from webapp.tour.moves import Act, Kind, Move, Step
from webapp.tour.steps import STEPS, after, steps_at

__all__ = ["STEPS", "Act", "Kind", "Move", "Step", "after", "steps_at"]

"""The nine steps, in three parts: at the door, inside, and on to the way out."""

from functools import cache

from webapp.tour.inside import INSIDE
from webapp.tour.moves import Step
from webapp.tour.onward import ONWARD
from webapp.tour.outside import OUTSIDE

STEPS: tuple[Step, ...] = OUTSIDE + INSIDE + ONWARD


@cache
def steps_at(here: str, signed_in: bool) -> tuple[Step, ...]:
    """The steps that lead over one of the main places, for somebody signed in or not."""
    return tuple(step for step in STEPS if (here, signed_in) in step.pages)


def after(step: Step) -> Step | None:
    """The next step, None after the last."""
    return STEPS[step.number] if step.number < len(STEPS) else None

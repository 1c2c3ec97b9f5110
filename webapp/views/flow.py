"""GET /how-it-works: the steps of this very session, or of an example, as a drawing and a table."""

from collections.abc import Callable

from flask import Blueprint, Response

from webapp.flow import MOST
from webapp.guard import Guard
from webapp.sessions import Sessions
from webapp.signin.claims import held_claims, held_key_ids
from webapp.signin.doorway import Known
from webapp.views.claims import Check
from webapp.views.example import example
from webapp.views.journal import Holding, is_signed, journal, passed_checks
from webapp.views.page import Pages, json_answer, wants_json
from webapp.views.sequence import drawn
from webapp.views.steps import Fact, Step


def make_blueprint(
    pages: Pages, guard: Guard, sessions: Sessions, known: Callable[[], Known]
) -> Blueprint:
    """The blueprint of the way's page; `known` tells how this application is registered."""
    blueprint = Blueprint("flow", __name__)

    @blueprint.get("/how-it-works")
    def how_it_works() -> Response | str:
        found = guard.signed_in()
        holding = example()
        if found is not None:
            record = found[0].record
            holding = Holding(
                record,
                *held_claims(record),
                held_key_ids(record),
                known(),
                next(filter(is_signed, sessions.calls()), None),
            )
        steps, checks = journal(holding), passed_checks(holding)
        if wants_json():
            return json_answer(
                {
                    "example": found is None,
                    "steps": [_step(one) for one in steps],
                    "checks": [_check(one) for one in checks],
                }
            )
        return pages.render(
            "pages/how_it_works.html",
            is_example=found is None,
            steps=steps,
            drawing=drawn(steps),
            checks=checks,
            full=len(holding.record.flow) >= MOST,
        )

    return blueprint


def _step(step: Step) -> dict[str, object]:
    return {
        "name": step.name,
        "title": step.title,
        "from": step.between[0],
        "to": step.between[1],
        "message": step.message,
        "state": step.state,
        "at": None if step.at is None else round(step.at, 3),
        "milliseconds": None if step.milliseconds is None else round(step.milliseconds, 1),
        "facts": [_fact(one) for one in step.facts],
        "read": [{"name": one.name, "url": one.url} for one in step.read],
    }


def _fact(fact: Fact) -> dict[str, object]:
    return {"name": fact.name, "value": None if fact.told else fact.value, "told": fact.told}


def _check(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "value": check.value,
        "verdict": check.verdict,
        "why": check.why,
    }

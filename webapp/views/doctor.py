"""GET and POST /doctor: the settings with their sources, and how the parts outside are."""

from collections.abc import Sequence
from dataclasses import asdict

from flask import Blueprint, Response

from webapp.doctor.findings import Finding
from webapp.doctor.rounds import Report, Rounds
from webapp.errors import Forbidden
from webapp.guard import Guard
from webapp.observe import event
from webapp.records import ShownSetting
from webapp.security import Security
from webapp.sessions import Session
from webapp.views.page import ADMINS, Pages, json_answer, wants_json


def make_blueprint(
    pages: Pages,
    guard: Guard,
    security: Security,
    settings: Sequence[ShownSetting],
    rounds: Rounds,
    *,
    demo: bool,
) -> Blueprint:
    """The doctor's blueprint. In the `demo` everybody who is signed in may look."""
    blueprint = Blueprint("doctor", __name__)

    @blueprint.get("/doctor")
    def doctor() -> Response | str:
        return shown(admitted(), None)

    @blueprint.post("/doctor")
    def examine() -> Response | str:
        # A post: what asks AWS and the API is nothing for a link or a prefetch to begin.
        session = admitted()
        security.check_intent(session)
        report = rounds.report()
        event("examined", findings=len(report.findings), to_change=report.to_change)
        return shown(session, report)

    def admitted() -> Session:
        session, person = guard.must()
        if not demo and ADMINS not in person.groups:
            raise Forbidden(
                "How this application is set up is for members of the group Admin to see.",
                code="admins_only",
            )
        return session

    def shown(session: Session, report: Report | None) -> Response | str:
        if not wants_json():
            findings = sorted(report.findings, key=_urgency) if report else []
            return pages.render(
                "pages/doctor.html", settings=settings, report=report, findings=findings
            )
        told = None if report is None else [asdict(one) for one in report.findings]
        return json_answer(
            {
                "settings": [asdict(one) for one in settings],
                "findings": told,
                "examined_at": None if report is None else int(report.at),
                "csrf_token": security.csrf_token(session),
            }
        )

    return blueprint


def _urgency(finding: Finding) -> int:
    return ("change", "unknown", "fine").index(finding.verdict)

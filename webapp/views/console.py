"""GET /api and POST /api/call: every endpoint of the catalogue, callable as every identity."""

from dataclasses import dataclass

from flask import Blueprint, Response, request

from webapp.api.catalogue import ENDPOINTS, Endpoint, Parameter, endpoint_named
from webapp.api.identities import LABELS, ROLE, Caller, caller_named
from webapp.api.standing import Standing
from webapp.errors import BadInput, NotOffered, SessionEnded
from webapp.guard import Guard
from webapp.observe import event
from webapp.records import Person
from webapp.security import Security
from webapp.sessions import Session, Sessions
from webapp.signin.calling import Calling
from webapp.views.answer import answer_view, as_json
from webapp.views.page import Pages, wants_json

LONGEST_NAME = 72
"""Of an endpoint or a caller: AWS allows 64 characters for a role's name."""


@dataclass(frozen=True, slots=True)
class IdentityView:
    """An identity as the console offers it."""

    name: str
    label: str
    available: bool
    why_not: str | None


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint as the console offers it."""

    name: str
    method: str
    path: str
    authorization: str
    summary: str
    expects: list[tuple[str, int | None]]
    parameters: tuple[Parameter, ...]


def make_blueprint(
    pages: Pages,
    guard: Guard,
    sessions: Sessions,
    security: Security,
    calling: Calling,
) -> Blueprint:
    """The console's blueprint."""
    blueprint = Blueprint("console", __name__)

    @blueprint.get("/api")
    def console() -> str:
        found = guard.signed_in()
        person = found[1] if found else None
        standing = calling.standing(found[0].record if found else None)
        return pages.render(
            "pages/api.html",
            endpoints=[endpoint_view(one, standing) for one in ENDPOINTS],
            identities=identity_views(person),
        )

    @blueprint.post("/api/call")
    def call() -> Response | str:
        session = sessions.current()
        security.check_intent(session)
        endpoint = endpoint_named(_field("endpoint"))
        if (request.form.get("method") or endpoint.method).upper() != endpoint.method:
            raise NotOffered(
                "This endpoint is not offered with that method.", code="method", allow="POST"
            )
        session, caller = asker(session, _field("identity"))
        values = dict(request.form.items())
        session, answer = calling.call(session, endpoint, caller, values, sessions.keep)
        person = session.record.person if session else None
        event("api_called", endpoint=endpoint.name, identity=caller.kind, status=answer.status)
        record = session.record if session else None
        standing = calling.standing(record, whole=endpoint.right is not None)
        expected = endpoint.expects(caller, standing, values)
        view = answer_view(endpoint, answer, person, expected)
        if wants_json():
            return as_json(view)
        return pages.render(
            "pages/answer.html",
            answer=view,
            endpoint=endpoint_view(endpoint, calling.standing(record)),
            identities=identity_views(person),
            given=_given(endpoint),
        )

    def asker(session: Session | None, name: str) -> tuple[Session | None, Caller]:
        """The caller of this name, with a session that is fresh enough: nobody needs none."""
        if not name.startswith(ROLE) and not caller_named(name, None).needs_person:
            return session, caller_named(name, None)
        found = guard.signed_in()
        if found is None:
            raise SessionEnded("Sign in to call as yourself.", code="signed_out")
        return found[0], caller_named(name, found[1].roles)

    return blueprint


def endpoint_view(endpoint: Endpoint, standing: Standing | None) -> EndpointView:
    """The endpoint with what each identity should get, called as its parameters are filled in."""
    values = endpoint.defaults
    return EndpointView(
        name=endpoint.name,
        method=endpoint.method,
        path=endpoint.path,
        authorization=endpoint.authorization,
        summary=endpoint.summary,
        expects=[
            (label, endpoint.expects(Caller(one), standing, values))
            for one, label in LABELS.items()
        ],
        parameters=endpoint.parameters,
    )


def identity_views(person: Person | None) -> list[IdentityView]:
    """The five identities; three of them need somebody signed in."""
    return [
        IdentityView(
            name=name,
            label=label,
            available=person is not None or name in ("nobody", "guest"),
            why_not=None if person or name in ("nobody", "guest") else "Sign in first.",
        )
        for name, label in LABELS.items()
    ]


def _given(endpoint: Endpoint) -> list[tuple[str, str]]:
    """The parameters that came with the call, to go with the next one as well."""
    values = ((one.name, request.form.get(one.name, "")) for one in endpoint.parameters)
    return [(name, value) for name, value in values if value]


def _field(name: str) -> str:
    values = request.form.getlist(name)
    if len(values) != 1 or not 0 < len(values[0]) <= LONGEST_NAME:
        raise BadInput(f"The form needs {name} exactly once.")
    return values[0]

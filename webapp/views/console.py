"""GET /api and POST /api/call: every endpoint of the catalogue, callable as every identity."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, request

from webapp.api.catalogue import ENDPOINTS, Endpoint, Parameter, endpoint_named
from webapp.api.copies import KeySource
from webapp.api.identities import LABELS, ROLE, Caller, caller_named, callers_of
from webapp.api.standing import Standing
from webapp.errors import BadInput, NotOffered, SessionEnded
from webapp.guard import Guard
from webapp.observe import event
from webapp.records import ApiAnswer, Person
from webapp.security import Security
from webapp.sessions import Session, Sessions
from webapp.signin.calling import Calling
from webapp.views.answer import AnswerView, answer_view, as_json
from webapp.views.history import noted, views_of
from webapp.views.page import Pages, wants_json
from webapp.words import Saying, say

LONGEST_NAME = 72
"""Of an endpoint or a caller: AWS allows 64 characters for a role's name."""
QUICK_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class IdentityView:
    """A caller as the console offers it."""

    name: str
    label: Saying
    available: bool
    why_not: Saying | None


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint as the console offers it. `expects` goes by the names of callers."""

    name: str
    method: str
    path: str
    authorization: str
    summary: str
    expects: Mapping[str, int | None]
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class GroupView:
    """Endpoints that ask for the same."""

    key: str
    name: Saying
    meaning: Saying
    endpoints: list[EndpointView]


def make_blueprint(
    pages: Pages,
    guard: Guard,
    sessions: Sessions,
    security: Security,
    calling: Calling,
    source: KeySource,
    *,
    now: Callable[[], float] = time.time,
) -> Blueprint:
    """The console's blueprint. `source` says where keys come from, for copies of a call."""
    blueprint = Blueprint("console", __name__)

    @blueprint.get("/api")
    def console() -> str:
        found = guard.signed_in()
        person = found[1] if found else None
        standing = calling.standing(found[0].record if found else None)
        return pages.render(
            "pages/api.html",
            groups=group_views(person, standing),
            identities=identity_views(person),
            calls=views_of(sessions.calls()),
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
        view = answer_view(endpoint, answer, person, expected, source)
        if wants_json():
            return as_json(view)
        return page(view, values, calling.standing(record))

    def page(view: AnswerView, values: Mapping[str, str], standing: Standing | None) -> str:
        answer, endpoint = view.raw, view.endpoint
        if view.person is not None or (sessions.current() and _quick(answer)):
            sessions.note_call(
                noted(
                    endpoint,
                    answer,
                    kind=view.body.kind,
                    expected=view.expected,
                    at=int(now()),
                )
            )
        return pages.render(
            "pages/answer.html",
            answer=view,
            endpoint=endpoint_view(endpoint, view.person, standing),
            identities=identity_views(view.person),
            openers=_openers(view, standing, values) if answer.status in (401, 403) else [],
            given=_given(endpoint),
            calls=views_of(sessions.calls()),
        )

    def asker(session: Session | None, name: str) -> tuple[Session | None, Caller]:
        """The caller of this name, with a session that is fresh enough: nobody needs none."""
        caller = None if name.startswith(ROLE) else caller_named(name, None)
        if caller is not None and not caller.needs_person:
            return session, caller
        found = guard.signed_in()
        if found is None:
            raise SessionEnded("Sign in to call as yourself.", code="signed_out")
        return found[0], caller or caller_named(name, found[1].roles)

    return blueprint


def group_views(person: Person | None, standing: Standing | None) -> list[GroupView]:
    """All endpoints, by what they ask for."""
    groups = (
        GroupView("open", say("Open"), say("Nothing is asked for: anybody may call."), []),
        GroupView(
            "signed",
            say("Signed requests"),
            say("IAM lets in whom the policy of the signing role allows it (SigV4)."),
            [],
        ),
        GroupView(
            "bearer",
            say("Bearer token"),
            say("A JWT authorizer looks at an access token and its scope; signatures are nothing."),
            [],
        ),
        GroupView(
            "documents",
            say("Documents"),
            say("Signed requests as well; then the backend's own rules decide, one by one."),
            [],
        ),
    )
    by_key = {group.key: group for group in groups}
    for one in ENDPOINTS:
        key = {"NONE": "open", "JWT": "bearer"}.get(one.authorization, "signed")
        by_key["documents" if one.right else key].endpoints.append(
            endpoint_view(one, person, standing)
        )
    return [group for group in groups if group.endpoints]


def endpoint_view(
    endpoint: Endpoint, person: Person | None, standing: Standing | None
) -> EndpointView:
    """The endpoint with what each caller should get, called as its parameters are filled in."""
    values = endpoint.defaults
    return EndpointView(
        name=endpoint.name,
        method=endpoint.method,
        path=endpoint.path,
        authorization=endpoint.authorization,
        summary=endpoint.summary,
        expects={str(one): endpoint.expects(one, standing, values) for one in _callers(person)},
        parameters=endpoint.parameters,
    )


def identity_views(person: Person | None) -> list[IdentityView]:
    """Everybody who may call; most of them need somebody signed in."""
    return [
        IdentityView(
            name=str(one),
            label=one.label,
            available=person is not None or not one.needs_person,
            why_not=say("Sign in first.") if person is None and one.needs_person else None,
        )
        for one in _callers(person)
    ]


def _callers(person: Person | None) -> tuple[Caller, ...]:
    return callers_of(person.roles) if person else tuple(Caller(kind) for kind in LABELS)


def _openers(
    view: AnswerView, standing: Standing | None, values: Mapping[str, str]
) -> list[Caller]:
    """Who of those that this browser can call as would have been let in."""
    asked = callers_of(view.person.roles if view.person else None)
    expects = view.endpoint.expects
    return [one for one in asked if expects(one, standing, values) == 200]


def _quick(answer: ApiAnswer) -> bool:
    """Whether a guest cannot well have begun a sign-in in another tab while this call was made.

    The answer's cookie holds the sign-ins as they were at its beginning.
    """
    split = answer.split
    return split.credentials + split.signing + split.network < QUICK_MILLISECONDS


def _given(endpoint: Endpoint) -> list[tuple[str, str]]:
    """The parameters that came with the call, to go with the next one as well."""
    values = ((one.name, request.form.get(one.name, "")) for one in endpoint.parameters)
    return [(name, value) for name, value in values if value]


def _field(name: str) -> str:
    values = request.form.getlist(name)
    if len(values) != 1 or not 0 < len(values[0]) <= LONGEST_NAME:
        raise BadInput(say("The form needs %(name)s exactly once.", name=name))
    return values[0]

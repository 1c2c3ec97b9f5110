"""GET /api and POST /api/call: every endpoint of the catalogue, callable as every identity."""

from dataclasses import dataclass

from flask import Blueprint, Response, request

from webapp.api.catalogue import (
    ENDPOINTS,
    LABELS,
    Endpoint,
    Identity,
    endpoint_named,
    identity_named,
)
from webapp.api.client import ApiClient
from webapp.api.explain import Explanation, explain, role_name
from webapp.credentials.wallet import Wallet
from webapp.errors import BadInput, NotOffered, SessionEnded
from webapp.guard import Guard
from webapp.observe import event
from webapp.records import ApiAnswer, Person
from webapp.security import Security
from webapp.sessions import Session, Sessions
from webapp.views.body import Body, readable, shown
from webapp.views.page import Pages, json_answer, wants_json


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
    expects: list[tuple[str, int]]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer as a page shows it."""

    raw: ApiAnswer
    method: str
    path: str
    authorization: str
    identity_label: str
    body: Body
    expected: int
    explanation: Explanation
    role_name: str | None

    def __getattr__(self, name: str) -> object:
        return getattr(self.raw, name)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers as text."""
        return [(shown(name), shown(value)) for name, value in self.raw.headers]

    @property
    def reason(self) -> str:
        """The words beside the status, as text."""
        return shown(self.raw.reason)

    @property
    def request_id(self) -> str | None:
        """The API's own id of the call, as text."""
        return None if self.raw.request_id is None else shown(self.raw.request_id)

    @property
    def ok(self) -> bool:
        """Whether the API said yes."""
        return 200 <= self.raw.status < 300

    @property
    def body_text(self) -> str:
        """The body as text."""
        return self.body.text

    @property
    def body_kind(self) -> str:
        """JSON, text, binary or empty."""
        return self.body.kind

    @property
    def size(self) -> int:
        """The body's size in bytes, as far as it was read."""
        return len(self.raw.body)


def make_blueprint(
    pages: Pages,
    guard: Guard,
    sessions: Sessions,
    security: Security,
    wallet: Wallet,
    api: ApiClient,
) -> Blueprint:
    """The console's blueprint."""
    blueprint = Blueprint("console", __name__)

    @blueprint.get("/api")
    def console() -> str:
        found = guard.signed_in()
        person = found[1] if found else None
        return pages.render(
            "pages/api.html",
            endpoints=[endpoint_view(endpoint, person) for endpoint in ENDPOINTS],
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
        identity = identity_named(_field("identity"))
        address = endpoint.address(dict(request.form.items()))
        person, answer = called(session, endpoint, identity, address)
        event("api_called", endpoint=endpoint.name, identity=identity, status=answer.status)
        view = _answer_view(endpoint, answer, person)
        if wants_json():
            return _json(view)
        return pages.render("pages/answer.html", answer=view, identities=identity_views(person))

    def called(
        session: Session | None, endpoint: Endpoint, identity: Identity, address: str
    ) -> tuple[Person | None, ApiAnswer]:
        """Gather what the identity needs, and no more: nobody needs no session."""
        if identity == "nobody":
            person = session.record.person if session else None
            return person, api.call(endpoint, identity, address)
        if identity == "guest":
            guest, keys = wallet.guest_keys(session)
            sessions.keep(guest)
            return guest.record.person, api.call(endpoint, identity, address, keys=keys)
        found = guard.signed_in()
        if found is None:
            raise SessionEnded("Sign in to call as yourself.", code="signed_out")
        held, person = found
        if identity != "user":
            return person, api.call(endpoint, identity, address, tokens=held.record.tokens)
        held, keys = wallet.user_keys(held)
        sessions.keep(held)
        return person, api.call(endpoint, identity, address, keys=keys, tokens=held.record.tokens)

    return blueprint


def endpoint_view(endpoint: Endpoint, person: Person | None) -> EndpointView:
    """The endpoint with what each identity should get."""
    groups = person.groups if person else None
    return EndpointView(
        name=endpoint.name,
        method=endpoint.method,
        path=endpoint.path,
        authorization=endpoint.authorization,
        summary=endpoint.summary,
        expects=[(label, endpoint.expects(one, groups)) for one, label in LABELS.items()],
        parameters=tuple(parameter.name for parameter in endpoint.parameters),
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


def _field(name: str) -> str:
    values = request.form.getlist(name)
    if len(values) != 1 or not 0 < len(values[0]) <= 64:
        raise BadInput(f"The form needs {name} exactly once.")
    return values[0]


def _answer_view(endpoint: Endpoint, answer: ApiAnswer, person: Person | None) -> AnswerView:
    identity = identity_named(answer.identity)
    return AnswerView(
        raw=answer,
        method=endpoint.method,
        path=endpoint.path,
        authorization=endpoint.authorization,
        identity_label=LABELS[identity],
        body=readable(answer.body, _content_type(answer), cut=answer.cut),
        expected=endpoint.expects(identity, person.groups if person else ()),
        explanation=explain(endpoint, answer, person),
        role_name=role_name(answer.role_arn),
    )


def _content_type(answer: ApiAnswer) -> str:
    named = (value for name, value in answer.headers if name.lower() == "content-type")
    return next(named, "").lower()


def _json(view: AnswerView) -> Response:
    raw = view.raw
    return json_answer(
        {
            "endpoint": raw.endpoint,
            "identity": raw.identity,
            "status": raw.status,
            "reason": raw.reason,
            "ok": view.ok,
            "expected": view.expected,
            "milliseconds": round(raw.milliseconds, 2),
            "headers": raw.headers,
            "body": view.body.value if view.body.kind == "JSON" else view.body.text,
            "body_kind": view.body.kind,
            "cut": raw.cut,
            "request_id": raw.request_id,
            "role": raw.role_arn,
            "request": {
                "method": raw.sent.method,
                "url": raw.sent.url,
                "headers": raw.sent.headers,
            },
            "explanation": [{"about": about, "is": what} for about, what in view.explanation],
        }
    )

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
from webapp.api.client import ApiClient, keys_expired
from webapp.credentials.wallet import Wallet
from webapp.errors import BadInput, NotOffered, SessionEnded
from webapp.guard import Guard
from webapp.observe import event
from webapp.records import ApiAnswer, AwsKeys, Person
from webapp.security import Security
from webapp.sessions import Session, Sessions
from webapp.views.answer import answer_view, as_json
from webapp.views.page import Pages, wants_json


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
    only_groups: tuple[str, ...]


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
        view = answer_view(endpoint, answer, person)
        if wants_json():
            return as_json(view)
        return pages.render(
            "pages/answer.html",
            answer=view,
            endpoint=endpoint_view(endpoint, person),
            identities=identity_views(person),
            given=_given(endpoint),
        )

    def called(
        session: Session | None, endpoint: Endpoint, identity: Identity, address: str
    ) -> tuple[Person | None, ApiAnswer]:
        """Gather what the identity needs, and no more: nobody needs no session."""
        if identity == "nobody":
            person = session.record.person if session else None
            return person, api.call(endpoint, identity, address)
        if identity == "guest":
            guest, answer = signed(session, endpoint, identity, address)
            return guest.record.person, answer
        found = guard.signed_in()
        if found is None:
            raise SessionEnded("Sign in to call as yourself.", code="signed_out")
        held, person = found
        if identity != "user":
            return person, api.call(endpoint, identity, address, tokens=held.record.tokens)
        return person, signed(held, endpoint, identity, address)[1]

    def signed(
        before: Session | None, endpoint: Endpoint, identity: Identity, address: str
    ) -> tuple[Session, ApiAnswer]:
        """The call with AWS keys; once more with new ones when kept ones ended too early."""
        session, keys = keys_for(before, identity)
        tokens = session.record.tokens if identity == "user" else None
        answer = api.call(endpoint, identity, address, keys=keys, tokens=tokens)
        kept = before is not None and keys in (before.record.user_keys, before.record.guest_keys)
        if endpoint.method == "GET" and kept and keys_expired(answer):
            event("keys_expired", identity=identity)
            session, keys = keys_for(wallet.without(session, keys), identity)
            tokens = session.record.tokens if identity == "user" else None
            answer = api.call(endpoint, identity, address, keys=keys, tokens=tokens)
        return session, answer

    def keys_for(session: Session | None, identity: Identity) -> tuple[Session, AwsKeys]:
        if identity == "guest":
            found, keys = wallet.guest_keys(session)
        elif session is None:
            raise AssertionError("a user has a session")
        else:
            found, keys = wallet.user_keys(session)
        sessions.keep(found)
        return found, keys

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
        only_groups=endpoint.only_groups,
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
    if len(values) != 1 or not 0 < len(values[0]) <= 64:
        raise BadInput(f"The form needs {name} exactly once.")
    return values[0]

"""The Lambda behind the HTTP API (payload format 2.0), the same on AWS and offline.

Environment: ISSUER (the exact `iss` of the pool's tokens), CLIENT_ID (the app client), JWKS_URL
(the pool's key set; ISSUER/.well-known/jwks.json when empty).
"""

import functools
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from .caller import NOBODY, Caller, from_iam, from_jwt
from .id_token import IdTokenVerifier, read_id_token
from .keys import SigningKeys
from .refusal import MESSAGES, Refused
from .routes import ROUTES, Entry, Route

Event = Mapping[str, Any]
Answer = dict[str, Any]

_log = logging.getLogger("portico.api")
_log.setLevel(logging.INFO)


def handle(event: Event, context: object) -> Answer:
    """Answer one request; the entry point that Lambda calls."""
    return _backend().answer(event)


@functools.cache
def _backend() -> "Backend":
    # Once a container, so that the signing keys outlive the request.
    return Backend(verifier_from_environment())


def verifier_from_environment() -> IdTokenVerifier:
    """The verifier for the user pool that the environment names."""
    issuer = os.environ["ISSUER"]
    url = os.environ.get("JWKS_URL") or f"{issuer}/.well-known/jwks.json"
    return IdTokenVerifier(issuer=issuer, client_id=os.environ["CLIENT_ID"], keys=SigningKeys(url))


class Backend:
    """Finds the route, proves the caller, answers in JSON."""

    def __init__(self, verifier: IdTokenVerifier, routes: Mapping[str, Route] = ROUTES) -> None:
        self._verifier = verifier
        self._routes = routes

    def answer(self, event: Event) -> Answer:
        """Return a payload format 2.0 answer; every refusal is an answer, too."""
        context = event.get("requestContext") or {}
        route_key = str(event.get("routeKey") or context.get("routeKey") or "")
        request_id = context.get("requestId")
        try:
            route = self._routes.get(route_key)
            if route is None:
                raise Refused(404, "route_unknown")
            caller = self._caller(route, event.get("headers") or {}, context)
            content = self.content(route_key, caller, event)
        except Refused as refused:
            self._record(route_key, request_id, refused.status, refused.reason)
            told = {"rule": refused.reason, "because": refused.because} if refused.because else {}
            return _json(
                refused.status,
                {"message": MESSAGES[refused.status], **told, "request_id": request_id},
            )
        self._record(route_key, request_id, 200, caller.kind)
        return _json(200, {**content, "request_id": request_id})

    def content(self, route_key: str, caller: Caller, event: Event) -> dict[str, Any]:
        """What an address answers to a proven caller."""
        del event
        message = self._routes[route_key].message
        return {"message": message, "route": route_key, "caller": _shown(caller)}

    def _caller(
        self, route: Route, headers: Mapping[str, object], context: Mapping[str, Any]
    ) -> Caller:
        if route.entry is Entry.OPEN:
            return NOBODY
        if route.entry is Entry.BEARER:
            caller = from_jwt(context)
        else:
            caller = from_iam(context, self._verifier.issuer)
        if route.entry is Entry.PERSON and caller.kind != "person":
            raise Refused(403, "caller_is_no_person")
        token = read_id_token(headers)
        if token is not None:
            return self._same_person(caller, token)
        if route.entry is Entry.PERSON:
            raise Refused(401, "token_missing")
        return caller

    def _same_person(self, caller: Caller, token: str) -> Caller:
        """Return the caller with what the ID token adds; 403 when it is somebody else's."""
        claims = self._verifier.verify(token)
        if caller.sub is None or claims["sub"] != caller.sub:
            raise Refused(403, "token_of_another_person")
        groups = claims.get("cognito:groups")
        return replace(
            caller,
            username=claims.get("cognito:username"),
            email=claims.get("email"),
            groups=tuple(groups) if isinstance(groups, list) else (),
            department=_text(claims.get("custom:department")),
            projects=_words(claims.get("custom:project_ids")),
        )

    def _record(self, route: str, request_id: object, status: int, reason: str) -> None:
        # Our own words only: no header, no claim, no id of a person.
        known = route if route in self._routes else "unknown"
        record = {"event": "answer", "route": known, "status": status, "reason": reason}
        _log.info(json.dumps({**record, "request_id": request_id}))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _words(value: object) -> tuple[str, ...]:
    # One attribute of text holds the list: Cognito has no lists.
    parts = value.split(",") if isinstance(value, str) else []
    return tuple(part.strip() for part in parts if part.strip())


def _shown(caller: Caller) -> dict[str, Any]:
    return {key: value for key, value in asdict(caller).items() if value not in (None, ())}


def _json(status: int, body: Mapping[str, Any]) -> Answer:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body),
    }

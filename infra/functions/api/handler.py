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
    issuer = os.environ["ISSUER"]
    url = os.environ.get("JWKS_URL") or f"{issuer}/.well-known/jwks.json"
    return Backend(
        IdTokenVerifier(issuer=issuer, client_id=os.environ["CLIENT_ID"], keys=SigningKeys(url))
    )


class Backend:
    """Finds the route, proves the caller, answers in JSON."""

    def __init__(self, verifier: IdTokenVerifier) -> None:
        self._verifier = verifier

    def answer(self, event: Event) -> Answer:
        """Return a payload format 2.0 answer; every refusal is an answer, too."""
        context = event.get("requestContext") or {}
        route_key = str(event.get("routeKey") or context.get("routeKey") or "")
        request_id = context.get("requestId")
        try:
            route = ROUTES.get(route_key)
            if route is None:
                raise Refused(404, "route_unknown")
            caller = self._caller(route, event.get("headers") or {}, context)
        except Refused as refused:
            _record(route_key, request_id, refused.status, refused.reason)
            return _json(
                refused.status, {"message": MESSAGES[refused.status], "request_id": request_id}
            )
        _record(route_key, request_id, 200, caller.kind)
        return _json(
            200,
            {
                "message": route.message,
                "route": route_key,
                "caller": _shown(caller),
                "request_id": request_id,
            },
        )

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
        )


def _shown(caller: Caller) -> dict[str, Any]:
    return {key: value for key, value in asdict(caller).items() if value not in (None, ())}


def _record(route: str, request_id: object, status: int, reason: str) -> None:
    # Our own words only: no header, no claim, no id of a person.
    known = route if route in ROUTES else "unknown"
    record = {"event": "answer", "route": known, "status": status, "reason": reason}
    _log.info(json.dumps({**record, "request_id": request_id}))


def _json(status: int, body: Mapping[str, Any]) -> Answer:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body),
    }

"""A fake API Gateway HTTP API with the Lambda behind it; judges every signature."""

import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tests.doubles.documents import FakeDocuments
from tests.doubles.double import Double, Now
from tests.doubles.endpoint import Endpoint
from tests.doubles.issuer import FakeIssuer
from tests.doubles.keys import Json
from tests.doubles.message import Answer, Complaint, Request
from tests.doubles.pool import ADMIN_SCOPE, Refused
from tests.doubles.server import Server
from tests.doubles.sigv4 import Judge, Verdict
from tests.doubles.users import (
    ADMIN_ROLE,
    AUTHENTICATED_ROLE,
    MANAGER_ROLE,
    TEAM_A_ROLE,
    TEAM_B_ROLE,
    VIEWER_ROLE,
)
from tests.doubles.vault import IssuedKeys, Vault

Authorization = Literal["NONE", "AWS_IAM", "JWT"]


@dataclass(frozen=True)
class Route:
    """One route. `{name}` in the path takes one raw segment that is not empty.

    `roles` None lets every role in; guests enter only where `guests` says so. `documents` asks the
    rules of the documents after that.
    """

    name: str
    path: str
    methods: str = "GET"
    authorization: Authorization = "AWS_IAM"
    guests: bool = False
    roles: frozenset[str] | None = None
    scope: str | None = None
    documents: bool = False

    def matches(self, path: str) -> bool:
        """Whether this raw path, without the base path, is the route's."""
        pattern = "".join(
            "[^/]+" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]+\})", self.path)
        )
        return re.fullmatch(pattern, path) is not None


WRITERS = frozenset({AUTHENTICATED_ROLE, ADMIN_ROLE, MANAGER_ROLE})
MOST = WRITERS | {VIEWER_ROLE}
DEMO_ROUTES = (
    Route("test-plain", "/test/plain", authorization="NONE"),
    Route("test-public", "/test/public", guests=True),
    Route("test-auth", "/test/auth", roles=MOST | {TEAM_A_ROLE}),
    Route("secure", "/secure", roles=MOST | {TEAM_B_ROLE}),
    Route("vip", "/vip", roles=frozenset({ADMIN_ROLE})),
    Route("protected", "/protected", authorization="JWT", scope=ADMIN_SCOPE),
    Route("whoami", "/whoami"),
    Route("documents", "/documents", roles=MOST, documents=True),
    Route("document-read", "/documents/{id}", roles=MOST, documents=True),
    Route("document-write", "/documents/{id}", "PUT", roles=WRITERS, documents=True),
    Route("document-delete", "/documents/{id}", "DELETE", roles=WRITERS, documents=True),
)


@dataclass(frozen=True)
class Call:
    """One call as it came, with what was found about its caller."""

    route: str
    request: Request
    verdict: Verdict | None


class FakeApi(Double):
    """Answers each route as AWS would, or as programmed: `api["vip"].once.answer(502)`.

    A signature that does not hold, for a reason that no clock and no revoked key explains, is
    loud. `calls` keeps every call, also those that a fault answered.
    """

    def __init__(
        self,
        issuer: FakeIssuer,
        vault: Vault,
        server: Server | None = None,
        now: Now | None = None,
        *,
        base_path: str = "/_aws/execute-api/a1b2c3d4/$default",
        routes: Sequence[Route] = DEMO_ROUTES,
    ) -> None:
        super().__init__(server, now or issuer.now)
        self.issuer = issuer
        self.base_path = base_path
        self.clocks: list[Now] = [self.now, time.time]
        """By which credentials (the first) and signatures (any of them) are dated."""
        self.judge = Judge(vault, self.clocks, issuer.region)
        self.calls: list[Call] = []
        self.documents = FakeDocuments(lambda: issuer.pool.users, self.now)
        self._endpoints_by_route: dict[str, tuple[Route, Endpoint]] = {}
        for route in routes:
            self.add(route)

    @property
    def url(self) -> str:
        """The base URL, with its path part."""
        return f"{self.server.origin}{self.base_path}"

    def add(self, route: Route) -> Endpoint:
        """Serve one more route; it goes before those that were there."""
        endpoint = self._endpoint(route.name, lambda request: self._behave(route, request))
        others = {k: v for k, v in self._endpoints_by_route.items() if k != route.name}
        self._endpoints_by_route = {route.name: (route, endpoint), **others}
        return endpoint

    def __getitem__(self, name: str) -> Endpoint:
        return self._endpoints_by_route[name][1]

    def handle(self, request: Request) -> Answer | None:
        """Answer a request below the base path; an unknown path there is a complaint."""
        if not request.path.startswith(f"{self.base_path}/"):
            return None
        path = request.path.removeprefix(self.base_path)
        here = [one for one in self._endpoints_by_route.values() if one[0].matches(path)]
        for route, endpoint in here:
            if request.method in route.methods.split():
                self._note(route, request)
                return endpoint.handle(request)
        methods = " ".join(route.methods for route, _ in here)
        if methods:
            raise Complaint(f"{request.method} {path}: only {methods} here")
        raise Complaint(f"{request.method} {path}: no such route of the API")

    def _note(self, route: Route, request: Request) -> None:
        verdict = None
        if (request.header("Authorization") or "").startswith("AWS4-"):
            verdict = self.judge.verdict(request, self.server.origin.partition(":")[0])
            if verdict.clients_fault:
                text = f"{request.method} {request.target}: {verdict.fault}"
                self.server.complain(f"{text}\n{verdict.expected}")
        with self.lock:
            self.calls.append(Call(route.name, request, verdict))

    def _behave(self, route: Route, request: Request) -> Answer:
        verdict = next(c.verdict for c in reversed(self.calls) if c.request is request)
        if route.authorization == "NONE":
            return _answer(200, {"endpoint": route.name, "caller": None, **_echo(request)})
        if route.authorization == "JWT":
            return self._by_token(route, request)
        if verdict is None:
            return _answer(403, {"message": "Forbidden"})
        if verdict.keys is None:
            return _answer(403, {"message": _gateway_text(verdict)})
        return self._by_keys(route, request, verdict.keys)

    def _by_keys(self, route: Route, request: Request, keys: IssuedKeys) -> Answer:
        guest = keys.sub is None
        if guest and not route.guests:
            return _answer(403, {"message": "Forbidden"})
        if route.roles is not None and keys.role_arn not in route.roles:
            return _answer(403, {"message": "Forbidden"})
        token = request.header("X-Cognito-Id-Token")
        claims: Json = {}
        if token is not None or not guest:
            try:
                claims = self.issuer.pool.read(token or "", "id")
            except Refused:
                return _answer(401, {"message": "Unauthorized"})
            if claims["sub"] != keys.sub:
                return _answer(403, {"message": "Forbidden"})
        if route.documents:
            path = request.path.removeprefix(f"{self.base_path}/documents").removeprefix("/")
            return _answer(*self.documents.answer(request, path, claims))
        caller = {
            "access_key": keys.access_key,
            "identity_id": keys.identity_id,
            "role": keys.role_arn,
            "sub": keys.sub,
        }
        return _answer(200, {"endpoint": route.name, "caller": caller, **_echo(request)})

    def _by_token(self, route: Route, request: Request) -> Answer:
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise Refused("Unauthorized")
            claims = self._authorized(token)
        except Refused:
            return _answer(401, {"message": "Unauthorized"})
        if route.scope is not None and route.scope not in str(claims.get("scope")).split():
            return _answer(403, {"message": "Forbidden"})
        caller = {"sub": claims["sub"], "token_use": claims["token_use"]}
        return _answer(200, {"endpoint": route.name, "caller": caller, **_echo(request)})

    def _authorized(self, token: str) -> Json:
        # The JWT authorizer takes aud or client_id: an ID token passes it, and fails on the scope.
        try:
            return self.issuer.pool.read(token, "access")
        except Refused:
            return self.issuer.pool.read(token, "id")


def _gateway_text(verdict: Verdict) -> str:
    if verdict.fault == "credentials have expired":
        return "The security token included in the request is expired"
    if verdict.fault == "access key is unknown":
        return "The security token included in the request is invalid."
    return "Forbidden"


def _echo(request: Request) -> Json:
    return {"method": request.method, "path": request.path, "query": request.query}


def _answer(status: int, document: Json) -> Answer:
    return Answer.of_json(document, status, [("Apigw-Requestid", uuid.uuid4().hex[:16] + "=")])

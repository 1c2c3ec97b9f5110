"""Programmable, whole and loud stand-ins for Cognito, an identity pool and an API, over HTTP.

with Cognito(now=clock, client_secret="s") as cognito:           # raises what it complains of
    settings = cognito.environment("http://localhost:8000")      # COGNITO_ISSUER, API_ENDPOINT
    browser = Browser.for_app(app, issuer=cognito.issuer, now=clock)
    browser.sign_in(cognito.user("admin"), next="/session")      # each page is inspected
    assert browser.call("vip", "user").json()["status"] == 200

cognito.issuer.token.once.answer(503)              # verbs: answer, aws_error, redirect, reset,
cognito.issuer.jwks.for_next(2).hang()             # truncate, drip, hang, gate, endless,
cognito.api["vip"].always.gzip_bomb(10 << 30)      # gzip_bomb, alter, mutate; heal() ends all
cognito.issuer.token.alter(lambda body: body.pop("id_token"))
cognito.issuer.mint.id_token(lambda header, claims: claims.update(iss="x"), times=1)
cognito.issuer.mint.id_token.write(forge.alg_none)
with cognito.issuer.token.gate(hold="answer") as gate:           # a race, held open
    gate.wait(2)
assert cognito.issuer.grants("refresh_token") == []
"""

from tests.doubles.api import Call, FakeApi, Route
from tests.doubles.browser import Browser
from tests.doubles.clock import Clock
from tests.doubles.cognito import Cognito
from tests.doubles.endpoint import Endpoint
from tests.doubles.evil import EvilHost
from tests.doubles.gate import Gate
from tests.doubles.identity_pool import FakeIdentityPool
from tests.doubles.issuer import FakeIssuer
from tests.doubles.message import Answer, Complaint, Request
from tests.doubles.page import inspect
from tests.doubles.response import Response
from tests.doubles.server import Server
from tests.doubles.users import User, person, role_arn

__all__ = [
    "Answer",
    "Browser",
    "Call",
    "Clock",
    "Cognito",
    "Complaint",
    "Endpoint",
    "EvilHost",
    "FakeApi",
    "FakeIdentityPool",
    "FakeIssuer",
    "Gate",
    "Request",
    "Response",
    "Route",
    "Server",
    "User",
    "inspect",
    "person",
    "role_arn",
]

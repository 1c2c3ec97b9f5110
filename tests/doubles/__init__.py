"""Programmable, whole and loud stand-ins for Cognito, an identity pool and an API, over HTTP."""

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

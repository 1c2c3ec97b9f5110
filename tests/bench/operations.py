"""What people do at a relying party, as operations: a page, a sign-in, a signed call."""

import html
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.bench.client import Answer, Connection, DriveError, Operation
from tests.bench.provider_tokens import make_code

CSRF_FIELD = re.compile(rb'name="csrf_token"\s+value="([^"]+)"')


@dataclass(frozen=True)
class Target:
    """A relying party under measure: where it listens and how its addresses are called."""

    name: str
    port: int
    call_path: str = "/api/call"
    call_form: tuple[tuple[str, str], ...] = (("endpoint", "whoami"), ("identity", "user"))

    @property
    def origin(self) -> str:
        """The public origin, as a browser would name it."""
        return f"http://localhost:{self.port}"


class Visit(NamedTuple):
    """A signed-in browser: its cookie header and the token its forms carry."""

    cookie: str
    csrf: str


def get(target: Target, path: str, cookie: str = "", accept: str = "text/html") -> bytes:
    """A raw GET request with the headers that every browser sends."""
    held = f"Cookie: {cookie}\r\n" if cookie else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost:{target.port}\r\nUser-Agent: bench\r\n"
        f"Accept: {accept}\r\nAccept-Language: en\r\nSec-Fetch-Site: same-origin\r\n"
        f"Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n{held}\r\n"
    ).encode()


def expect(answer: Answer, status: int, step: str) -> None:
    """DriveError with the start of the answer, unless it has that status."""
    if answer.status != status:
        text = answer.body[:300].decode("utf-8", "replace")
        raise DriveError(f"{step} answered {answer.status}, not {status}: {text}")


def page(target: Target, path: str, cookie: str, accept: str = "text/html") -> Operation:
    """One page, for a signed-in browser or for nobody."""
    answer = yield get(target, path, cookie, accept)
    expect(answer, 200, f"{target.name} GET {path}")


def call(target: Target, visit: Visit) -> Operation:
    """One signed API call by form, answered in JSON."""
    answer = yield post(target, target.call_path, visit, *target.call_form)
    expect(answer, 200, f"{target.name} POST {target.call_path}")


def post(target: Target, path: str, visit: Visit, *fields: tuple[str, str]) -> bytes:
    """A raw POST request of a form, for an answer in JSON."""
    form = urlencode([*fields, ("csrf_token", visit.csrf)])
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost:{target.port}\r\n"
        f"User-Agent: bench\r\nAccept: application/json\r\nOrigin: {target.origin}\r\n"
        f"Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\nCookie: {visit.cookie}\r\n\r\n{form}"
    ).encode()


class MatrixRun(NamedTuple):
    """A whole access matrix: how many calls, seconds until its answer, seconds of the slowest."""

    calls: int
    wall: float
    slowest: float


def access_matrix(target: Target, visit: Visit) -> MatrixRun:
    """One press of the button, as JSON."""
    connection, began = Connection(target.port), time.perf_counter()
    answer = connection.ask(post(target, "/access", visit))
    wall = time.perf_counter() - began
    connection.close()
    expect(answer, 200, f"{target.name} POST /access")
    taken = [cell["milliseconds"] for cell in json.loads(answer.body)["cells"]]
    called = [milliseconds / 1000 for milliseconds in taken if milliseconds is not None]
    return MatrixRun(len(called), wall, max(called))


class Jar:
    """The cookies of one browser, by name, value and path."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, str]] = {}

    def take(self, answer: Answer) -> None:
        """Keep what the answer sets, drop what it ends."""
        for line in answer.headers("set-cookie"):
            pair, *attributes = [part.strip() for part in line.split(";")]
            name, _, value = pair.partition("=")
            lower = {key.lower(): given for key, _, given in (a.partition("=") for a in attributes)}
            if lower.get("max-age") == "0" or not value.strip('"'):
                self._held.pop(name, None)
            else:
                self._held[name] = (value, lower.get("path", "/"))

    def header(self, path: str) -> str:
        """The Cookie header's value for a path."""
        return "; ".join(
            f"{name}={value}" for name, (value, at) in self._held.items() if path.startswith(at)
        )


def sign_in(
    target: Target, person: int, keep: Callable[[str], None] | None = None, start: str = "/login"
) -> Operation:
    """From /login to the first page; `keep` is given the cookie header that then stands.

    Managed Login is left out: the driver makes the code that it would have sent back.
    """
    jar = Jar()
    answer = yield get(target, start)
    expect(answer, 302, f"{target.name} GET {start}")
    jar.take(answer)
    sent = {k: v[0] for k, v in parse_qs(urlsplit(answer.header("location")).query).items()}
    code = make_code(person, sent["nonce"], sent["code_challenge"])
    query = urlencode({"code": code, "state": sent["state"]})
    answer = yield get(target, f"/callback?{query}", jar.header("/callback"))
    expect(answer, 303, f"{target.name} GET /callback")
    jar.take(answer)
    parts = urlsplit(answer.header("location"))
    landing = f"{parts.path}?{parts.query}" if parts.query else parts.path
    answer = yield get(target, landing, jar.header(landing))
    expect(answer, 200, f"{target.name} GET {landing} after the sign-in")
    jar.take(answer)
    if keep is not None:
        keep(jar.header("/"))


def visit(target: Target, person: int) -> Visit:
    """Sign one person in and read the form token of their page."""
    kept: list[str] = []
    connection = Connection(target.port)
    operation = sign_in(target, person, kept.append)
    request = next(operation)
    try:
        while True:
            request = operation.send(connection.ask(request))
    except StopIteration:
        pass
    answer = connection.ask(get(target, "/me", kept[0], "application/json"))
    connection.close()
    expect(answer, 200, f"{target.name} GET /me")
    if answer.header("content-type").startswith("application/json"):
        return Visit(kept[0], str(json.loads(answer.body)["csrf_token"]))
    found = CSRF_FIELD.search(answer.body)
    if found is None:
        raise DriveError(f"{target.name} GET /me shows no csrf_token")
    return Visit(kept[0], html.unescape(found[1].decode()))

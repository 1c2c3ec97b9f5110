"""KY-08: secrets are compared in constant time, and cryptography that fails lets nobody in."""

import ast
import hmac
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography.exceptions import InternalError, InvalidTag
from joserfc.errors import BadSignatureError

from tests.architecture.source import Source, read
from tests.doubles.browser import Browser
from tests.rig import Rig
from tests.security.outcomes import Watch, is_anonymous, living_sessions

ROOT = Path(__file__).resolve().parents[2]
SECRET = re.compile(
    r"(token|secret|csrf|nonce|state|signature|digest|verifier|ticket|cookie|hash|password|seed"
    r"|proof|sealed|mac|hmac|access_key|secret_key|user_keys|guest_keys)$",
    re.IGNORECASE,
)
# Compared with == or `in` all the same, each with the reason why no timing tells anything.
HARMLESS = {
    ("webapp.credentials.wallet", "record.user_keys == keys"): "both out of our own record",
    ("webapp.credentials.wallet", "record.guest_keys == keys"): "both out of our own record",
    ("webapp.store.dynamodb.store", "(stored.sealed, stored.version) == (sealed, version)"): (
        "whether our own write came through"
    ),
    ("webapp.store.sealing", "sealed[0] not in _ADDED"): "the number of a format",
    ("webapp.sessions", "visit.session.ticket != session.ticket"): "two states of one session",
    ("webapp.signin.freshness", "record.tokens.access_token != tokens.access_token"): (
        "both out of our own record"
    ),
    ("webapp.signin.calling", "keys == session.record.user_keys"): "both out of our own record",
    ("webapp.signin.freshness", "answer.refresh_token == refresh_token"): (
        "ours and the pool's answer to it, over a connection that we opened"
    ),
    ("webapp.views.comparison", "id_token[name] != access_token[name]"): "one person's own claims",
    ("webapp.views.comparison", "id_token[name] == access_token[name]"): "one person's own claims",
}


def _named(node: ast.expr) -> Iterator[str]:
    """What a value is called, from the outside: the last name, a member's name, a call's."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
            yield name
            yield from _named(value)
        case ast.Subscript(value=value):
            yield from _named(value)
        case ast.Call(func=ast.Attribute(attr="encode" | "decode" | "strip" | "hex", value=value)):
            yield from _named(value)
        case ast.Call(func=ast.Attribute(attr=name), args=args):
            yield name
            yield from (str(a.value) for a in args if isinstance(a, ast.Constant))
        case ast.Call(func=ast.Name(id=name)):
            yield name
        case ast.Tuple(elts=values) | ast.List(elts=values):
            for value in values:
                yield from _named(value)


def _careless(source: Source) -> Iterator[tuple[str, str]]:
    """Every comparison, other than with a constant, in which one side is called like a secret."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides):
            continue  # what stands in the source is no secret
        equal = any(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops)
        if equal and any(SECRET.search(name) for side in sides for name in _named(side)):
            yield source.name, ast.unparse(node)


def test_KY_08_secrets_are_compared_in_constant_time() -> None:
    """No comparison of a secret in the application stops at the first letter that differs."""
    found = [one for source in read(ROOT, "webapp") for one in _careless(source)]
    assert [f"{module}: {text}" for module, text in found if (module, text) not in HARMLESS] == []
    assert set(HARMLESS) - set(found) == set()  # what is gone is no longer excused
    assert sum("compare_digest(" in source.text for source in read(ROOT, "webapp")) >= 3


CARELESS = (
    "given == csrf_token",
    "claims['nonce'] != nonce",
    "request.form['csrf_token'] == expected",
    "signature in known",
    "hmac.digest(key, text, 'sha256') == given",
    "hashlib.sha256(text).hexdigest() != wanted",
    "query.get('state') == kept.state",
    "(client, secret) == known",
    "token.encode() == given",
)


@pytest.mark.parametrize("text", CARELESS)
def test_KY_08_the_check_finds_them(text: str) -> None:
    """The check finds a careless comparison of each kind."""
    planted = Source("webapp.planted", "planted.py", text, ast.parse(text), False)
    assert list(_careless(planted)) == [("webapp.planted", ast.unparse(ast.parse(text)))]


def test_KY_08_tickets_are_looked_up_by_hash(rig: Rig) -> None:
    """A ticket that differs in one bit, wherever, is as unknown as any: nothing is compared."""
    browser = rig.signed_in("admin")
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    ticket = session.ticket
    for place in range(len(ticket.raw)):
        bent = bytearray(ticket.raw)
        bent[place] ^= 1
        thief = rig.browser()
        thief.cookies.take(f"portico={type(ticket)(bytes(bent)).text}; Path=/; HttpOnly")
        assert is_anonymous(rig, thief)


def _raising(error: Exception) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


class _Broken:
    """A cipher that fails, whatever it is asked."""

    error: Exception = InvalidTag()

    def __init__(self, _: bytes) -> None:
        pass

    def encrypt(self, *_: object) -> NoReturn:
        """Fails."""
        raise self.error

    decrypt = encrypt


FAILURES = [
    InvalidTag(),
    InternalError("a fault of the library", []),
    RuntimeError("unforeseen"),
    ValueError("unforeseen"),
    MemoryError(),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_KY_08_cipher_that_fails(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """While records cannot be opened, nobody is anybody; afterwards everybody is who they were."""
    browser, form = _caller(rig)
    watch = Watch(rig)
    with monkeypatch.context() as patch:
        patch.setattr("webapp.store.sealing.AESGCM", type("B", (_Broken,), {"error": error}))
        _lets_nobody_in(rig, browser, form)
        callback = rig.cognito.issuer.approve(rig.browser().start(), rig.cognito.user("viewer"))
        stranger = rig.browser()
        landed = stranger.finish(callback)
        assert landed.status >= 400
    assert watch.new_sessions == 0
    assert browser.get("/session").status == 200


def _caller(rig: Rig) -> tuple[Browser, dict[str, str]]:
    browser = rig.signed_in("admin")
    return browser, {"csrf_token": browser.csrf(), "endpoint": "vip", "identity": "user"}


def _lets_nobody_in(rig: Rig, browser: Browser, form: dict[str, str]) -> None:
    """No page of a person, no call, no cookie taken away: 303 to the sign-in, or an error."""
    calls = len(rig.cognito.api.calls)
    for path in ("/session", "/credentials", "/me", "/"):
        answer = browser.get(path)
        assert "admin@example.com" not in answer.text
        assert answer.status in (303, 401, 500) or path == "/"
        assert answer.header_values("Set-Cookie") == []
    assert browser.post("/api/call", form, json=True).status in (401, 403, 500)
    assert len(rig.cognito.api.calls) == calls
    assert "Traceback" not in rig.log


@pytest.mark.parametrize("error", FAILURES[1:], ids=lambda error: type(error).__name__)
def test_KY_08_hash_that_fails(rig: Rig, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """While nothing can be hashed or compared, no form is taken and no ticket is found."""
    browser, form = _caller(rig)
    for name in ("digest", "compare_digest"):
        before = len(rig.cognito.api.calls)
        with monkeypatch.context() as patch:
            patch.setattr(hmac, name, _raising(error))
            for path in ("/api/call", "/logout", "/session/refresh", "/sessions/end-others"):
                # Even our error page needs a hash; without one the server answers in our stead.
                with suppress(type(error)):
                    assert browser.post(path, form, json=True).status in (401, 403, 500)
        assert len(rig.cognito.api.calls) == before
        assert living_sessions(rig) == 1
        assert browser.me()["signed_in"] is True


@pytest.mark.parametrize(
    "error",
    [*FAILURES[1:], BadSignatureError()],
    ids=lambda error: type(error).__name__,
)
def test_KY_08_verification_that_fails(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """While a signature cannot be checked, no token is taken: nobody is signed in."""
    rig.signed_in("viewer")
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    watch = Watch(rig)
    with monkeypatch.context() as patch:
        patch.setattr("webapp.managed_login.tokens.jws.deserialize_compact", _raising(error))
        response = browser.finish(callback)
    assert response.status in (400, 500)
    watch.no_session(response)
    assert is_anonymous(rig, browser)
    assert browser.sign_in(rig.cognito.user("admin")).status == 200


def _few_bytes(size: int) -> bytes:
    """Enough for the number of a request, and for no secret."""
    if size > 8:
        raise OSError("no random bytes")
    return bytes(size)


def test_KY_08_no_randomness(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that gives no random bytes gets no ticket, no state and no session made without."""
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
    watch = Watch(rig)
    with monkeypatch.context() as patch:
        patch.setattr(os, "urandom", _few_bytes)
        assert rig.browser().get("/login").status == 500
        response = browser.finish(callback)
        assert response.status == 500
    watch.no_session(response)
    assert is_anonymous(rig, browser)

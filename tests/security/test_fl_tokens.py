"""FL-20, FL-22 to FL-24 and FL-26: what the token endpoint says, who was here before, the store."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import pytest

from tests.doubles.evil import EvilHost
from tests.doubles.message import Answer
from tests.rig import Rig
from tests.security.outcomes import Watch, is_anonymous, living_sessions

Change = Callable[[dict[str, Any]], object]


def test_FL_20_token_endpoint_redirects(rig: Rig) -> None:
    """A redirect of the token endpoint is never followed, with tokens in its body or without."""
    token = rig.cognito.issuer.token
    with EvilHost() as evil:
        to = f"{evil.origin}/oauth2/token"

        def moved(status: int) -> Callable[[Answer], Answer]:
            return lambda true: true.having(
                status=status, headers=(("Location", to), ("Content-Type", "application/json"))
            )

        for status in (301, 302, 303, 307, 308):
            for with_tokens in (False, True):
                if with_tokens:
                    token.once.mutate(moved(status))
                else:
                    token.once.redirect(to, status)
                browser = rig.browser()
                callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
                watch = Watch(rig)
                watch.busy(browser.finish(callback), token_requests=1)
                assert is_anonymous(rig, browser)
        evil.assert_untouched()
    assert rig.signed_in("admin").me()["email"] == "admin@example.com"


LACKING: dict[str, Change] = {
    "no id_token": lambda body: body.pop("id_token"),
    "id_token null": lambda body: body.update(id_token=None),
    "id_token empty": lambda body: body.update(id_token=""),
    "id_token a number": lambda body: body.update(id_token=7),
    "id_token a list": lambda body: body.update(id_token=[body["id_token"]]),
    "no access_token": lambda body: body.pop("access_token"),
    "access_token null": lambda body: body.update(access_token=None),
    "access_token empty": lambda body: body.update(access_token=""),
    "access_token an object": lambda body: body.update(access_token={"a": 1}),
    "no tokens": lambda body: (body.pop("id_token"), body.pop("access_token")),
    "no token_type": lambda body: body.pop("token_type"),
    "token_type mac": lambda body: body.update(token_type="mac"),
    "token_type null": lambda body: body.update(token_type=None),
    "token_type a list": lambda body: body.update(token_type=["Bearer"]),
    "token_type with more": lambda body: body.update(token_type="Bearer "),
    "refresh_token a number": lambda body: body.update(refresh_token=7),
}


def test_FL_22_lacking_answer(rig: Rig) -> None:
    """A token answer without a part, or with one of another kind, signs nobody in."""
    for name, change in LACKING.items():
        rig.cognito.issuer.token.once.alter(change)
        browser = rig.browser()
        callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
        watch = Watch(rig)
        response = browser.finish(callback)
        code = watch.denied(response, token_requests=1)
        assert code in ("token_refused", "code_refused"), name
        assert is_anonymous(rig, browser)


TOLERATED: dict[str, Change] = {
    "no expires_in": lambda body: body.pop("expires_in"),
    "expires_in null": lambda body: body.update(expires_in=None),
    "expires_in text": lambda body: body.update(expires_in="3600"),
    "expires_in far too long": lambda body: body.update(expires_in=10**9),
    "expires_in zero": lambda body: body.update(expires_in=0),
    "expires_at in the past": lambda body: body.update(expires_at=1),
    "bearer": lambda body: body.update(token_type="bearer"),
    "BEARER": lambda body: body.update(token_type="BEARER"),
    "extra": lambda body: body.update(extra={"a": [1]}, scope="x", not_before=0, state="s"),
    "no refresh_token": lambda body: body.pop("refresh_token"),
}


def test_FL_23_tolerated_variants(rig: Rig) -> None:
    """Variants that the standards allow sign in, and the expiry is that of the JWT."""
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update(exp=claims["iat"] + 1200))
    for name, change in TOLERATED.items():
        rig.cognito.issuer.token.once.alter(change)
        me = rig.signed_in("admin").me()
        assert me["email"] == "admin@example.com", name
        assert 1100 < me["seconds_left"]["token"] <= 1200, name


def put(name: str, value: object, body: dict[str, Any]) -> None:
    """Set one member of a token answer."""
    body[name] = value


@pytest.mark.parametrize("name", ["expires_in", "expires_at"])
def test_FL_23_senseless_expiry(rig: Rig, name: str) -> None:
    """An expiry that is no number is no fault of ours: signed in or told plainly, never a 500."""
    senseless: list[object] = ["soon", [], {}, {"a": 1}, -1, 1e300, "9" * 5000, True]
    for value in senseless:
        rig.cognito.issuer.token.once.alter(partial(put, name, value))
        browser = rig.browser()
        callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("admin"))
        watch = Watch(rig)
        response = browser.finish(callback)
        assert watch.events("unforeseen") == [], value
        if response.status != 303:
            watch.busy(response, token_requests=1)


def test_FL_24_second_user_in_the_same_browser(rig: Rig) -> None:
    """When B signs in over A, A's record is gone and revoked, and nothing of A is left."""
    issuer = rig.cognito.issuer
    browser = rig.signed_in("admin", next="/credentials")
    assert browser.call("vip", "user").json()["status"] == 200
    old_csrf, old_ticket, thief = browser.csrf(), browser.cookies["portico"], browser.twin()
    refresh_token = next(iter(issuer.pool.refresh_tokens))
    unfinished = browser.start("/session?of=admin")
    browser.sign_in(rig.cognito.user("viewer"))

    assert living_sessions(rig) == 1
    assert is_anonymous(rig, thief)
    assert [request.form()["token"] for request in issuer.revoke.requests] == [refresh_token]
    assert browser.cookies["portico"] != old_ticket
    me = browser.me()
    assert me["email"] == "viewer@example.com"
    assert me["csrf_token"] != old_csrf
    for path in ("/", "/session", "/credentials", "/api"):
        assert "admin" not in browser.get(path).text.replace("signin.user.admin", ""), path
    assert browser.call("vip", "user").json()["status"] == 403
    form = {"csrf_token": old_csrf, "endpoint": "plain", "identity": "nobody"}
    assert browser.post("/api/call", form).status == 403
    landed = browser.finish(issuer.approve(unfinished, rig.cognito.user("viewer")))
    assert landed.header("Location") == "/"


def test_FL_24_same_person_again(rig: Rig) -> None:
    """The same person signing in again gets a new ticket, and the other tabs keep their aim."""
    browser = rig.signed_in("admin")
    old = browser.twin()
    other_tab = browser.start("/session?tab=2")
    browser.sign_in(rig.cognito.user("admin"))
    assert is_anonymous(rig, old)
    assert living_sessions(rig) == 1
    landed = browser.finish(rig.cognito.issuer.approve(other_tab, rig.cognito.user("admin")))
    assert landed.header("Location") == "/session?tab=2"


@contextmanager
def no_store(rig: Rig) -> Iterator[None]:
    """The store answers nothing meanwhile: its tables are away."""
    names = ("sessions", "claims")
    with closing(sqlite3.connect(rig.store_path, isolation_level=None)) as store:
        for name in names:
            store.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
        try:
            yield
        finally:
            for name in names:
                store.execute(f"ALTER TABLE {name}_away RENAME TO {name}")


@contextmanager
def locked_store(rig: Rig) -> Iterator[None]:
    """The store takes no write meanwhile: somebody else holds its lock."""
    with closing(sqlite3.connect(rig.store_path, isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            store.execute("ROLLBACK")


@pytest.mark.parametrize("cut", [no_store, locked_store])
@pytest.mark.parametrize("before", ["nobody", "viewer"])
def test_FL_26_store_down_during_callback(rig: Rig, cut: Any, before: str) -> None:
    """Without the store the code is not spent: 503, and a reload of the same address signs in."""
    browser = rig.browser() if before == "nobody" else rig.signed_in(before)
    callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
    held = browser.cookies.save()
    watch = Watch(rig)
    with cut(rig):
        response = browser.finish(callback)
    watch.busy(response, token_requests=0)
    assert browser.cookies.save() == held
    again = browser.finish(callback)
    assert (again.status, again.header("Location")) == (303, "/session")
    assert browser.me()["email"] == "admin@example.com"
    assert watch.token_requests == 1
    assert living_sessions(rig) == 1

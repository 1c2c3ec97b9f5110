"""ID-04: a user pool that answers with nonsense is out of order, and is never believed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.doubles.browser import Browser
from tests.doubles.faults import Faults
from tests.doubles.message import Answer
from tests.doubles.response import Response
from tests.rig import Rig
from tests.security.events import event_lines
from tests.security.outcomes import Watch, is_anonymous, living_sessions, restart_link
from webapp.app import create_app
from webapp.errors import ProviderUnavailable
from webapp.managed_login.keys import SigningKeys
from webapp.managed_login.metadata import Metadata
from webapp.outbound import Outbound
from webapp.services import build

PAGE = b"<!doctype html><title>502</title><h1>Bad Gateway</h1>"
PLAIN = {"Content-Type": "application/json"}


def _utf_16(answer: Answer) -> Answer:
    return answer.having(body=answer.body.decode().encode("utf-16"))


def _latin_1(answer: Answer) -> Answer:
    document = {**json.loads(answer.body), "note": "caf\xe9"}
    return answer.having(body=json.dumps(document, ensure_ascii=False).encode("latin-1"))


def _as(kind: str) -> Callable[[Answer], Answer]:
    return lambda answer: answer.having(headers=(("Content-Type", kind),))


def _repeated(answer: Answer) -> Answer:
    """The whole document twice over: each member comes two times, with the same value."""
    inner = answer.body.strip()[1:-1]
    return answer.having(body=b"{" + inner + b", " + inner + b"}")


def _shortened(answer: Answer) -> Answer:
    """Half a document, under a length that claims to be whole."""
    return answer.having(body=answer.body[: len(answer.body) // 2])


NONSENSE: dict[str, Callable[[Faults], object]] = {
    "html": lambda one: one.answer(200, PAGE, {"Content-Type": "text/html"}),
    "html-called-json": lambda one: one.answer(200, PAGE, PLAIN),
    "html-400": lambda one: one.answer(400, PAGE, {"Content-Type": "text/html"}),
    "empty": lambda one: one.answer(200, b"", PLAIN),
    "empty-400": lambda one: one.answer(400, b"", PLAIN),
    "no-content": lambda one: one.answer(204),
    "array": lambda one: one.answer(200, []),
    "null": lambda one: one.answer(200, b"null", PLAIN),
    "text": lambda one: one.answer(200, b'"ok"', PLAIN),
    "cut-short": lambda one: one.truncate(40),
    "half": lambda one: one.mutate(_shortened),
    "utf-16": lambda one: one.mutate(_utf_16),
    "latin-1": lambda one: one.mutate(_latin_1),
    "not-json": lambda one: one.mutate(_as("text/html; charset=utf-8")),
    "not-json-2": lambda one: one.mutate(_as("application/octet-stream")),
    "repeated": lambda one: one.mutate(_repeated),
    "deep": lambda one: one.answer(200, b'{"a":' * 20_000 + b"1" + b"}" * 20_000, PLAIN),
    "long-number": lambda one: one.answer(200, b'{"a":' + b"9" * 5000 + b"}", PLAIN),
    "nan": lambda one: one.answer(200, b'{"expires_in": NaN}', PLAIN),
    "accepted": lambda one: one.answer(202, {"status": "pending"}),
}
# RFC 7517 asks for no type, and some key sets are served as plain files: signatures are the proof.
KEY_SETS = {name: talk for name, talk in NONSENSE.items() if not name.startswith("not-json")}


def _one_line(rig: Rig, before: int) -> None:
    """The operator finds one line about it, with its code, and no trace of a fault of ours."""
    lines = [line for line in event_lines(rig.log[before:]) if line["level"] == "error"]
    assert [(line["event"], line["code"]) for line in lines] == [
        ("refused", "provider_unavailable")
    ]
    assert "Traceback" not in rig.log


def _refused_for_now(rig: Rig, browser: Browser, response: Response) -> None:
    """BUSY at a sign-in: nobody is signed in, and the way back to the page is offered."""
    assert response.status == 503
    assert int(response.header("Retry-After") or 0) > 0
    assert restart_link(response) == "/login?next=/session"
    assert '"unforeseen"' not in rig.log
    assert is_anonymous(rig, browser)


def _recovers(rig: Rig, browser: Browser) -> None:
    rig.cognito.heal()
    rig.clock.advance(60)
    assert browser.sign_in(rig.cognito.user("admin"), next="/session").status == 200


def test_ID_04_at_the_callback(rig: Rig) -> None:
    """Nonsense for a token answer signs nobody in, is one line, and the way back is offered."""
    for name, talk in NONSENSE.items():
        browser = rig.browser()
        callback = rig.cognito.issuer.approve(browser.start("/session"), rig.cognito.user("admin"))
        watch, before = Watch(rig), len(rig.log)
        talk(rig.cognito.issuer.token)
        response = browser.finish(callback)
        with naming(name):
            watch.busy(response, token_requests=1)
            _one_line(rig, before)
            _refused_for_now(rig, browser, response)
            _recovers(rig, browser)


def test_ID_04_at_a_refresh(rig: Rig) -> None:
    """Nonsense for a refresh costs a wait and never the session, which recovers by itself."""
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = 600
    browser = rig.signed_in("admin")
    ticket = browser.cookies["portico"]
    for name, talk in NONSENSE.items():
        rig.clock.advance(605)
        watch, before = Watch(rig), len(rig.log)
        talk(rig.cognito.issuer.token)
        with naming(name):
            watch.busy(browser.get("/session"), token_requests=1)
            _one_line(rig, before)
            assert (browser.cookies["portico"], living_sessions(rig)) == (ticket, 1)
            rig.cognito.heal()
            assert browser.get("/session").status == 200


def _newborn(rig: Rig) -> Browser:
    """A browser at a process that has just begun, with neither addresses nor keys."""
    app = create_app(rig.settings, build(rig.settings, now=rig.clock), now=rig.clock)
    return Browser.for_app(app, rig.base_url, issuer=rig.cognito.issuer, now=rig.clock)


def _rooms(rig: Rig) -> tuple[Metadata, SigningKeys]:
    """The two rooms that hold the pool's documents, as empty as at a start."""
    outbound, at = Outbound(), rig.settings
    metadata = Metadata(
        outbound, issuer=at.issuer, discovery_url=at.discovery_url, domain=None, now=rig.clock
    )
    return metadata, SigningKeys(outbound, metadata, now=rig.clock)


def test_ID_04_documents_of_a_cold_start(rig: Rig) -> None:
    """A start without addresses or keys takes no nonsense for them, and the first sound ones."""
    issuer = rig.cognito.issuer
    for endpoint, cases in ((issuer.discovery, NONSENSE), (issuer.jwks, KEY_SETS)):
        for name, talk in cases.items():
            metadata, keys = _rooms(rig)
            talk(endpoint)
            with naming(f"{endpoint.name} {name}"):
                with pytest.raises(ProviderUnavailable):
                    keys.warm()
                assert not keys.ready
                assert (metadata.peek() is None) is (endpoint is issuer.discovery)
                rig.cognito.heal()
                rig.clock.advance(60)
                keys.warm()
                assert keys.ready


@pytest.mark.parametrize("name", ["discovery", "jwks"])
def test_ID_04_sign_in_at_a_cold_start(rig: Rig, name: str) -> None:
    """Whoever signs in at such a start is told that nobody was signed in, and can right after."""
    NONSENSE["html"](getattr(rig.cognito.issuer, name))
    browser = _newborn(rig)
    response = browser.get("/login?next=/session")
    if name == "jwks":
        callback = rig.cognito.issuer.approve(response.location, rig.cognito.user("admin"))
        response = browser.finish(callback)
    _refused_for_now(rig, browser, response)
    _recovers(rig, browser)


def test_ID_04_from_userinfo(rig: Rig) -> None:
    """Nonsense for userInfo is 503; what is known of the person stays, and nothing of it shows."""
    browser = rig.signed_in("admin")
    form = {"csrf_token": browser.csrf()}
    for name, talk in NONSENSE.items():
        rig.cognito.issuer.user_info.forget()
        watch, before = Watch(rig), len(rig.log)
        talk(rig.cognito.issuer.user_info)
        with naming(name):
            watch.busy(browser.post("/session/userinfo", form), token_requests=0)
            assert rig.cognito.issuer.user_info.count == 1
            _one_line(rig, before)
            assert "not asked" in browser.get("/session").text
        rig.cognito.heal()
    assert living_sessions(rig) == 1
    assert browser.post("/session/userinfo", form).status == 303
    assert "not asked" not in browser.get("/session").text


@contextmanager
def naming(case: str) -> Iterator[None]:
    """An assertion that fails in the block says in which case."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"case: {case}")
        raise

"""SE-14, SE-15, SE-18, SE-19 and SO-11: one person in several browsers, and an operator."""

import json
import time
from functools import partial
from pathlib import Path

import pytest

from infra.local.process import free_port
from tests.doubles.browser import Browser
from tests.race import at_once
from tests.rig import Rig, rigged
from tests.security.outcomes import is_anonymous, living_sessions
from webapp.app import create_app
from webapp.services import build

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/19.0 Mobile/15E148 Safari/604.1"
)


def _signed_in(rig: Rig, agent: str, user: str = "viewer") -> Browser:
    browser = rig.browser()
    browser.user_agent = agent
    browser.sign_in(rig.cognito.user(user))
    return browser


def _listed(browser: Browser) -> list[dict[str, object]]:
    answer = browser.get("/sessions", headers={"Accept": "application/json"})
    assert answer.status == 200
    listed: list[dict[str, object]] = json.loads(answer.text)["sessions"]
    return listed


def _run(rig: Rig, *words: str) -> tuple[int, str]:
    result = rig.app.test_cli_runner().invoke(args=["sessions", *words])
    return result.exit_code, result.output


def _subject(rig: Rig, user: str = "viewer") -> str:
    return rig.cognito.user(user).sub


def test_SE_14_a_person_sees_their_sessions(rig: Rig) -> None:
    """The page shows this browser and the others by coarse name, and nobody else's."""
    desk = _signed_in(rig, FIREFOX)
    _signed_in(rig, FIREFOX, "admin")
    rig.clock.advance(120)
    phone = _signed_in(rig, SAFARI)
    entries = _listed(phone)
    assert [(one["client"], one["is_this"]) for one in entries] == [
        ("Safari on iPhone", True),
        ("Firefox on Linux", False),
    ]
    assert int(str(entries[0]["created_at"])) - int(str(entries[1]["created_at"])) == 120
    text = desk.get("/sessions").page.text
    assert "Safari on iPhone" in text
    assert "Firefox on Linux" in text
    assert len(_listed(desk)) == 2


def test_SE_14_one_ended_from_another_browser(rig: Rig) -> None:
    """A session that is ended from another browser is over at that browser's next request."""
    desk, phone, third = (_signed_in(rig, agent) for agent in (FIREFOX, SAFARI, FIREFOX))
    target = next(one for one in _listed(desk) if one["client"] == "Safari on iPhone")
    answer = desk.post("/sessions/end", {"csrf_token": desk.csrf(), "name": str(target["name"])})
    assert (answer.status, answer.header("Location")) == (303, "/sessions")
    assert "has ended" in desk.get("/sessions").page.text
    assert is_anonymous(rig, phone)
    assert desk.get("/session").status == 200
    assert third.get("/session").status == 200
    assert "session_ended_by_person" in rig.log


def test_SE_14_all_others_ended(rig: Rig) -> None:
    """Ending all others leaves this browser signed in, and everybody else's sessions alone."""
    desk, phone = _signed_in(rig, FIREFOX), _signed_in(rig, SAFARI)
    somebody = _signed_in(rig, FIREFOX, "admin")
    assert desk.post("/sessions/end-others", {"csrf_token": desk.csrf()}).status == 303
    assert is_anonymous(rig, phone)
    assert desk.get("/session").status == 200
    assert somebody.get("/session").status == 200
    assert living_sessions(rig) == 2


@pytest.mark.parametrize("path", ["/sessions/end", "/sessions/end-others"])
def test_SE_14_ending_wants_proof(rig: Rig, path: str) -> None:
    """Without the form's proof, from another site or by nobody, nothing is ended."""
    desk, phone = _signed_in(rig, FIREFOX), _signed_in(rig, SAFARI)
    name = next(str(one["name"]) for one in _listed(desk) if not one["is_this"])
    token = desk.csrf()
    assert desk.post(path, {"name": name}).status == 403
    assert desk.post(path, {"name": name, "csrf_token": phone.csrf()}).status == 403
    crossing = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = desk.post(path, {"name": name, "csrf_token": token}, headers=crossing)
    assert answer.status == 403
    assert desk.get(path).status == 405
    assert rig.browser().post(path, {"name": name, "csrf_token": token}).status == 303
    assert living_sessions(rig) == 2


def test_SE_14_nobody_ends_anothers(rig: Rig) -> None:
    """The name of somebody else's session ends nothing, and neither does a name of no form."""
    desk, victim = _signed_in(rig, FIREFOX), _signed_in(rig, SAFARI, "admin")
    name = str(_listed(victim)[0]["name"])
    desk.post("/sessions/end", {"csrf_token": desk.csrf(), "name": name})
    assert victim.get("/session").status == 200
    for odd in ("", "x", "a" * 16, "\x00" * 16, "../" * 5 + "a"):
        answer = desk.post("/sessions/end", {"csrf_token": desk.csrf(), "name": odd})
        assert answer.status in (303, 400)
    own = str(_listed(desk)[0]["name"])
    assert desk.post("/sessions/end", {"csrf_token": desk.csrf(), "name": own}).status == 400
    assert living_sessions(rig) == 2


def test_SE_14_the_name_opens_nothing(rig: Rig) -> None:
    """What the list calls a session is not its cookie, nor any part of it."""
    desk = _signed_in(rig, FIREFOX)
    name = str(_listed(desk)[0]["name"])
    assert name not in desk.cookies["portico"]
    thief = rig.browser()
    thief.cookies["portico"] = name
    assert is_anonymous(rig, thief)


def test_SO_11_everywhere_ends_every_browser(rig: Rig) -> None:
    """Signing out everywhere ends all of a person's sessions and revokes every refresh token."""
    desk, phone = _signed_in(rig, FIREFOX), _signed_in(rig, SAFARI)
    desk.post("/logout", {"csrf_token": desk.csrf(), "depth": "everywhere"})
    assert is_anonymous(rig, desk)
    assert is_anonymous(rig, phone)
    assert living_sessions(rig) == 0
    tokens = rig.cognito.issuer.pool.refresh_tokens.values()
    assert len(tokens) == 2
    assert all(token.occasion.revoked for token in tokens)


def test_SE_15_operator_ends_one_person(rig: Rig) -> None:
    """The command ends all sessions of one person at once, and of nobody else."""
    desk, phone = _signed_in(rig, FIREFOX), _signed_in(rig, SAFARI)
    somebody = _signed_in(rig, FIREFOX, "admin")
    assert _run(rig, "end", _subject(rig), "--yes", "--json") == (0, '{"ended": 2}\n')
    assert is_anonymous(rig, desk)
    assert is_anonymous(rig, phone)
    assert somebody.get("/session").status == 200
    assert _run(rig, "end", _subject(rig), "--yes")[0] == 1
    assert "sessions_ended_by_operator" in rig.log


def test_SE_15_operator_ends_everyone(rig: Rig) -> None:
    """Everybody is out on every host within a second, and may sign in again at once."""
    browsers = [_signed_in(rig, FIREFOX, user) for user in ("viewer", "admin")]
    other_host = create_app(rig.settings, build(rig.settings, now=rig.clock), now=rig.clock)
    elsewhere = Browser.for_app(other_host, rig.base_url, now=rig.clock)
    elsewhere.cookies["portico"] = browsers[1].cookies["portico"]
    assert elsewhere.get("/session").status == 200
    assert _run(rig, "end", "--everyone", "--yes") == (0, "Every session there was has ended.\n")
    ended_at = time.monotonic()
    assert all(is_anonymous(rig, browser) for browser in browsers)
    while not is_anonymous(rig, elsewhere):
        assert time.monotonic() < ended_at + 1
    again = _signed_in(rig, FIREFOX)
    assert again.get("/session").status == 200
    elsewhere.cookies["portico"] = again.cookies["portico"]
    assert elsewhere.get("/session").status == 200


def test_SE_15_everyone_includes_guests_and_moved_sessions(rig: Rig) -> None:
    """No session from before comes through: a guest's neither, nor one that gets a new ticket."""
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = 600
    guest, viewer = rig.browser(), _signed_in(rig, FIREFOX)
    guest.call("test-public", "guest")
    assert "portico" in guest.cookies
    assert _run(rig, "end", "--everyone", "--yes")[0] == 0
    rig.cognito.user("viewer").groups = ["Manager"]
    rig.clock.advance(601)
    assert is_anonymous(rig, viewer)
    refreshes = rig.cognito.issuer.token.count
    guest.get("/api")
    assert "session_not_found" in rig.log
    assert rig.cognito.issuer.token.count == refreshes


@pytest.mark.parametrize(
    "words",
    [("end",), ("end", "somebody", "--everyone"), ("end", "--everyone", "--name", "x"), ("list",)],
)
def test_SE_15_a_wrong_command_ends_nothing(rig: Rig, words: tuple[str, ...]) -> None:
    """A command that does not say whose sessions it means is refused with a sentence."""
    viewer = _signed_in(rig, FIREFOX)
    code, said = _run(rig, *words)
    assert code == 2
    assert "Traceback" not in said
    assert viewer.get("/session").status == 200


def test_SE_15_nobody_to_ask(rig: Rig) -> None:
    """Without --yes and without a terminal nothing is ended, and the cure is said."""
    viewer = _signed_in(rig, FIREFOX)
    code, said = _run(rig, "end", _subject(rig))
    assert (code, "--yes" in said) == (2, True)
    assert viewer.get("/session").status == 200


def test_the_operators_list(rig: Rig) -> None:
    """The list names since, last seen and browser, in a table and as JSON, and no secret."""
    _signed_in(rig, FIREFOX)
    code, table = _run(rig, "list", _subject(rig))
    assert code == 0
    assert table.splitlines()[0].split() == ["NAME", "SIGNED", "IN", "LAST", "SEEN", "BROWSER"]
    assert table.splitlines()[1].endswith("Firefox on Linux")
    (one,) = json.loads(_run(rig, "list", _subject(rig), "--json")[1])["sessions"]
    assert sorted(one) == ["client", "created_at", "name", "seen_at"]
    assert _run(rig, "end", _subject(rig), "--name", one["name"], "--yes")[0] == 0
    assert _run(rig, "list", _subject(rig)) == (1, "This person has no session.\n")


def test_the_operators_purge(rig: Rig) -> None:
    """What has ended is removed, what lives stays."""
    _signed_in(rig, SAFARI)
    rig.clock.advance(rig.settings.session_idle_seconds - 10)
    viewer = _signed_in(rig, FIREFOX)
    rig.clock.advance(20)
    code, said = _run(rig, "purge", "--json")
    assert (code, json.loads(said)["removed"] >= 1) == (0, True)
    assert living_sessions(rig) == 1
    assert json.loads(_run(rig, "purge", "--json")[1]) == {"removed": 0}
    assert viewer.get("/session").status == 200


def test_commands_while_the_store_is_away(tmp_path: Path) -> None:
    """A store out of reach is one sentence and status 3, never a traceback."""
    asked = (("list", "x"), ("end", "x", "--yes"), ("end", "--everyone", "--yes"))
    with rigged(tmp_path, SESSION_STORE_URL=f"redis://127.0.0.1:{free_port()}") as rig:
        for words in asked:
            assert _run(rig, *words) == (3, "The session store does not answer.\n")


def test_SE_18_the_oldest_goes(tmp_path: Path) -> None:
    """Of fifty sign-ins of one person as many live as the cap says: the newest, told so."""
    with rigged(tmp_path, SESSION_MAX_PER_PERSON="5") as rig:
        somebody = _signed_in(rig, SAFARI, "admin")
        browsers = []
        for _ in range(50):
            rig.clock.advance(1)
            browsers.append(_signed_in(rig, FIREFOX))
        landed = browsers[-1].responses[-1]
        assert [is_anonymous(rig, one) for one in browsers] == [True] * 45 + [False] * 5
        assert len(_listed(browsers[-1])) == 5
        assert somebody.get("/session").status == 200
        assert "oldest" in landed.page.text
        assert "oldest_sessions_ended" in rig.log


def test_SE_18_signing_in_again_ends_nobody(tmp_path: Path) -> None:
    """One browser that signs in again and again takes one place, so the other stays."""
    with rigged(tmp_path, SESSION_MAX_PER_PERSON="2") as rig:
        phone, desk = _signed_in(rig, SAFARI), _signed_in(rig, FIREFOX)
        for _ in range(4):
            rig.clock.advance(1)
            desk.sign_in(rig.cognito.user("viewer"))
        assert not is_anonymous(rig, phone)
        assert "oldest" not in desk.get("/").page.text


def test_SE_18_at_once(tmp_path: Path) -> None:
    """Sign-ins at the same moment keep the cap as well."""
    with rigged(tmp_path, SESSION_MAX_PER_PERSON="3") as rig:
        browsers = [rig.browser() for _ in range(8)]
        user = rig.cognito.user("viewer")
        at_once(*[partial(browser.sign_in, user) for browser in browsers])
        assert living_sessions(rig) == 3


def test_SE_19_a_cookie_in_another_browser(rig: Rig) -> None:
    """A cookie that turns up in another browser and network is one audit event with both named."""
    desk = _signed_in(rig, FIREFOX)
    thief = desk.twin()
    thief.user_agent = SAFARI
    for _ in range(3):
        assert thief.get("/session", headers={"X-Forwarded-For": "198.51.100.7"}).status == 200
    desk.get("/session")
    lines = [json.loads(line) for line in rig.log.splitlines()]
    (told,) = [line for line in lines if line["event"] == "session_in_another_browser"]
    assert (told["began_in"], told["now_in"]) == ("Firefox on Linux", "Safari on iPhone")
    assert (told["level"], told["same_network"]) == ("warning", True)
    assert told["subject"] == _subject(rig)
    assert told["session"]
    assert desk.cookies["portico"] not in rig.log


def test_SE_19_another_network(secure_rig: Rig) -> None:
    """The event says whether the network is another as well, as the proxy tells it."""
    desk = secure_rig.browser()
    desk.user_agent = FIREFOX
    desk.sign_in(secure_rig.cognito.user("viewer"))
    thief = desk.twin()
    thief.user_agent = SAFARI
    thief.get("/session", headers={"X-Forwarded-For": "198.51.100.7"})
    told = [line for line in secure_rig.log.splitlines() if "session_in_another" in line]
    assert [json.loads(line)["same_network"] for line in told] == [False]

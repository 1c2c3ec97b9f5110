"""Tokens are renewed before they end, once, and an outage costs nobody a session."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.race import at_once
from tests.rooms import Rooms, joined
from webapp.errors import ProviderUnavailable, SessionEnded
from webapp.managed_login.facts import GrantRefused, TokenAnswer
from webapp.records import TokenSet
from webapp.store.vault import Session

CROWD = 20


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms over one SQLite file; time moves by hand."""
    return joined(tmp_path / "sessions.db")


def tokens_of(session: Session) -> TokenSet:
    """The tokens of a session that has some."""
    assert session.record.tokens is not None
    return session.record.tokens


def _stored(rooms: Rooms, session: Session) -> TokenSet:
    current = rooms.vault.reload(session)
    assert current is not None
    return tokens_of(current)


def _refuse(error: str) -> Callable[[], object]:
    def raising() -> object:
        raise GrantRefused(error)

    return raising


def test_young_tokens_are_left_alone(rooms: Rooms) -> None:
    """Until five minutes before the end nothing is asked, and the session is as it was."""
    session = rooms.session()
    rooms.clock.advance(3600 - 302)
    assert rooms.freshness.keep(session) is session
    assert rooms.login.refreshed == []


def test_renewed_a_minute_before_the_end(rooms: Rooms) -> None:
    """In the last minute the tokens are renewed, so that no page meets a dead one."""
    session = rooms.session()
    rooms.clock.advance(3600 - 59)
    fresh = rooms.freshness.keep(session)
    assert tokens_of(fresh).expires_at > rooms.clock() + 3500
    assert fresh.ticket == session.ticket
    assert fresh.record.refreshed_at == int(rooms.clock())
    assert {"jti", "exp", "iat"} <= set(fresh.record.changed_claims)


def test_short_tokens_are_not_renewed_all_the_time(rooms: Rooms) -> None:
    """Tokens of half a minute are renewed in their last fifth, not from their first second."""
    rooms.pool.mint.id_lifetime = rooms.pool.mint.access_lifetime = 30
    session = rooms.session()
    rooms.clock.advance(23)
    rooms.freshness.keep(session)
    assert rooms.login.refreshed == []
    rooms.clock.advance(5)
    rooms.freshness.keep(session)
    assert len(rooms.login.refreshed) == 1


def test_guests_have_nothing_to_renew(rooms: Rooms) -> None:
    """A session without tokens passes untouched, and cannot be renewed by hand."""
    guest = rooms.vault.create(replace(rooms.record(), person=None, tokens=None))
    assert rooms.freshness.keep(guest) is guest
    with pytest.raises(SessionEnded):
        rooms.freshness.renew(guest)


@pytest.mark.parametrize("dead", [False, True])
def test_CC_01_one_refresh_for_a_crowd(rooms: Rooms, dead: bool) -> None:
    """Twenty requests on two workers cause one refresh, and whoever needs them has its tokens."""
    rooms.pool.rotation = True
    session = rooms.session()
    workers = [rooms, rooms.twin()]
    rooms.clock.advance(3601 if dead else 3570)
    found = at_once(
        *(partial(workers[number % 2].freshness.keep, session) for number in range(CROWD))
    )
    assert len(rooms.login.refreshed) == 1
    newest = _stored(rooms, session)
    for one in found:
        assert isinstance(one, Session), repr(one)
        if dead:
            assert tokens_of(one) == newest
        else:
            assert tokens_of(one).expires_at > rooms.clock()
    assert newest.refresh_token != tokens_of(session).refresh_token


def test_CC_01_one_refresh_for_a_crowd_without_an_id_token(rooms: Rooms) -> None:
    """Also an answer that brings no ID token is the one answer for all who waited."""
    rooms.login.answer = lambda answer: replace(answer, id_token=None)
    session = rooms.session()
    rooms.expire_tokens()
    found = at_once(*(partial(rooms.freshness.keep, session) for _ in range(5)))
    assert len(rooms.login.refreshed) == 1
    assert all(isinstance(one, Session) for one in found)


def test_a_refresh_token_that_is_not_returned_stays(rooms: Rooms) -> None:
    """Without rotation the old refresh token goes on serving."""
    session = rooms.session()
    for _ in range(3):
        rooms.expire_tokens()
        session = rooms.freshness.keep(session)
    assert set(rooms.login.refreshed) == {tokens_of(session).refresh_token}


def test_a_rotated_refresh_token_replaces_the_old(rooms: Rooms) -> None:
    """With rotation each refresh uses the token that the one before brought."""
    rooms.pool.rotation = True
    session = rooms.session()
    for _ in range(3):
        rooms.expire_tokens()
        session = rooms.freshness.keep(session)
    assert len(set(rooms.login.refreshed)) == 3
    assert tokens_of(session) == _stored(rooms, session)


def test_a_rotated_token_survives_missing_keys(rooms: Rooms) -> None:
    """When the answer cannot be checked for want of keys, the rotated token is kept."""
    rooms.pool.rotation = True
    session = rooms.session()
    rooms.expire_tokens()
    rooms.keys.down = True
    with pytest.raises(ProviderUnavailable):
        rooms.freshness.keep(session)
    rooms.keys.down = False
    rooms.clock.advance(6)
    assert tokens_of(rooms.freshness.keep(session)).expires_at > rooms.clock()
    first, second = rooms.login.refreshed
    assert first != second


def test_down_with_living_tokens(rooms: Rooms) -> None:
    """A provider that is down disturbs nobody while the tokens live, and is asked with pauses."""
    session = rooms.session()
    rooms.clock.advance(3560)
    rooms.login.down = True
    assert [rooms.freshness.keep(session) for _ in range(50)] == [session] * 50
    assert len(rooms.login.refreshed) == 1
    rooms.clock.advance(6)
    rooms.login.down = False
    assert tokens_of(rooms.freshness.keep(session)).expires_at > rooms.clock() + 3000


def test_down_with_dead_tokens(rooms: Rooms) -> None:
    """Dead tokens and no provider: a clear error, the session kept, and recovery by itself."""
    session = rooms.session()
    rooms.expire_tokens()
    rooms.login.down = True
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            rooms.freshness.keep(session)
    assert rooms.vault.reload(session) == session
    rooms.login.down = False
    assert tokens_of(rooms.freshness.keep(session)).expires_at > rooms.clock()


def test_a_refused_grant_ends_the_session_once(rooms: Rooms) -> None:
    """A revoked refresh token ends the session, and the second request finds it ended."""
    session = rooms.session()
    rooms.pool.revoke_all(rooms.users["admin"])
    rooms.expire_tokens()
    with pytest.raises(SessionEnded) as first:
        rooms.freshness.keep(session)
    assert first.value.code == "refresh_refused"
    assert rooms.living == 0
    with pytest.raises(SessionEnded) as second:
        rooms.freshness.keep(session)
    assert second.value.code == "ended_meanwhile"
    assert len(rooms.login.refreshed) == 1


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "unknown"])
def test_a_refused_application_ends_nobody(rooms: Rooms, error: str) -> None:
    """When the pool refuses the client and not the person, all sessions stay and alarm is given."""
    session = rooms.session()
    rooms.clock.advance(3560)
    rooms.login.before = _refuse(error)
    assert rooms.freshness.keep(session) is session
    assert [(one.code, one.facts["alarm"]) for one in rooms.reports] == [(error, True)]
    rooms.clock.advance(60)
    with pytest.raises(ProviderUnavailable) as refused:
        rooms.freshness.keep(session)
    assert (refused.value.code, refused.value.facts["alarm"]) == (error, True)
    assert rooms.vault.reload(session) == session


def test_without_a_refresh_token_the_session_ends_with_its_tokens(rooms: Rooms) -> None:
    """A pool that gives no refresh token means a session as long as the tokens."""
    record = rooms.record()
    assert record.tokens
    session = rooms.vault.create(replace(record, tokens=replace(record.tokens, refresh_token=None)))
    rooms.expire_tokens()
    with pytest.raises(SessionEnded):
        rooms.freshness.keep(session)
    assert rooms.living == 0


def test_tokens_of_somebody_else_end_the_session(rooms: Rooms) -> None:
    """A refresh that brings another person's tokens ends the session with an alarm."""
    session = rooms.session()
    foreign = rooms.pool.sign_in(rooms.users["viewer"])
    rooms.expire_tokens()
    foreign = rooms.pool.new_tokens(rooms.pool.occasions[-1])
    rooms.login.answer = lambda answer: TokenAnswer(
        foreign["id_token"], foreign["access_token"], answer.refresh_token
    )
    with pytest.raises(SessionEnded) as ended:
        rooms.freshness.keep(session)
    assert ended.value.facts["alarm"] is True
    assert rooms.living == 0


def test_a_change_of_groups_brings_a_new_ticket_and_drops_the_keys(rooms: Rooms) -> None:
    """New rights mean a new ticket at once, and the AWS keys of the old rights are gone."""
    session = rooms.session("viewer")
    rooms.users["viewer"].groups = ["Manager"]
    rooms.expire_tokens()
    fresh = rooms.freshness.keep(session)
    assert fresh.ticket != session.ticket
    assert rooms.vault.open(session.ticket.text) is None
    assert fresh.record.person
    assert fresh.record.person.groups == ("Manager",)
    assert fresh.record.user_keys is None
    assert rooms.vault.reload(fresh) == fresh

"""CC: sign-out against refresh and against every write, a thousand rounds each."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.race import Race
from tests.rooms import Rooms, joined
from webapp.errors import SessionEnded
from webapp.records import AwsKeys, SessionRecord
from webapp.store.vault import Session

ROUNDS = 1000


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms over one SQLite file, with rotation of refresh tokens on."""
    made = joined(tmp_path / "sessions.db")
    made.pool.rotation = True
    return made


def _same_person(rooms: Rooms, _: int) -> None:
    rooms.users["admin"].groups = ["Admin"]


def _other_groups(rooms: Rooms, number: int) -> None:
    rooms.users["admin"].groups = [f"Team{number}"]


@pytest.mark.parametrize("before_refresh", [_same_person, _other_groups])
def test_CC_05_sign_out_races_refresh(
    rooms: Rooms, before_refresh: Callable[[Rooms, int], None]
) -> None:
    """However a sign-out and a refresh meet, no session lives on and no refresh token either."""
    record = rooms.record()
    assert record.tokens
    occasion = rooms.pool.occasions[-1]
    won = 0
    with Race() as race:
        for number in range(ROUNDS):
            occasion.revoked = False
            token = rooms.pool.new_refresh_token(occasion)
            tokens = replace(record.tokens, refresh_token=token, expires_at=int(rooms.clock()) + 1)
            session = rooms.vault.create(replace(record, tokens=tokens))
            before_refresh(rooms, number)
            fresh, _ = race.run(
                partial(rooms.freshness.keep, session),
                partial(rooms.sign_out.end, session, "cognito"),
            )
            assert rooms.vault.reload(session) is None
            if isinstance(fresh, Session):
                won += 1
                assert rooms.vault.reload(fresh) is None, f"alive again in round {number}"
            else:
                assert isinstance(fresh, SessionEnded), repr(fresh)
            newest = list(rooms.pool.refresh_tokens)[-1]
            assert newest in rooms.login.revoked, f"a token won late lives on, round {number}"
    assert rooms.living == 0
    # Both orders must have come about, or this proved nothing.
    assert 0 < won < ROUNDS


def _touched(rooms: Rooms, session: Session) -> Session:
    return rooms.vault.touch(session)


def _changed(
    change: Callable[[SessionRecord], SessionRecord],
) -> Callable[[Rooms, Session], Session]:
    return lambda rooms, session: rooms.vault.change(session, change)


KEYS = AwsKeys("us-east-1:1", "ASIA1", "secret", "token", 1, 4_000_000_000)
WRITES = {
    "last-seen": _touched,
    "credentials": _changed(lambda record: replace(record, user_keys=KEYS)),
    "userinfo": _changed(lambda record: replace(record, userinfo={"sub": "x"}, userinfo_at=1)),
    "role": _changed(lambda record: replace(record, chosen_role="arn:x", user_keys=None)),
    "new-ticket": lambda rooms, session: rooms.vault.move(session),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_CC_06_sign_out_races_a_write(
    rooms: Rooms, write: Callable[[Rooms, Session], Session]
) -> None:
    """However a sign-out and a write of the session meet, the session stays gone."""
    record = replace(rooms.record(), seen_at=int(rooms.clock()) - 120)
    written = 0
    with Race() as race:
        for number in range(ROUNDS // len(WRITES)):
            session = rooms.vault.create(record)
            kept, ended = race.run(
                partial(write, rooms, session), partial(rooms.vault.end, session)
            )
            assert isinstance(ended, SessionRecord), f"nothing ended in round {number}: {ended!r}"
            assert rooms.vault.reload(session) is None
            if isinstance(kept, Session):
                written += 1
                assert rooms.vault.reload(kept) is None, f"alive again in round {number}"
            else:
                assert isinstance(kept, SessionEnded), repr(kept)
    assert rooms.living == 0
    assert 0 < written < ROUNDS // len(WRITES)

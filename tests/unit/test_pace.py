"""CC-12: tokens that end together are renewed one after the other, and nobody is turned out."""

from collections import Counter
from pathlib import Path

import pytest

from tests.doubles.clock import Clock
from tests.rooms import Rooms, joined
from webapp.errors import Unavailable
from webapp.signin.freshness import EARLY_SECONDS, PACE_PATIENCE, SPREAD_SECONDS
from webapp.signin.pace import AT_ONCE, PER_SECOND, Pace
from webapp.store.vault import Session

HERD = 200
LIFE = 3600


@pytest.fixture
def clock() -> Clock:
    """A monotonic clock that stands."""
    return Clock(1000.0)


def _paced(path: Path, clock: Clock, pauses: list[float]) -> Rooms:
    return joined(path / "sessions.db", pace=Pace(clock=clock), pause=pauses.append)


def _waits(pace: Pace, patience: float) -> list[float]:
    """Take turns until none is left for this patience; how long each had to wait."""
    waits = []
    while (wait := pace.wait(patience)) is not None:
        waits.append(wait)
        assert len(waits) < 1000, "there is no end of turns"
    return waits


def _herd(rooms: Rooms, count: int) -> list[Session]:
    record = rooms.record()
    return [rooms.vault.create(record) for _ in range(count)]


def test_CC_12_a_second_brings_no_more_than_the_pace(clock: Clock) -> None:
    """However often it is asked, a second has its number of turns, and the first few more."""
    pace = Pace(clock=clock)
    taken = 0
    for _ in range(1000):
        taken += len(_waits(pace, 0.0))
        clock.advance(0.01)
    assert 10 * PER_SECOND <= taken <= 10 * PER_SECOND + AT_ONCE


def test_CC_12_who_waits_waits_in_line(clock: Clock) -> None:
    """Each waits one turn longer than the one before; who would wait too long takes no turn."""
    pace = Pace(clock=clock)
    waits = _waits(pace, 1.0)
    assert waits[:AT_ONCE] == [0.0] * AT_ONCE
    assert waits[AT_ONCE:] == pytest.approx(
        [number / PER_SECOND for number in range(1, int(PER_SECOND) + 1)]
    )
    clock.advance(1 / PER_SECOND)
    assert pace.wait(1.0) == pytest.approx(1.0)


def test_CC_12_a_look_takes_no_turn(clock: Clock) -> None:
    """Whether a turn could be had at once is told as often as one asks."""
    pace = Pace(clock=clock)
    for taken in range(AT_ONCE):
        assert [pace.open, pace.open] == [True, True], taken
        pace.wait(0.0)
    assert not pace.open
    clock.advance(1 / PER_SECOND)
    assert pace.open


def test_CC_12_early_renewals_spread(tmp_path: Path) -> None:
    """Sessions whose tokens end at one moment are renewed over four minutes before the last one."""
    rooms = joined(tmp_path / "sessions.db")
    waiting = _herd(rooms, HERD)
    start, end = EARLY_SECONDS + SPREAD_SECONDS, EARLY_SECONDS
    rooms.clock.advance(LIFE - start - 1)
    when: Counter[int] = Counter()
    for left in range(start + 1, end - 1, -1):
        before = len(rooms.login.refreshed)
        waiting = [one for one in waiting if rooms.freshness.keep(one) is one]
        when[left // 10] += len(rooms.login.refreshed) - before
        rooms.clock.advance(1)
    assert waiting == []
    assert when.total() == HERD
    assert max(when.values()) <= HERD / (SPREAD_SECONDS / 10) * 3
    assert max(when) - min(when) >= SPREAD_SECONDS / 10 * 0.9


def test_CC_12_living_tokens_wait_for_a_later_page(tmp_path: Path, clock: Clock) -> None:
    """With no turn left a page is served with the tokens there are; a later one renews them."""
    pauses: list[float] = []
    rooms = _paced(tmp_path, clock, pauses)
    herd = _herd(rooms, 4 * AT_ONCE)
    rooms.clock.advance(LIFE - 30)
    served = [rooms.freshness.keep(one) for one in herd]
    assert len(rooms.login.refreshed) == AT_ONCE
    late = [before for one, before in zip(served, herd, strict=True) if one == before]
    assert len(late) == 3 * AT_ONCE
    assert pauses == []
    assert rooms.reports == []
    clock.advance(1)
    assert rooms.freshness.keep(late[0]) != late[0]


def test_CC_12_dead_tokens_wait_their_turn(tmp_path: Path, clock: Clock) -> None:
    """With dead tokens a page waits a moment for its turn, and then has new ones."""
    pauses: list[float] = []
    rooms = _paced(tmp_path, clock, pauses)
    herd = _herd(rooms, AT_ONCE + 3)
    rooms.expire_tokens()
    for one in herd:
        assert rooms.freshness.keep(one) is not one
    assert pauses == pytest.approx([number / PER_SECOND for number in (1, 2, 3)])
    assert len(rooms.login.refreshed) == len(herd)


def test_CC_12_too_many_with_dead_tokens(tmp_path: Path, clock: Clock) -> None:
    """Who would wait too long is told so at once; the session stays, and its turn comes."""
    pace = Pace(clock=clock)
    rooms = joined(tmp_path / "sessions.db", pace=pace)
    session = rooms.session()
    rooms.expire_tokens()
    _waits(pace, 10.0)
    with pytest.raises(Unavailable) as refused:
        rooms.freshness.keep(session)
    assert (refused.value.code, type(refused.value)) == ("busy", Unavailable)
    assert rooms.login.refreshed == []
    assert rooms.vault.reload(session) == session
    clock.advance(10.0 - PACE_PATIENCE + 3)
    assert rooms.freshness.keep(session) is not session


def test_CC_12_by_hand_goes_through_the_same_door(tmp_path: Path, clock: Clock) -> None:
    """A renewal that somebody asks for waits as well, and does not pass for done when it is not."""
    pace = Pace(clock=clock)
    rooms = joined(tmp_path / "sessions.db", pace=pace)
    session = rooms.session()
    _waits(pace, 10.0)
    with pytest.raises(Unavailable):
        rooms.freshness.renew(session)
    assert rooms.login.refreshed == []

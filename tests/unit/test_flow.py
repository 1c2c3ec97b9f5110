"""The steps of a session: noted in order, bounded, without a secret."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rooms import Rooms, joined
from webapp.flow import LONGEST_DETAIL, MOST, Begun, Hop, hops_of, last_part, noted
from webapp.records import SessionRecord
from webapp.signin.changes import changes

BEGUN = 1_800_000_000
RECORD = SessionRecord(created_at=BEGUN, seen_at=BEGUN)
SIGNED_IN = [
    Hop("left", BEGUN - 4.5),
    Hop("back", BEGUN + 0.2),
    Hop("code", BEGUN + 0.2, 41.3),
    Hop("keys", BEGUN + 0.3, None, "kept"),
    Hop("checks", BEGUN + 0.3, 0.2),
]


def test_noted_and_read_again() -> None:
    """Steps come back in order, with moment, duration and detail."""
    record = noted(RECORD, SIGNED_IN)
    assert hops_of(record) == SIGNED_IN
    role = Hop("credentials", BEGUN + 60, 12.0, "portico admin")
    assert hops_of(noted(record, [role])) == [*SIGNED_IN, role]


def test_bounded() -> None:
    """Of many steps the sign-in and the newest stay; the oldest between go."""
    record = noted(RECORD, SIGNED_IN)
    for hour in range(100):
        record = noted(record, [Hop("refresh", BEGUN + 3600 * hour, 20.0, "rotated")])
        assert len(record.flow) <= MOST
    hops = hops_of(record)
    assert hops[:5] == SIGNED_IN
    assert [one.at for one in hops[5:]] == [BEGUN + 3600 * hour for hour in range(81, 100)]
    assert max(map(len, noted(RECORD, [Hop("role", BEGUN, None, "x" * 5000)]).flow)) < 80
    assert sum(map(len, record.flow)) < MOST * (LONGEST_DETAIL + 30)


def test_only_sign_in_steps_beyond_the_bound() -> None:
    """The bound holds also for what is nothing but a sign-in."""
    assert len(noted(RECORD, SIGNED_IN * 10).flow) == MOST


@pytest.mark.parametrize("line", ["", "refresh", "refresh x 1.0", "refresh 1 y", "left 1"])
def test_foreign_lines(line: str) -> None:
    """A line of another form, as of another release, is passed over."""
    assert hops_of(replace(RECORD, flow=(line, "back 200 -"))) == [Hop("back", BEGUN + 0.2)]


def test_timed() -> None:
    """A step under way measures how long it took."""
    took = Begun("code", 5.0).over("x").milliseconds
    assert took is not None
    assert 0 <= took < 1000


def test_name_of_a_role() -> None:
    """A role is named by the end of its ARN."""
    assert last_part("arn:aws:iam::0:role/path/portico-admin") == "portico-admin"
    assert last_part(None) == ""


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms over one SQLite file."""
    return joined(tmp_path / "sessions.db")


def test_LG_02_refresh_noted_without_secrets(rooms: Rooms) -> None:
    """A refresh is noted with its duration and whether the token rotated, and with no token."""
    rooms.login.pool.rotation = True
    session = rooms.session("admin")
    renewed = rooms.freshness.renew(session)
    (hop,) = hops_of(renewed.record)
    assert (hop.kind, hop.detail) == ("refresh", "rotated")
    assert hop.milliseconds is not None
    tokens = renewed.record.tokens
    assert tokens
    for secret in (tokens.id_token, tokens.access_token, tokens.refresh_token or ""):
        assert secret not in " ".join(renewed.record.flow)
    rooms.login.pool.rotation = False
    assert hops_of(rooms.freshness.renew(renewed).record)[-1].detail == "kept"


def _token(**claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"h.{payload}.s"


def test_what_a_refresh_changed() -> None:
    """Changed claims are named with their values before: no nonce's, and a long one is cut."""
    before = _token(exp=1, name="Ann", nonce="n" * 32, gone=True, long="x" * 500, same=1)
    after = _token(exp=2, name="Änn", come=1, long="y", same=1)
    names, were = changes(before, after)
    assert dict(zip(names, were, strict=True)) == {
        "come": "",
        "exp": "1",
        "gone": "true",
        "long": '"' + "x" * 63 + "…",
        "name": '"Ann"',
        "nonce": "",
    }

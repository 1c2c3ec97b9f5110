"""The trail of calls: small, whole, and nobody's but its session's."""

import random
import zlib
from dataclasses import replace

from webapp.attempts import MAX_PLAIN_BYTES, Attempts
from webapp.keyring import Keyring
from webapp.records import Person, SessionRecord
from webapp.trail import LONGEST, MOST, PastCall, owner_of, packed, unpacked, with_call

PERSON = Person("https://issuer.example", "sub-1", "ada", "ada@example.com", None)
OWNER = owner_of(SessionRecord(1_000, 1_000, PERSON))
CALL = PastCall(
    number=0,
    at=1_795_231_585,
    endpoint="document-read",
    address="/documents/atlas-plan",
    caller="role:portico-manager",
    status=403,
    expected=403,
    role_arn="arn:aws:iam::000000000000:role/portico-manager",
    rule="manager_deletes_nothing",
    kind="JSON",
    size=345,
    digest="0123456789ab",
    credentials=12.25,
    signing=0.5,
    network=41.0,
)


def _calls(count: int) -> list[PastCall]:
    chance = random.Random("trail")
    calls: list[PastCall] = []
    for number in range(count):
        endpoint = chance.choice(["vip", "whoami", "document-write", "test-public"])
        calls = with_call(
            calls,
            replace(
                CALL,
                at=CALL.at + 17 * number,
                endpoint=endpoint,
                address=f"/documents/{chance.randbytes(8).hex()}",
                digest=chance.randbytes(6).hex(),
                network=round(chance.random() * 900, 2),
                size=chance.randrange(100_000),
            ),
        )
    return calls


def test_comes_back_whole() -> None:
    """Calls come back as they were, the newest first and numbered within the session."""
    calls = _calls(3)
    assert unpacked(packed(OWNER, calls, 600), OWNER) == calls
    assert [call.number for call in calls] == [3, 2, 1]


def test_the_last_ten() -> None:
    """Older calls than the last ten are forgotten, and numbers go on."""
    calls = _calls(30)
    assert len(calls) == MOST
    assert calls[0].number == 30


def test_bounded_in_bytes() -> None:
    """However little room there is, the newest that fit are kept, and nothing when none fits."""
    calls = _calls(MOST)
    for room in range(0, 700, 7):
        raw = packed(OWNER, calls, room)
        assert len(raw) <= room
        kept = unpacked(raw, OWNER)
        assert kept == calls[: len(kept)]
    assert len(unpacked(packed(OWNER, calls, 602), OWNER)) >= 8
    assert packed(OWNER, calls, 60) == b""


def test_a_long_address_is_cut() -> None:
    """An address is kept as far as the room for one goes."""
    (call,) = with_call([], replace(CALL, address="/" + "x" * 500))
    assert len(call.address) == LONGEST


def test_SE_03_nobody_elses() -> None:
    """Another session of the same person, another person, a guest and nobody find none."""
    raw = packed(OWNER, _calls(2), 600)
    others = (
        owner_of(SessionRecord(1_001, 1_001, PERSON)),
        owner_of(SessionRecord(1_000, 1_000, replace(PERSON, subject="sub-2"))),
        owner_of(SessionRecord(1_000, 1_000)),
        owner_of(None),
    )
    assert [unpacked(raw, other) for other in others] == [[], [], [], []]
    assert packed(owner_of(None), _calls(2), 600) == b""


def test_what_another_release_wrote() -> None:
    """Rows of another shape, and bytes that are none, are no calls."""
    short = OWNER + zlib.compress(b"[[1,2]]")
    for raw in (b"", OWNER, OWNER + b"nonsense", short, OWNER + zlib.compress(b"7")):
        assert unpacked(raw, OWNER) == []


def test_beside_attempts_and_a_notice() -> None:
    """Attempts and a notice come first; the trail has what room they leave, and all come back."""
    attempts = Attempts(Keyring([b"k" * 32]))
    calls = _calls(MOST)
    for count in range(14):
        under_way = [attempts.start("/session", 1_000 + number) for number in range(count)]
        cookie = attempts.pack(under_way, "cognito", lambda room: packed(OWNER, calls, room))
        assert len(cookie) <= (MAX_PLAIN_BYTES + 28) * 4 // 3 + 1
        assert attempts.notice(cookie) == "cognito"
        assert len(attempts.unpack(cookie, 1_000)) == min(count, 11)
        kept = unpacked(attempts.trail(cookie), OWNER)
        assert kept == calls[: len(kept)]
        assert kept or count > 4
    assert attempts.pack([]) == ""

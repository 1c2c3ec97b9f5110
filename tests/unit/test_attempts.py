"""The cookie of sign-ins under way: what goes in comes out, and nothing else ever does."""

import base64
import hashlib
import os

import pytest

from webapp.attempts import (
    COOKIE_SECONDS,
    LIFE_SECONDS,
    MAX_ATTEMPTS,
    MAX_PLAIN_BYTES,
    PURPOSE,
    Attempts,
    find,
    is_stale,
    secrets_of,
)
from webapp.keyring import Keyring
from webapp.records import SignInAttempt

NOW = 1_800_000_000.75
OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture
def attempts() -> Attempts:
    """A maker of attempts with one key."""
    return Attempts(Keyring([OLD]))


def some(attempts: Attempts, count: int, path: str = "/a") -> list[SignInAttempt]:
    """So many attempts, the newest first, a second apart."""
    return [attempts.start(path, NOW - age) for age in range(count)]


def raw(cookie: str) -> bytes:
    """What a cookie holds, still sealed."""
    return base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))


def text(sealed: bytes) -> str:
    """The cookie that would hold this."""
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def test_there_and_back(attempts: Attempts) -> None:
    """What is packed comes back equal and newest first, in whatever order it was given."""
    held = [attempts.start(path, NOW - age) for age, path in enumerate(("/", "/s?x=1%262", "/a"))]
    assert attempts.unpack(attempts.pack(held[::-1]), NOW) == held
    assert attempts.unpack(attempts.pack([]), NOW) == []
    assert attempts.unpack(None, NOW) == attempts.unpack("", NOW) == []


def test_same_second_keeps_the_given_order(attempts: Attempts) -> None:
    """Of attempts of one second the first given counts as the newest."""
    held = [attempts.start("/" + "a" * 100, NOW) for _ in range(8)]
    kept = attempts.unpack(attempts.pack(held), NOW)
    assert 0 < len(kept) < 8
    assert kept == held[: len(kept)]


def test_two_packings_differ(attempts: Attempts) -> None:
    """The same attempts never look the same twice, and nothing of them shows."""
    held = some(attempts, 2, "/visible-path")
    one, two = raw(attempts.pack(held)), raw(attempts.pack(held))
    assert one[:12] != two[:12]
    assert one != two
    assert not any(part in one for part in (b"visible", held[0].seed[:16], held[0].seed[16:]))


def test_cap_in_count(attempts: Attempts) -> None:
    """The oldest give way when there are too many."""
    held = some(attempts, MAX_ATTEMPTS + 5, "/")
    assert attempts.unpack(attempts.pack(held), NOW) == held[:MAX_ATTEMPTS]


@pytest.mark.parametrize("length", [1, 50, 300, 512])
def test_cap_in_size(attempts: Attempts, length: int) -> None:
    """The cookie stays below 1 KiB and always holds the newest attempt, the longest path too."""
    held = some(attempts, 40, "/" + "a" * (length - 1))
    cookie = attempts.pack(held)
    assert len(cookie) < 1024
    kept = attempts.unpack(cookie, NOW)
    assert kept == held[: len(kept)]
    assert kept


def test_foreign_and_damaged_cookies(attempts: Attempts) -> None:
    """Anything that is not exactly ours holds no attempts, and raises nothing."""
    sealed = raw(attempts.pack(some(attempts, 2)))
    ring = Keyring([OLD])
    flipped = [
        text(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]) for at in range(len(sealed))
    ]
    cut = [text(sealed[:length]) for length in range(len(sealed))]
    foreign = [
        Attempts(Keyring([NEW])).pack(some(attempts, 1)),
        text(ring.seal_cookie(b"x" * 50, b"another/1")),
        text(ring.seal_cookie(b"", PURPOSE)),
        text(sealed + b"\0"),
        text(os.urandom(200)),
        "A" * (2 * MAX_PLAIN_BYTES + 1),
        *("A", "=", "====", "!", "a b", "\u00e9", "\ud800", "\0", "{}", "A" * 100_000),
    ]
    for cookie in (*flipped, *cut, *foreign):
        assert attempts.unpack(cookie, NOW) == [], ascii(cookie[:60])


def test_key_rotation() -> None:
    """With new and old key both open, the new one writes; without the old one it is just gone."""
    before, both, after = (Attempts(Keyring(keys)) for keys in ([OLD], [NEW, OLD], [NEW]))
    held = some(before, 2)
    cookie = before.pack(held)
    assert both.unpack(cookie, NOW) == held
    assert after.unpack(cookie, NOW) == []
    rewritten = both.pack(held)
    assert after.unpack(rewritten, NOW) == held
    assert before.unpack(rewritten, NOW) == []


def test_times(attempts: Attempts) -> None:
    """An attempt is believed for its life, remembered a while longer, then forgotten."""
    (held,) = some(attempts, 1)
    cookie = attempts.pack([held])
    began = held.started_at
    assert not is_stale(held, began + LIFE_SECONDS)
    assert is_stale(held, began + LIFE_SECONDS + 1)
    assert attempts.unpack(cookie, began + COOKIE_SECONDS - 1) == [held]
    assert attempts.unpack(cookie, began + COOKIE_SECONDS) == []
    assert attempts.unpack(cookie, began - 3600) == [held]  # a clock that stepped back


def test_secrets_are_derived_and_apart(attempts: Attempts) -> None:
    """One seed gives the same three values each time; no one of them tells another."""
    one, two = some(attempts, 2)
    first = secrets_of(one)
    assert secrets_of(one) == first
    assert len({first.state, first.nonce, first.verifier} | {secrets_of(two).state}) == 4
    assert (len(first.state), len(first.nonce), len(first.verifier)) == (22, 32, 43)
    # The state is public: whoever has it has half the seed, and that half alone gives nothing.
    half = SignInAttempt(one.seed[:16] + bytes(16), one.started_at, one.next_path)
    assert secrets_of(half).state == first.state
    assert secrets_of(half).verifier != first.verifier
    assert secrets_of(half).nonce != first.nonce
    assert hashlib.sha256(one.seed).hexdigest() not in first.verifier


def test_find(attempts: Attempts) -> None:
    """A state finds its own attempt and no other, and nothing odd breaks the search."""
    held = some(attempts, 5)
    for one in held:
        assert find(held, secrets_of(one).state) is one
    state = secrets_of(held[0]).state
    for wrong in ("", state[:-1], state + "=", state.swapcase(), "\ud800", "\u00e9", state + "\0"):
        assert find(held, wrong) is None
    assert find([], state) is None


def test_nothing_secret_in_a_repr(attempts: Attempts) -> None:
    """Printing an attempt or its secrets shows neither seed nor nonce nor verifier."""
    (one,) = some(attempts, 1)
    values = secrets_of(one)
    assert repr(one.seed) not in repr(one)
    assert values.nonce not in repr(values)
    assert values.verifier not in repr(values)

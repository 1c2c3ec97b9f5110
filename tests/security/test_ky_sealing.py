"""KY-04: no nonce is used twice under a key, in any process; weak keys are refused."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles.cognito import Cognito
from tests.rooms import Rooms, joined
from tests.security.served import ROOT
from webapp.errors import SettingsProblems
from webapp.keyring import NONCE_BYTES
from webapp.settings import Settings
from webapp.store.sealing import TICKET_BYTES, Ticket, seal

SEALED = int(os.environ.get("KY_04_ENCRYPTIONS", "60000"))
"""Of each kind; the row asks for a million."""
GOOD = "k0123456" * 4


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms with one key."""
    return joined(tmp_path / "sessions.db")


@pytest.fixture(scope="module")
def needed() -> dict[str, str]:
    """Settings with which an application would start, for other people on other machines."""
    with Cognito() as cognito:
        environment = cognito.environment("https://portal.example.com")
    return {name: value for name, value in environment.items() if "ENDPOINT_URL" not in name}


def _of_cookies(rooms: Rooms) -> Callable[[], bytes]:
    return lambda: rooms.ring.seal_cookie(b"the same", b"purpose")[:NONCE_BYTES]


def _of_labels(rooms: Rooms) -> Callable[[], bytes]:
    return lambda: rooms.ring.writing.seal_label(b"the same", b"place")[:NONCE_BYTES]


def _of_errands(rooms: Rooms) -> Callable[[], bytes]:
    return lambda: rooms.ring.writing.seal_errand(b"the same", b"place")[:NONCE_BYTES]


def _of_records(rooms: Rooms) -> Callable[[], bytes]:
    session, key = rooms.session(), rooms.ring.writing
    sealed = (session.record, session.ticket, key, session.place)
    return lambda: seal(*sealed)[1 : 1 + NONCE_BYTES]


@pytest.mark.parametrize("of", [_of_cookies, _of_labels, _of_errands, _of_records])
def test_KY_04_no_nonce_twice(rooms: Rooms, of: Callable[[Rooms], Callable[[], bytes]]) -> None:
    """The same thing sealed again and again has another nonce each time, all 96 bits of it."""
    one = of(rooms)
    count = SEALED // 4 if of is _of_records else SEALED
    nonces = {one() for _ in range(count)}
    assert len(nonces) == count
    assert {len(nonce) for nonce in nonces} == {12}
    # Random in every bit: one that counts, or holds a time or a process, would show.
    some = [int.from_bytes(nonce) for nonce in list(nonces)[:4000]]
    for bit in range(96):
        assert 0.45 < sum(number >> bit & 1 for number in some) / len(some) < 0.55


def test_KY_04_no_two_records_share_a_key(rooms: Rooms) -> None:
    """Each ticket seals with a key of its own, so nonces of different records never meet."""
    key, place, plain = rooms.ring.writing, b"p" * 32, b"x" * 64
    tickets = [Ticket.fresh(key.mark) for _ in range(5000)]
    assert len({ticket.raw for ticket in tickets}) == len(tickets)
    # The same nonce on purpose: what comes out differs, so the keys do.
    boxes = {ticket.box(key).encrypt(bytes(12), plain, place) for ticket in tickets}
    assert len(boxes) == len(tickets)


def test_KY_04_no_nonce_twice_over_forked_workers(rooms: Rooms) -> None:
    """Workers forked after the key was made share neither nonces nor tickets."""
    key, workers, each = rooms.ring.writing, 8, 200
    rooms.ring.seal_cookie(b"warm", b"purpose")
    seen: set[bytes] = set()
    for _ in range(workers):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            made = (
                rooms.ring.seal_cookie(b"", b"p")[:NONCE_BYTES] + Ticket.fresh(key.mark).raw
                for _ in range(each)
            )
            os.write(writer, b"".join(made))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            content = told.read()
        os.waitpid(pid, 0)
        size = NONCE_BYTES + TICKET_BYTES
        assert len(content) == each * size
        seen |= {content[at : at + NONCE_BYTES] for at in range(0, len(content), size)}
        seen |= {content[at + NONCE_BYTES + 1 : at + size] for at in range(0, len(content), size)}
    assert len(seen) == 2 * workers * each


WEAK = [
    "a" * 64,
    "0" * 32,
    "abc" * 20,
    "change-me-before-you-start-0123456789",
    "CHANGEME0123456789012345678901234567",
    "replace-this-before-you-go-live-0123456",
    "django-insecure-0123456789abcdefghijk",
]
SHORT = ["x0123456" * 3, "k" * 31, "\u00e4\u00f6\u00fc\u00df1234567", "0123456789abcdef"]


AT_HOME = {"APP_BASE_URL": "http://localhost:8000"}


@pytest.mark.parametrize("key", WEAK)
def test_KY_04_on_ones_own_machine_any_long_key_will_do(needed: dict[str, str], key: str) -> None:
    """Where nobody else comes in, or only an AWS of this machine is behind, length is enough."""
    assert Settings.load(needed | AT_HOME | {"SECRET_KEY": key}).secret_key == key.encode()
    offline = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "SECRET_KEY": key}
    assert Settings.load(needed | offline).secret_key == key.encode()


@pytest.mark.parametrize("key", [*WEAK, *SHORT])
def test_KY_04_bad_keys_are_refused(needed: dict[str, str], key: str) -> None:
    """A key that is short or can be guessed is refused in either setting, and never repeated."""
    for name, value in (("SECRET_KEY", key), ("SECRET_KEY_FALLBACKS", f"{GOOD} {key}")):
        with pytest.raises(SettingsProblems) as caught:
            Settings.load(needed | {name: value})
        (said,) = caught.value.problems
        assert said.startswith(f"{name} ")
        assert "secrets.token_urlsafe(48)" in said
        assert key not in str(caught.value)
        assert GOOD not in str(caught.value)


def test_KY_04_random_keys_are_taken(needed: dict[str, str]) -> None:
    """No key that is made as the sentence says is taken for a weak one, in either usual form."""
    for number in range(1000):
        key = secrets.token_hex(16) if number % 2 else secrets.token_urlsafe(48)
        assert Settings.load(needed | {"SECRET_KEY": key}).secret_key == key.encode()


@pytest.mark.parametrize("key", [WEAK[0], SHORT[0], ""])
def test_KY_04_a_server_does_not_start(needed: dict[str, str], tmp_path: Path, key: str) -> None:
    """The start ends with status 4 and one sentence, before anything listens or is opened."""
    store = tmp_path / "sessions.db"
    environment = needed | {"SECRET_KEY": key, "SESSION_STORE_URL": f"sqlite:///{store}"}
    done = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 4
    assert "SECRET_KEY" in done.stderr
    assert "Traceback" not in done.stderr
    assert not key or key not in done.stderr
    assert not store.exists()

"""KY-03: hosts with different keys over one store: seen, alarmed, and nobody is signed out."""

import json
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.doubles import Browser
from tests.doubles.clock import Clock
from tests.doubles.response import Response
from tests.security.fleet import Fleet, Host, fleet_of
from tests.security.fleet_stores import STORES, Kind, SharedStore, shared_store
from tests.security.served import RawAnswer
from webapp.errors import KeysDiffer, StoreUnavailable
from webapp.keyring import Keyring
from webapp.services import open_store
from webapp.store.base import Store
from webapp.store.keyroll import LIFE_SECONDS, RENEW_SECONDS, TELL_SECONDS, KeyWatch, Strangers

OLD, NEW, THIRD = (f"the-{name}-key-of-a-test-of-two-hosts" for name in ("old", "new", "third"))
PERSONAL = ("/", "/session", "/credentials", "/api", "/me", "/login?next=/session", "/callback")


def _keys(host: Host, *keys: str) -> None:
    """Give a host these keys for its next start, the first one to write."""
    fallbacks = {"SECRET_KEY_FALLBACKS": " ".join(keys[1:])} if keys[1:] else {}
    kept = {k: v for k, v in host.environment.items() if not k.startswith("SECRET_KEY")}
    host.environment = kept | {"SECRET_KEY": keys[0]} | fallbacks


@contextmanager
def _two_hosts(folder: Path, workers: int = 2) -> Iterator[Fleet]:
    """The first host runs with the old key; the second waits to be started."""
    with fleet_of(folder, workers=workers, start=False, SECRET_KEY=OLD) as fleet:
        fleet.hosts[0].start()
        yield fleet


def _parts(answer: RawAnswer) -> dict[str, str]:
    parts: dict[str, str] = json.loads(answer.body)["parts"]
    return parts


def _listens(host: Host) -> bool:
    try:
        return host.ask("/healthz").status == 200
    except OSError:
        return False


def _kept_out(response: Response) -> None:
    """BUSY: come again, with the cookies and everything else as they were."""
    assert response.status == 503, f"{response}\n{response.text[:800]}"
    assert int(response.header("Retry-After") or 0) > 0
    assert response.header_values("Set-Cookie") == []


@pytest.mark.slow
def test_KY_03_a_host_with_another_key_serves_nobody(tmp_path: Path) -> None:
    """It is not ready and says why, both sides alarm, and no browser loses anything at it."""
    with _two_hosts(tmp_path) as fleet:
        right, wrong = fleet.hosts
        browser = fleet.signed_in("admin")
        ticket = browser.cookies["portico"]
        _keys(wrong, NEW)
        wrong.start(wait=False)
        until(lambda: _listens(wrong))
        _gives_way(wrong)
        there, stranger = fleet.at(browser, 1), fleet.browser(1)
        for _ in range(3):  # both workers
            for path in PERSONAL:
                _kept_out(there.get(path))
                _kept_out(stranger.get(path))
        ready = wrong.ask("/readyz")
        assert (ready.status, _parts(ready)["keys"]) == (503, "keys_differ")
        assert wrong.ask("/healthz").status == 200
        # The balancer that does not look sends each request to the other host: no ping-pong.
        for turn in range(12):
            if turn % 2:
                _kept_out(there.get("/session"))
            else:
                assert browser.get("/session").status == 200
            assert browser.cookies["portico"] == ticket
        assert right.ask("/readyz").status == 200
        until(lambda: right.ask("/readyz").status == 200 and _alarms(right) != [])
        assert {(one["level"], one["serving"]) for one in _alarms(wrong)} == {("error", False)}
        assert {(one["level"], one["serving"]) for one in _alarms(right)} == {("error", True)}
        for secret in (OLD, NEW):
            assert secret not in fleet.log
        # Mended: the same host with the right key is ready at once, and the person is still in.
        wrong.stop()
        _keys(wrong, OLD)
        wrong.start()
        assert there.get("/session").status == 200
        assert browser.cookies["portico"] == ticket
        assert len(fleet.cognito.issuer.grants("authorization_code")) == 1


def _gives_way(host: Host) -> None:
    """Wait until each of its workers has seen the others' key in use, by its renewal."""
    until(lambda: all(host.ask("/readyz").status == 503 for _ in range(12)), 4 * RENEW_SECONDS)


def _alarms(host: Host) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in host.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "keys_differ"]


@pytest.mark.slow
def test_KY_03_new_workers_of_the_right_host_stay_ready(tmp_path: Path) -> None:
    """While a wrong host stands beside it, the right one may lose its workers and start anew."""
    with _two_hosts(tmp_path) as fleet:
        right, wrong = fleet.hosts
        browser = fleet.signed_in("admin")
        _keys(wrong, NEW)
        wrong.start(wait=False)
        until(lambda: _listens(wrong))
        _gives_way(wrong)
        gone = right.kill_workers()
        right.await_workers(2, without=gone)
        for _ in range(4):
            assert right.ask("/readyz").status == 200
            assert browser.get("/session").status == 200
        right.restart()
        assert browser.get("/session").status == 200
        assert wrong.ask("/readyz").status == 503


@pytest.mark.slow
def test_KY_03_rotation_as_documented_alarms_nobody(tmp_path: Path) -> None:
    """New key as fall-back on every host, then as writer: no alarm, no 503, nobody signed out."""
    with _two_hosts(tmp_path, workers=1) as fleet:
        _keys(fleet.hosts[1], OLD)
        fleet.hosts[1].start()
        browser = fleet.signed_in("admin")
        tickets: list[tuple[Browser, str]] = [(browser, browser.cookies["portico"])]
        for keys in ((OLD, NEW), (NEW, OLD)):
            for number, host in enumerate(fleet.hosts):
                host.stop()
                _keys(host, *keys)
                host.start()
                newcomer = fleet.signed_in("viewer", host=number)
                tickets.append((newcomer, newcomer.cookies["portico"]))
                for known, ticket in tickets:
                    for at in (0, 1):
                        assert fleet.at(known, at).get("/session").status == 200
                    assert known.cookies["portico"] == ticket
        assert fleet.events("keys_differ") == []


@pytest.mark.slow
def test_KY_03_rotation_in_one_step(tmp_path: Path) -> None:
    """Written with by one host before the other can read it, a key costs a 503, no session."""
    with _two_hosts(tmp_path, workers=1) as fleet:
        behind, ahead = fleet.hosts
        old = fleet.signed_in("admin")
        _keys(ahead, NEW, OLD)
        ahead.start()
        new = fleet.signed_in("viewer", host=1)
        ticket = new.cookies["portico"]
        # The host behind believes in the new key when it has seen it come.
        until(lambda: fleet.at(new, 0).get("/session").status == 503, 4 * RENEW_SECONDS)
        for _ in range(4):
            _kept_out(fleet.at(new, 0).get("/session"))
            assert new.get("/session").status == 200
            for at in (0, 1):
                assert fleet.at(old, at).get("/session").status == 200
        assert behind.ask("/readyz").status == ahead.ask("/readyz").status == 200
        assert _alarms(behind)
        assert _alarms(ahead) == []
        behind.stop()
        _keys(behind, NEW, OLD)
        behind.start()
        assert fleet.at(new, 0).get("/session").status == 200
        assert new.cookies["portico"] == ticket


class Hosts:
    """Processes over one store, each with keys of its own, and one clock that a test moves."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.told: list[tuple[str, Strangers]] = []

    def process(self, name: str, *keys: str, scope: str = "https://one.example") -> KeyWatch:
        """A process that has just begun."""
        return KeyWatch(
            self.store,
            Keyring([key.encode() for key in keys]),
            scope=scope,
            now=self.clock,
            clock=self.clock,
            report=lambda found: self.told.append((name, found)),
        )


def _open(shared: SharedStore, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in shared.settings.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return open_store(
        shared.settings["SESSION_STORE_URL"],
        region="us-east-1",
        dynamodb_endpoint=shared.settings.get("AWS_ENDPOINT_URL_DYNAMODB"),
        now=clock,
    )


@pytest.fixture(params=STORES)
def hosts(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hosts]:
    """Processes over each kind of store."""
    kind: Kind = request.param
    clock = Clock()
    with shared_store(kind, tmp_path) as shared:
        yield Hosts(_open(shared, clock, monkeypatch), clock)


def _serves(process: KeyWatch) -> bool:
    process.look()
    try:
        process.check()
    except KeysDiffer:
        return False
    return True


def test_KY_03_on_every_store(hosts: Hosts) -> None:
    """On each store the younger of two strange keys gives way, until the older one is gone."""
    old, new = hosts.process("old", OLD), hosts.process("new", NEW)
    assert _serves(old)
    hosts.clock.advance(1)
    # What lies there may be left of a process that is gone: nobody is kept out by it.
    assert [_serves(new), _serves(old)] == [True, True]
    hosts.clock.advance(TELL_SECONDS)
    assert [_serves(old), _serves(new)] == [True, False]
    mark_of = {key: Keyring([key.encode()]).writing.mark for key in (OLD, NEW, THIRD)}
    assert old.is_strangers(mark_of[NEW])
    assert new.is_strangers(mark_of[OLD])
    assert not old.is_strangers(mark_of[THIRD])
    assert [(name, found.older) for name, found in hosts.told] == [("old", False), ("new", True)]
    # A later process of the older key is as old as the key; others have nothing to do with it.
    hosts.clock.advance(1)
    late = hosts.process("late", OLD)
    assert _serves(late)
    hosts.clock.advance(TELL_SECONDS)
    assert [_serves(old), _serves(new), _serves(late)] == [True, False, True]
    assert _serves(hosts.process("other", THIRD, scope="https://two.example"))
    assert _serves(hosts.process("both", THIRD, NEW, OLD))


def test_KY_03_seniority_outlives_a_silence(tmp_path: Path) -> None:
    """After a silence of the store the older key is the older one still, by who remembers it."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    old, new = hosts.process("old", OLD), hosts.process("new", NEW)
    assert _serves(old)
    hosts.clock.advance(LIFE_SECONDS + 5)  # the store kept nothing of it
    assert _serves(new)
    assert _serves(old)
    assert not _serves(new)
    # When the old one is gone for good the new one serves by itself.
    hosts.clock.advance(LIFE_SECONDS + 5)
    assert _serves(new)
    assert hosts.told[-1] == ("new", Strangers())


def test_KY_03_a_start_with_another_key_is_nobodys_affair(tmp_path: Path) -> None:
    """A single host that was killed and starts with a new key serves at once, and alarms nobody."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    assert _serves(hosts.process("killed", OLD))
    new = hosts.process("new", NEW)
    for _ in range(2 * LIFE_SECONDS):
        assert _serves(new)
        assert not new.is_strangers(Keyring([OLD.encode()]).writing.mark)
        hosts.clock.advance(1)
    assert hosts.told == []


def test_KY_03_last_step_of_a_rotation(tmp_path: Path) -> None:
    """The old key can be dropped as soon as nobody writes with it any more."""
    hosts = Hosts(open_store(f"sqlite:///{tmp_path / 'sessions.db'}"), Clock())
    assert _serves(hosts.process("a", NEW, OLD))
    hosts.clock.advance(1)
    assert _serves(hosts.process("b", OLD, NEW))
    hosts.clock.advance(1)
    last = hosts.process("c", NEW)
    assert _serves(last)
    hosts.clock.advance(TELL_SECONDS)
    assert _serves(last)
    assert hosts.told == []


def test_KY_03_store_that_is_away(tmp_path: Path) -> None:
    """A store out of reach keeps nobody out, and a look at it is made only now and then."""

    class Away:
        """A store that never answers, and counts who asks."""

        asked = 0

        def __getattr__(self, _: str) -> object:
            def ask(*__: object, **___: object) -> None:
                Away.asked += 1
                raise StoreUnavailable("away")

            return ask

    del tmp_path
    process = Hosts(Away(), Clock(1_000.0)).process("a", OLD)  # type: ignore[arg-type]
    for _ in range(50):
        process.check()
        process.probe()
        assert not process.is_strangers(7)
    assert Away.asked == 1


def test_KY_03_words_give_nothing_away(tmp_path: Path) -> None:
    """What lies in the store for it is a hash, a mark and a time: no part of a key."""
    path = tmp_path / "sessions.db"
    secret = string.ascii_letters
    process = Hosts(open_store(f"sqlite:///{path}"), Clock()).process("a", secret)
    assert _serves(process)
    dump = b"".join(file.read_bytes() for file in tmp_path.glob("sessions.db*"))
    key = Keyring([secret.encode()]).writing
    assert key.name in dump
    assert secret.encode()[:8] not in dump
    for part in (key.index, key.records, key.csrf, key.attempts):
        assert part not in dump
        assert part[:16] != key.name

"""RT-04: every host is replaced under load, one after the other, and nobody notices."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.doubles import Browser
from tests.security.balancer import Balancer, balanced
from tests.security.fleet import Fleet, fleet_of
from tests.security.load import Load

RATE = 100
PEOPLE = 10
PROBE_SECONDS = 0.2
DRAIN_SECONDS = 2
"""Ten probes: one that comes late on a busy machine is not the end."""


@pytest.fixture
def at_once(tmp_path: Path) -> Iterator[Fleet]:
    """Hosts that close their door as soon as they are told to end."""
    with fleet_of(tmp_path) as made:
        yield made


@pytest.fixture
def announcing(tmp_path: Path) -> Iterator[Fleet]:
    """Hosts that say first that they are going to end."""
    with fleet_of(tmp_path, DRAIN_SECONDS=str(DRAIN_SECONDS)) as made:
        yield made


def test_RT_04_a_balancer_that_tries_another_host(at_once: Fleet) -> None:
    """Told nothing, it meets a refused connection and goes elsewhere: 0 failed, 0 signed out."""
    with balanced([host.port for host in at_once.hosts]) as balancer:
        _replace_all(at_once, balancer)


def test_RT_04_a_balancer_that_only_asks_for_readiness(announcing: Fleet) -> None:
    """It never tries twice; /readyz tells it in time: 0 failed, 0 signed out."""
    ports = [host.port for host in announcing.hosts]
    with balanced(ports, again=False, probe_seconds=PROBE_SECONDS) as balancer:
        _replace_all(announcing, balancer)


def _replace_all(fleet: Fleet, balancer: Balancer) -> None:
    people = [fleet.signed_in("admin", number % 2) for number in range(PEOPLE)]
    with Load(balancer.port, people, rate=RATE) as load:
        for host in fleet.hosts:
            assert host.stop() == 0
            _until_served(load)  # by the other alone
            host.start()
            _until_served(load)
    print(f"{len(load.asked)} asked, {len(load.failed)} failed, {balancer.served}")
    assert not balancer.mishaps
    assert not load.failed
    assert len(load.asked) > RATE
    assert _signed_in(people) == PEOPLE


def _until_served(load: Load) -> None:
    before = len(load.asked)
    until(lambda: len(load.asked) >= before + RATE // 4)


def _signed_in(people: Sequence[Browser]) -> int:
    return sum(person.me()["signed_in"] for person in people)

"""RT-15: liveness asks nobody, readiness asks everybody, and neither tells a stranger anything."""

import re
import time
from collections.abc import Callable

import pytest

from tests.doubles.response import Response
from tests.rig import Rig

FACT = re.compile(r"[a-z_]+")


def _cut_store(rig: Rig) -> None:
    rig.store_path.rename(rig.store_path.with_name("elsewhere.db"))


def _cut_pool(rig: Rig) -> None:
    rig.cognito.issuer.server.stop()


def _mend_store(rig: Rig) -> None:
    rig.store_path.with_name("elsewhere.db").rename(rig.store_path)


def _mend_pool(rig: Rig) -> None:
    rig.cognito.issuer.server.start()


def _tells_nothing(rig: Rig, response: Response) -> None:
    """Nothing but words: no address, path, version, id or name of a host."""
    said = response.json()
    words = [
        said["status"].replace(" ", "_"),
        *said.get("parts", {}),
        *said.get("parts", {}).values(),
    ]
    assert [word for word in words if not FACT.fullmatch(word)] == []
    assert set(said) <= {"status", "parts"}
    # The policy in the headers names Managed Login, as on every page: browsers are sent there.
    assert str(rig.cognito.issuer.server.port) not in response.text
    for secret in (str(rig.store_path.parent), "sqlite"):
        assert secret not in response.text + repr(response.headers)
    assert response.header("Cache-Control") == "no-store"
    assert response.header_values("Set-Cookie") == []


@pytest.mark.parametrize(
    ("cut", "mend", "part", "reason"),
    [
        (_cut_store, _mend_store, "store", "store_unavailable"),
        (_cut_pool, _mend_pool, "discovery", "provider_unavailable"),
    ],
    ids=["store", "user pool"],
)
def test_RT_15_cut(
    rig: Rig,
    cut: Callable[[Rig], None],
    mend: Callable[[Rig], None],
    part: str,
    reason: str,
) -> None:
    """Without a part /healthz is 200 and /readyz 503 with the reason, until the part is back."""
    browser = rig.browser()
    ready = browser.get("/readyz")
    assert (ready.status, set(ready.json()["parts"].values())) == (200, {"ok"})
    _tells_nothing(rig, ready)
    cut(rig)
    rig.clock.advance(10)
    deadline = time.monotonic() + 10
    while (ready := browser.get("/readyz")).status == 200:  # a file is looked at every second
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (ready.status, ready.json()["parts"][part]) == (503, reason)
    assert int(ready.header("Retry-After") or 0) > 0
    for address, status in (("/healthz", 200), ("/readyz", 503)):
        response = browser.get(address)
        assert response.status == status
        _tells_nothing(rig, response)
    mend(rig)
    rig.clock.advance(10)
    while (ready := browser.get("/readyz")).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert rig.signed_in("viewer").me()["email"] == "viewer@example.com"


def test_RT_15_pool_that_went_away_after_the_start(rig: Rig) -> None:
    """Readiness asks the pool itself and not what is known of it; people who are in go on."""
    somebody = rig.signed_in("viewer")
    assert rig.browser().get("/readyz").status == 200
    asked = rig.cognito.issuer.discovery.count
    _cut_pool(rig)
    rig.clock.advance(10)
    assert rig.browser().get("/readyz").json()["parts"]["signing_keys"] == "ok"
    assert rig.browser().get("/readyz").status == 503
    assert somebody.get("/session").status == 200
    _mend_pool(rig)
    for _ in range(20):  # however often it is asked, the pool is not
        rig.browser().get("/readyz")
    assert rig.cognito.issuer.discovery.count == asked
    rig.clock.advance(10)
    assert rig.browser().get("/readyz").status == 200
    assert rig.cognito.issuer.discovery.count == asked + 1


def test_RT_15_liveness_asks_nobody(rig: Rig) -> None:
    """With everything cut at once /healthz is as it was, and asks nobody."""
    browser = rig.browser()
    assert browser.get("/healthz").json() == {"status": "ok"}
    _cut_store(rig)
    rig.cognito.heal()
    counts = [rig.cognito.issuer.discovery.count, rig.cognito.issuer.jwks.count]
    _cut_pool(rig)
    rig.clock.advance(100_000)
    assert browser.get("/healthz").json() == {"status": "ok"}
    assert counts == [rig.cognito.issuer.discovery.count, rig.cognito.issuer.jwks.count]

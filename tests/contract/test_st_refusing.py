"""ST-05 and ST-06 to the person: a server that answers with a no is BUSY, and nobody is lost."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.dynamodb import Fronted
from tests.contract.fault_proxy import proxied
from tests.contract.redis_server import RedisServer, until
from tests.doubles.browser import Browser
from tests.rig import Rig, rigged

REFUSALS = {
    "READONLY": "READONLY You can't write against a read only replica.",
    "LOADING": "LOADING Redis is loading the dataset in memory",
    "OOM": "OOM command not allowed when used memory > 'maxmemory'.",
    "NOAUTH": "NOAUTH Authentication required.",
    "WRONGPASS": "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM": "NOPERM this user has no permissions to run the 'get' command",
    "MOVED": "MOVED 1234 127.0.0.1:1",
    "CLUSTERDOWN": "CLUSTERDOWN The cluster is down",
    "MASTERDOWN": "MASTERDOWN Link with MASTER is down",
    "MISCONF": "MISCONF Redis is configured to save RDB snapshots, but it cannot",
    "BUSY": "BUSY Redis is busy running a script.",
    "MAXCLIENTS": "ERR max number of clients reached",
    "refused": "ERR hunter2 is not a word that I know",
}


def assert_everybody_is_told(rig: Rig, browser: Browser, *pages: str) -> None:
    """503, to come again, cookie kept; strangers see what needs no store; alive and not ready."""
    cookies, before = browser.cookies.save(), len(rig.log)
    for page in pages:
        busy = browser.get(page)
        assert busy.status == 503, page
        assert int(busy.header("Retry-After") or 0) > 0
        assert busy.header_values("Set-Cookie") == []
        assert "hunter2" not in busy.text
    stranger = rig.browser()
    assert stranger.get("/").status == 200
    assert stranger.get("/healthz").status == 200
    assert stranger.get("/readyz").status == 503
    assert "hunter2" not in rig.log[before:]
    assert browser.cookies.save() == cookies


def reasons(rig: Rig) -> set[object]:
    """Why the store refused, as the log has it."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in rig.log.splitlines()]
    return {
        one.get("reason")
        for one in lines
        if one["event"] == "refused" and one["code"] == "store_unavailable"
    }


@pytest.mark.redis
def test_ST_05_every_refusal_of_redis(redis_server: RedisServer, tmp_path: Path) -> None:
    """Whatever Redis says no with: BUSY and its name in the log; when it says yes all goes on."""
    redis_server.start()
    redis_server.empty()
    with (
        proxied(redis_server.port) as proxy,
        rigged(tmp_path, SESSION_STORE_URL=proxy.url) as rig,
    ):
        browser = rig.signed_in("admin")
        for name, words in REFUSALS.items():
            proxy.nonsense = f"-{words}\r\n".encode()
            proxy.mode = "nonsense"
            assert_everybody_is_told(rig, browser, "/session", "/credentials", "/sessions", "/me")
            assert name in reasons(rig), name
            proxy.mode = "open"
            until(lambda: browser.get("/session").status == 200)
        assert reasons(rig) == set(REFUSALS)
        assert '"unforeseen"' not in rig.log


NOES = {
    "ProvisionedThroughputExceededException": 400,
    "ThrottlingException": 400,
    "RequestLimitExceeded": 400,
    "AccessDeniedException": 400,
    "ResourceNotFoundException": 400,
    "ExpiredTokenException": 400,
    "InternalServerError": 500,
}


@pytest.mark.stack
def test_ST_06_every_refusal_of_dynamodb(fronted: Fronted, tmp_path: Path) -> None:
    """Throttled or forbidden: BUSY and its name in the log; afterwards all goes on."""
    settings: dict[str, Any] = {
        "SESSION_STORE_URL": f"dynamodb://{fronted.table}",
        "AWS_ENDPOINT_URL_DYNAMODB": fronted.server.server.origin,
    }
    with rigged(tmp_path, **settings) as rig:
        browser = rig.signed_in("admin")
        for name, status in NOES.items():
            fronted.front.aws_error(name, "hunter2", status)
            assert_everybody_is_told(rig, browser, "/session")
            assert name in reasons(rig), name
            fronted.front.heal()
            until(lambda: browser.get("/session").status == 200)
        assert '"unforeseen"' not in rig.log

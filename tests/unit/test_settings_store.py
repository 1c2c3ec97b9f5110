"""SESSION_STORE_URL for Redis: what is taken, what is refused, and no password in a sentence."""

from pathlib import Path

import pytest

from tests.unit.test_settings import load, problems


@pytest.mark.parametrize(
    "value",
    [
        "redis://",
        "redis://:secret@",
        "redis://host:port",
        "redis://host:0",
        "redis://:pass/word@host",
        "redis://:pass#word@host",
        "redis://:pass word@host",
        "redis://host/sessions",
        "redis://host/1/2",
        "redis://host?socket_timeout=60",
        "redis://host?cluster",
        "redis://host?cluster=yes",
        "redis://host?cluster=true&cluster=false",
        "redis://host/1?cluster=true",
        "redis://host?ssl_cert_reqs=required",
        "rediss://host?ssl_cert_reqs=none",
        "rediss://host?ssl_ca_certs=/not/there.pem",
        "rediss://host?ssl_ca_certs=",
    ],
)
def test_redis_addresses_that_make_no_sense(value: str) -> None:
    """Each address that cannot work, or would work unsafely, is refused with its cure."""
    (said,) = problems(SESSION_STORE_URL=value)
    assert said.startswith("SESSION_STORE_URL ")
    assert "; " in said


@pytest.mark.parametrize(
    "value",
    [
        "redis://localhost",
        "redis://127.0.0.1:6379/0",
        "redis://[::1]:6379/15",
        "redis://:pass%2Fword%40@cache.example.com",
        "redis://portico:secret@cache.example.com:6380/2",
        "redis://cache.example.com?cluster=true",
        "redis://cache.example.com/0?cluster=true",
        "rediss://cache.example.com",
        "rediss://user:secret@cache.example.com:6380?cluster=true&ssl_cert_reqs=required",
    ],
)
def test_redis_addresses(value: str) -> None:
    """Every address of a Redis server or cluster that makes sense is taken as it is."""
    assert load(SESSION_STORE_URL=value).session_store_url == value


def test_redis_certificates(tmp_path: Path) -> None:
    """Files of certificates may be named; a key alone is of no use."""
    file = tmp_path / "ca.pem"
    file.write_text("")
    value = f"rediss://h?ssl_ca_certs={file}&ssl_certfile={file}&ssl_keyfile={file}"
    assert load(SESSION_STORE_URL=value).session_store_url == value
    (said,) = problems(SESSION_STORE_URL=f"rediss://h?ssl_keyfile={file}")
    assert "ssl_certfile" in said


@pytest.mark.parametrize("rest", ["/no", "?x=1", "#x", ":0", "?cluster=maybe", ":port", " "])
def test_no_problem_repeats_a_store_password(rest: str) -> None:
    """What is said about a store's address never shows the password in it."""
    (said,) = problems(SESSION_STORE_URL=f"redis://:very-secret@h{rest}x")
    assert "very-secret" not in said


def test_no_store_password_in_a_repr() -> None:
    """The password in a store's address does not show when settings are printed."""
    settings = load(SESSION_STORE_URL="redis://:very-secret@h")
    assert "very-secret" not in repr(settings)
    assert "very-secret" not in str(settings)

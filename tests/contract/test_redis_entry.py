"""How the Redis store gets in: passwords, permissions, TLS, forks; and what it never says."""

import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from tests.contract.redis_server import RedisServer, free_port, started
from tests.contract.stores import KEY, LATER, NOW, keys_of, operations, put
from tests.doubles.tls import Authority
from webapp.errors import StoreUnavailable
from webapp.store.base import Stored
from webapp.store.redis import RedisStore
from webapp.store.redis.address import Address
from webapp.store.redis.line import Line

pytestmark = pytest.mark.redis

PASSWORD = "pass/word@:#1"
QUOTED = "pass%2Fword%40%3A%231"
COMMANDS = "+get +set +del +getrange +evalsha +eval +pttl +pexpire +zadd +zrem +zscore"
COMMANDS += " +zrangebyscore +zremrangebyscore +ping +info"


def why(url: str) -> str:
    """For which reason a store at that address does not work."""
    with pytest.raises(StoreUnavailable) as refused:
        RedisStore(url).load(KEY, now=NOW)
    return str(refused.value.facts["reason"])


def test_ST_05_password(tmp_path: Path) -> None:
    """The right password opens, another or none is refused by name, and works once it is right."""
    with started(tmp_path / "redis", "--requirepass", PASSWORD, password=PASSWORD) as server:
        place = f"127.0.0.1:{server.port}"
        assert put(RedisStore(f"redis://:{QUOTED}@{place}", now=lambda: NOW)) is True
        assert put(RedisStore(f"redis://default:{QUOTED}@{place}", now=lambda: NOW)) is False
        assert why(f"redis://:other@{place}") == "WRONGPASS"
        assert why(f"redis://nobody:{QUOTED}@{place}") == "WRONGPASS"
        assert why(f"redis://{place}") == "NOAUTH"
        store = RedisStore(f"redis://:new@{place}", now=lambda: NOW)
        server.say("CONFIG", "SET", "requirepass", "new")
        server.password = "new"
        assert store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)


def test_ST_05_fewest_permissions(server: RedisServer) -> None:
    """The permissions that the documentation names are enough; with fewer it is said."""
    rights = ("on", ">secret", "resetkeys", "~portico:*", "resetchannels", "nocommands")
    server.say("ACL", "SETUSER", "portico", *rights, *COMMANDS.split())
    server.say("ACL", "SETUSER", "reader", *rights, "+get", "+ping")
    store = RedisStore(server.url.replace("//", "//portico:secret@"), now=lambda: NOW)
    for operation in operations(store):
        operation()
    assert keys_of(store, b"nobody", now=NOW) == []
    said: list[str] = []
    reader = RedisStore(
        server.url.replace("//", "//reader:secret@"),
        now=lambda: NOW,
        report=lambda code, sentence: said.append(code),
    )
    reader.ping()
    assert said == ["store_policy_unknown"]
    with pytest.raises(StoreUnavailable) as refused:
        put(reader)
    assert refused.value.facts == {"reason": "NOPERM"}


def test_database(server: RedisServer) -> None:
    """The number in the address chooses the database; one that is not there is said."""
    store = RedisStore(f"{server.url}/3", now=lambda: NOW)
    put(store)
    assert RedisStore(server.url).load(KEY, now=NOW) is None
    assert store.load(KEY, now=NOW)
    assert why(f"{server.url}/99") == "refused"


def test_LG_no_password_in_any_word(tmp_path: Path) -> None:
    """No text, repr or traceback holds the password, even where the server repeats it."""
    echo = ("--rename-command", "AUTH", "")
    with started(tmp_path / "redis", *echo) as server:
        url = f"redis://user:{QUOTED}@127.0.0.1:{server.port}"
        said: list[str] = []
        store = RedisStore(url, report=lambda *words: said.extend(words))
        texts = [*said, repr(store), repr(Address.of(url)), repr(Line(Address.of(url), ("h", 1)))]
        for operation in operations(store):
            with pytest.raises(StoreUnavailable) as refused:
                operation()
            texts += traceback.format_exception(refused.value)
            assert refused.value.__context__ is None
    assert said
    for text in texts:
        assert PASSWORD not in text
        assert QUOTED not in text


def test_tls(tmp_path: Path) -> None:
    """Over rediss the server's certificate is checked, against the authority that is named."""
    authority = Authority.make(tmp_path)
    for host in ("127.0.0.1", "elsewhere.example.com"):
        authority.server(host)
        pem = str(tmp_path / f"server-{host}-new.pem")
        port = free_port()
        options = ["--tls-port", str(port), "--tls-cert-file", pem, "--tls-key-file", pem]
        options += ["--tls-ca-cert-file", str(authority.ca_file), "--tls-auth-clients", "no"]
        with started(tmp_path / "redis", *options):
            url = f"rediss://127.0.0.1:{port}"
            assert why(url) == "SSLCertVerificationError"
            trusting = f"{url}?ssl_ca_certs={authority.ca_file}"
            if host != "127.0.0.1":
                assert why(trusting) == "SSLCertVerificationError"
                continue
            store = RedisStore(trusting, now=lambda: NOW)
            put(store, sealed=b"x" * 33_000)
            for _ in range(3):
                assert store.load(KEY, now=NOW) == Stored(b"x" * 33_000, 1, LATER)


def test_certificates_of_no_use(tmp_path: Path) -> None:
    """A file that holds no certificate ends the start with a sentence."""
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(StoreUnavailable, match="ssl_ca_certs"):
        RedisStore(f"rediss://127.0.0.1:1?ssl_ca_certs={tmp_path / 'ca.pem'}")


_FORKS = """
import os, sys
from webapp.store.redis import RedisStore
store = RedisStore(sys.argv[1])
keys = [bytes((number,)) * 32 for number in range(4)]
for key in keys:
    assert store.create(key, key * 50, expires_at=2**32, person=None, now=0)
children = []
for key in keys:
    child = os.fork()
    if child == 0:
        good = all(store.load(key, now=0).sealed == key * 50 for _ in range(300))
        os._exit(0 if good else 1)
    children.append(child)
good = all(store.load(keys[0], now=0).sealed == keys[0] * 50 for _ in range(300))
sys.exit(0 if good and not any(os.waitpid(child, 0)[1] for child in children) else 1)
"""


def test_forks(server: RedisServer) -> None:
    """A store that was used before a fork gives parent and children each their own answers."""
    command = [sys.executable, "-c", _FORKS, server.url]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""KY-07 and CR-13: where secrets are while the server runs: in files and memory, nowhere else."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.redis_server import until
from tests.security.fleet import Fleet, fleet_of
from tests.security.served import ROOT

KEY = "the-key-of-a-test-that-lies-in-a-file-" + "k" * 10
OLD_KEY = "the-former-key-of-a-test-in-a-file-" + "o" * 10
CLIENT_SECRET = "a-client+secret/of-a-test=in-a-file"
BY_FILE = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "COGNITO_CLIENT_SECRET", "SESSION_STORE_URL")


def _into_files(fleet: Fleet, folder: Path) -> dict[str, str]:
    """Move the secrets out of the host's environment into files; what they were."""
    folder.mkdir()
    (host,) = fleet.hosts
    environment = dict(host.environment)
    secrets = {name: environment.pop(name) for name in BY_FILE}
    for name, value in secrets.items():
        path = folder / name.lower()
        path.write_text(f"{value}\n")
        environment[f"{name}_FILE"] = str(path)
    host.environment = environment
    return secrets


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A host of two workers, all of whose secrets come by file."""
    folder = tmp_path_factory.mktemp("placement")
    with fleet_of(
        folder,
        hosts=1,
        start=False,
        client_secret=CLIENT_SECRET,
        SECRET_KEY=KEY,
        SECRET_KEY_FALLBACKS=OLD_KEY,
    ) as made:
        secrets = _into_files(made, folder / "secrets")
        assert secrets["COGNITO_CLIENT_SECRET"] == CLIENT_SECRET
        (host,) = made.hosts
        # A machine that keeps cores, as some do.
        host.command = ["sh", "-c", 'ulimit -c unlimited; exec "$0" "$@"', *host.command]
        host.start()
        yield made


def _processes(fleet: Fleet) -> list[int]:
    (host,) = fleet.hosts
    assert host.process
    return [host.process.pid, *host.await_workers(2)]


def _shown(pid: int) -> bytes:
    """What `ps` and /proc show of a process to whoever may look."""
    at = Path(f"/proc/{pid}")
    return b"".join((at / name).read_bytes() for name in ("cmdline", "environ", "comm", "status"))


def test_KY_07_by_file_and_nowhere_else(fleet: Fleet) -> None:
    """Secrets given by NAME_FILE work, and stand in no argument and no environment of a process."""
    browser = fleet.signed_in("admin")  # the client's secret and the key are the right ones
    assert browser.get("/session").status == 200
    assert fleet.cognito.issuer.token.last.header("Authorization")
    for pid in _processes(fleet):
        shown = _shown(pid)
        assert b"SECRET_KEY_FILE=" in shown
        for secret in (KEY, OLD_KEY, CLIENT_SECRET):
            assert secret.encode() not in shown
            assert secret.encode()[:16] not in shown
    assert KEY not in fleet.log
    assert CLIENT_SECRET not in fleet.log


def test_CR_13_keys_are_in_no_environment(fleet: Fleet) -> None:
    """After calls with them, AWS keys and tokens stand in no environment, argument or log."""
    browser = fleet.signed_in("admin")
    for identity in ("user", "guest"):
        assert browser.call("test-public", identity).json()["status"] == 200
    issued = fleet.cognito.vault.issued
    assert len(issued) >= 2
    mint = fleet.cognito.issuer.mint
    secrets = [text for keys in issued for text in (keys.secret_key, keys.session_token[:40])]
    secrets += [keys.access_key for keys in issued]
    secrets += [token[-40:] for token in (*mint.id_token.minted, *mint.access_token.minted)]
    secrets += [token[100:140] for token in fleet.cognito.issuer.pool.refresh_tokens]
    secrets.append(browser.cookies["portico"])
    shown = b"".join(map(_shown, _processes(fleet)))
    assert [text for text in secrets if text.encode() in shown] == []
    assert [text for text in secrets if text in fleet.log] == []


def test_CR_13_no_core_is_left(fleet: Fleet) -> None:
    """A worker that crashes leaves no image of its memory behind, and another takes its place."""
    browser = fleet.signed_in("admin")
    assert browser.call("vip", "user").json()["status"] == 200
    (host,) = fleet.hosts
    workers = host.await_workers(2)
    for pid in _processes(fleet):
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
    os.kill(workers[0], signal.SIGABRT)
    host.await_workers(2, without=workers[:1])
    until(lambda: browser.get("/session").status == 200)
    left = [path.name for path in host.folder.rglob("*") if "core" in path.name]
    assert left == []


# Real ones of their kind, as a scanner knows them; what begins with canary is made up to be looked
# for in reprs and logs.
SHAPES = re.compile(
    r"""\bA[KS]IA[0-9A-Z]{16}\b
    | BEGIN\ [A-Z\ ]*PRIVATE\ KEY
    | \bgh[pousr]_[A-Za-z0-9]{36}
    | \bxox[abpr]-[A-Za-z0-9-]{10}
    | eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}
    | (?<![a-z])[A-Z_]*(?:SECRET_KEY|CLIENT_SECRET|SECRET_ACCESS_KEY)(?:_FALLBACKS)?
      ["']?\s?[=:]\s?["']?
      (?![A-Za-z_]*example|canary-)[\w/+-]{32,}
    """,
    re.VERBOSE,
)
MADE_UP = {"AKIAIOSFODNN7EXAMPLE", "ASIAEXAMPLEEXAMPLE00", "AKIAREALLYREAL000000"}
"""AWS's own example, and two of our tests that say what they are."""


def _secrets_in(text: str) -> set[str]:
    return {found[0] for found in SHAPES.finditer(text)} - MADE_UP


def _git(*words: str) -> str | None:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


PLANTED = (
    "AKIA" + "Q7" * 8,
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "ghp_" + "a1" * 18,
    "SECRET_KEY" + "=" + "Zx3_" * 10,
    "COGNITO_CLIENT_SECRET" + ": '" + "q9" * 20,
    "eyJ" + "a" * 20 + ".eyJ" + "b" * 30 + "." + "c" * 30,
)


@pytest.mark.parametrize("planted", PLANTED)
def test_KY_07_the_scan_finds_secrets(planted: str) -> None:
    """The scan of the history would find a secret of each kind in the middle of a line."""
    assert _secrets_in(f"+    x = '{planted}'  # noqa")


def test_KY_07_no_secret_in_files_or_history() -> None:
    """Neither a file of the project nor any commit that ever was holds a secret."""
    listed = _git("ls-files")
    files = listed.split("\n") if listed else [str(p) for p in ROOT.rglob("*.py")]
    assert len(files) > 100
    for name in filter(None, files):
        path = ROOT / name
        if path.is_file():
            assert _secrets_in(path.read_text(errors="replace")) == set(), name
    history = _git("log", "--all", "-p", "--no-color")
    assert history is None or _secrets_in(history) == set()  # None: not a clone, as in an archive
    assert not any(Path(name).name in (".env", "secret-key") for name in files)

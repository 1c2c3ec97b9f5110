"""`python -m infra.local`: starts, tells, keeps, and ends; from outside, as a person uses it."""

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local import kept, screen
from infra.local.fidelity import upstream
from infra.local.process import REPOSITORY, free_port
from infra.stack import load_stack
from tests.stack.world import Offline

STOP_SECONDS = 5


class Launcher:
    """One running launcher, ready; what it said on standard output, and its error stream."""

    def __init__(self, *options: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.local", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, **(environment or {})},
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()

    def end(self, how: signal.Signals) -> tuple[int, str, float]:
        """Send one signal; return the exit status, the error stream and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors, time.monotonic() - started


def outward_address() -> str | None:
    """Return this machine's address towards the world, or None; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


@contextlib.contextmanager
def launched(*options: str, **settings: Any) -> Iterator[tuple[Launcher, dict[str, Any]]]:
    """Run a launcher with --json on a free port and give what it prints."""
    launcher = Launcher("--json", *options, **settings)
    try:
        yield launcher, json.loads(launcher.first_line)
    finally:
        if launcher.process.poll() is None:
            launcher.end(signal.SIGTERM)


def refused(*options: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a launcher that does not start; return its exit status and its words."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.local", *options],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {})},
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_everything_cleanly(how: signal.Signals) -> None:
    """It ends with status 0, soon, without a traceback, and nothing answers any more."""
    with launched("--port", str(free_port())) as (launcher, told):
        assert requests.get(told["mailbox"], timeout=20).status_code == 200
        status, errors, seconds = launcher.end(how)
        assert status == 0
        assert "Traceback" not in errors
        assert seconds < STOP_SECONDS
        with pytest.raises(requests.ConnectionError):
            requests.get(told["mailbox"], timeout=5)


def test_it_tells_the_applications_settings() -> None:
    """The environment names a pool, a client and an API that answer."""
    port = free_port()
    with launched("--port", str(port), "--app-base-url", "http://localhost:9") as (_, told):
        settings = told["environment"]
        assert settings["APP_BASE_URL"] == "http://localhost:9"
        assert settings["AWS_ENDPOINT_URL"] == told["endpoint"] == f"http://127.0.0.1:{port}"
        plain = requests.get(f"{settings['API_ENDPOINT']}/test/plain", timeout=20)
        assert plain.status_code == 200
        issuer = f"{told['endpoint']}/{settings['COGNITO_USER_POOL_ID']}"
        document = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=20)
        assert document.status_code == 200
        assert {"email": "admin@example.com", "groups": ["Admin"]}.items() <= told["users"][
            0
        ].items()


def test_the_developers_own_aws_settings_have_no_say() -> None:
    """A profile, keys, a region and a proxy of the shell do not reach the offline AWS."""
    shell = {
        "AWS_PROFILE": "nowhere",
        "AWS_ACCESS_KEY_ID": "AKIAREALLYREAL000000",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_DEFAULT_REGION": "eu-west-3",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "AUTH": "false",
    }
    with launched("--port", str(free_port()), environment=shell) as (_, told):
        assert told["environment"]["AWS_REGION"] == "us-east-1"
        assert told["environment"]["COGNITO_USER_POOL_ID"].startswith("us-east-1_")


def test_it_listens_on_loopback_only() -> None:
    """No other address of this machine answers."""
    port = free_port()
    with launched("--port", str(port)):
        outward = outward_address()
        if outward is None:
            return  # this machine has no other address
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((outward, port), timeout=2)


def test_the_whole_demo_starts_and_ends_at_once() -> None:
    """The application is ready when the page is printed; an open browser holds nothing up."""
    app_port = str(free_port())
    options = ("--port", str(free_port()), "--with-app", "--app-port", app_port)
    with launched(*options) as (launcher, told), requests.Session() as browser:
        assert told["application"] == f"http://localhost:{app_port}"
        assert browser.get(told["application"], timeout=20).status_code == 200
        assert browser.get(f"{told['application']}/readyz", timeout=20).status_code == 200
        to_login = browser.get(f"{told['application']}/login", allow_redirects=False, timeout=20)
        assert to_login.headers["location"].startswith(f"{told['endpoint']}/oauth2/authorize?")
        status, errors, seconds = launcher.end(signal.SIGINT)
    assert status == 0
    assert "Traceback" not in errors
    assert seconds < STOP_SECONDS


def test_an_application_that_dies_is_reported_with_its_last_words() -> None:
    """A setting that the application refuses ends the launcher, which shows what it said."""
    ports = ("--port", str(free_port()), "--app-port", str(free_port()))
    status, errors = refused("--with-app", *ports, environment={"LOG_LEVEL": "nonsense"})
    assert status == 1
    assert "The application did not start" in errors
    assert "LOG_LEVEL" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("option", "others"), [("--port", []), ("--app-port", ["--with-app", "--port"])]
)
def test_a_taken_port_is_one_sentence(option: str, others: list[str]) -> None:
    """It names the port and the option, and ends with status 2."""
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = str(occupant.getsockname()[1])
        more = [*others, str(free_port())] if others else []
        status, errors = refused(option, port, *more)
    assert status == 2
    assert errors.count("\n") == 1
    assert port in errors
    assert option in errors


@pytest.mark.parametrize(
    "ports", [("--port", "0"), ("--with-app", "--app-port", "65536"), ("--port", "-1")]
)
def test_a_port_out_of_range_is_one_sentence(ports: tuple[str, ...]) -> None:
    """It says which numbers will do, and ends with status 2."""
    status, errors = refused(*ports)
    assert (status, errors.count("\n")) == (2, 1)
    assert "from 1 to 65535" in errors


def test_equal_ports_must_differ() -> None:
    """One port for both servers is refused in one sentence, with status 2."""
    port = str(free_port())
    status, errors = refused("--with-app", "--port", port, "--app-port", port)
    assert (status, errors.count("\n")) == (2, 1)
    assert "must differ" in errors


def test_the_cure_of_a_taken_port_is_for_make_demo() -> None:
    """Who typed `make demo` reads what to type there."""
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        _, errors = refused("--with-app", "--port", str(port), "--app-port", str(free_port()))
    assert 'make demo ARGS="--port ' in errors


def test_kept_state_brings_people_and_sessions_back(tmp_path: Path) -> None:
    """Ids, passwords, groups, signing keys and refresh tokens survive a restart."""
    options = ("--port", str(free_port()), "--keep-state", str(tmp_path / "state"))
    person = {"USERNAME": "kim@example.com", "PASSWORD": "Portico-kept-1"}

    with launched(*options) as (_, told):
        before = told["environment"]
        idp = Offline(told["endpoint"]).client("cognito-idp")
        pool = {"UserPoolId": before["COGNITO_USER_POOL_ID"]}
        idp.admin_create_user(**pool, Username="kim@example.com", MessageAction="SUPPRESS")
        idp.admin_set_user_password(
            **pool, Username="kim@example.com", Password="Portico-kept-1", Permanent=True
        )
        idp.admin_add_user_to_group(**pool, Username="kim@example.com", GroupName="Manager")
        client = {
            "ClientName": "cli",
            "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
        }
        client_id = idp.create_user_pool_client(**pool, **client)["UserPoolClient"]["ClientId"]
        signed_in = idp.admin_initiate_auth(
            **pool, ClientId=client_id, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=person
        )["AuthenticationResult"]

    with launched(*options) as (_, told):
        assert told["environment"] == before
        idp = Offline(told["endpoint"]).client("cognito-idp")
        groups = idp.admin_list_groups_for_user(**pool, Username="kim@example.com")["Groups"]
        assert [group["GroupName"] for group in groups] == ["Manager"]
        assert idp.get_user(AccessToken=signed_in["AccessToken"])["Username"]
        renewed = idp.get_tokens_from_refresh_token(
            ClientId=client_id, RefreshToken=signed_in["RefreshToken"]
        )
        assert renewed["AuthenticationResult"]["IdToken"]
        api = requests.get(f"{before['API_ENDPOINT']}/test/plain", timeout=20)
        assert api.status_code == 200


def test_a_state_in_use_is_not_shared(tmp_path: Path) -> None:
    """A second launcher on the same folder is refused with a sentence that names it."""
    folder = tmp_path / "state"
    with kept.open_folder(folder):
        status, errors = refused("--port", str(free_port()), "--keep-state", str(folder))
    assert status == 2
    assert str(folder) in errors
    assert errors.count("\n") == 1


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    """A file where the folder should be gives no traceback."""
    file = tmp_path / "file"
    file.write_text("")
    status, errors = refused("--port", str(free_port()), "--keep-state", str(file))
    assert (status, errors.count("\n")) == (2, 1)


def test_a_temporary_folder_is_gone_afterwards() -> None:
    """Without --keep-state nothing stays on the disk."""
    with kept.open_folder(None) as folder:
        (folder / "anything").write_text("x")
    assert not folder.exists()


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    """A kept state keeps the application's key, readable by its owner alone."""
    first = kept.secret_key(tmp_path)
    assert len(bytes.fromhex(first)) == 32
    assert kept.secret_key(tmp_path) == first
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("installed", "cryptography", "says"),
    [
        (None, True, "not installed"),
        ("1.5.32", True, "1.5.32"),
        (upstream.PINNED_VERSION, False, "cryptography"),
    ],
)
def test_a_wrong_installation_is_one_sentence(
    installed: str | None, cryptography: bool, says: str
) -> None:
    """Any other release, or no cryptography, is refused with the cure."""
    sentence = upstream.problem_with(installed, has_cryptography=cryptography)
    assert sentence is not None
    assert says in sentence
    assert "requirements-dev.txt" in sentence
    assert "\n" not in sentence


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


def test_colour_is_for_terminals_that_want_it() -> None:
    """NO_COLOR, a dumb terminal and a pipe all get plain text."""
    assert screen.Style.of(Terminal(), {}).colour
    assert not screen.Style.of(Terminal(), {"NO_COLOR": "1"}).colour
    assert not screen.Style.of(Terminal(), {"TERM": "dumb"}).colour
    assert not screen.Style.of(io.StringIO(), {}).colour


def test_the_welcome_page_shows_everybody() -> None:
    """Every demo person stands there with the password that opens the first sign-in."""
    stack = load_stack()
    addresses = screen.Addresses("http://127.0.0.1:4566", "http://localhost:8000")
    page = screen.welcome(addresses, stack.demo, screen.Style(colour=False))
    assert "\x1b" not in page
    assert "http://localhost:8000" in page
    for user in stack.demo.users:
        row = next(line for line in page.splitlines() if user.email in line)
        password = stack.demo.temporary_password if user.must_change_password else None
        assert (password or stack.demo.password) in row


def test_export_lines_survive_a_shell() -> None:
    """A value with quotes, spaces and dollars arrives as it is."""
    awkward = {"SECRET": 'a\'b "c" $HOME `x`'}
    script = screen.exports(awkward) + 'printf %s "$SECRET"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == awkward["SECRET"]
